import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { expect, serverOf, test } from './test.ts'

// The policy holds for a whole workspace: these tests follow each other, and what they leave in force touches nobody else's.
test.describe.configure({ mode: 'serial' })

const form = (page: Page) => page.getByRole('form', { name: 'Draft of the policy' })
const inForce = (page: Page, words: string) =>
  expect(page.getByRole('listitem').filter({ hasText: words }).first()).toBeVisible()

const saveDraft = async (page: Page, days: string): Promise<void> => {
  await page.goto('/admin/policy')
  await page.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
  await form(page).getByLabel('Exports').fill(days)
  await form(page).getByLabel('Why this change').fill(`Exports for ${days} days`)
  await form(page).getByRole('button', { name: 'Save draft' }).click()
  await expect(form(page)).toBeHidden()
}

const asOwner = async (browser: Browser): Promise<Page> => {
  const { url, dataDir } = serverOf('built-in')
  const context = await browser.newContext({ baseURL: url, storageState: join(dataDir, 'owner.json') })
  return context.newPage()
}

test('a change is a draft with its difference and a preview, is applied, and rolled back in one click', async ({
  page,
}) => {
  await saveDraft(page, '11')
  await expect(page.getByRole('list', { name: 'What it changes' })).toContainText('Exports are deleted after 11 days.')
  await page.getByRole('button', { name: 'Preview on last week’s answers' }).click()
  await expect(page.getByText(/None of last week’s|nothing to try it on/)).toBeVisible()
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await inForce(page, 'Exports are deleted after 11 days.')
  await page.getByRole('button', { name: 'Roll back to version 0' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Roll back' }).click()
  await inForce(page, 'Exports are deleted after 7 days.')
})

test('what contradicts itself is kept and cannot be applied', async ({ page }) => {
  await page.goto('/admin/policy')
  await page.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
  await form(page).getByLabel('Withhold below').fill('0.5')
  await form(page).getByRole('button', { name: 'Save draft' }).click()
  await expect(page.getByText('The warning must begin at the same confidence or a higher one.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Apply', exact: true })).toBeDisabled()
  await page.getByRole('button', { name: 'Discard…' }).click()
  await page.getByRole('button', { name: 'Discard draft' }).click()
  await expect(page.getByText('Your draft')).toBeHidden()
})

test('of two admins at once the second sees what the first changed, and loses nothing', async ({ page, browser }) => {
  const other = await asOwner(browser)
  await saveDraft(page, '12')
  await saveDraft(other, '13')
  await page.getByRole('button', { name: 'Apply', exact: true }).click()
  await inForce(page, 'Exports are deleted after 12 days.')
  await other.getByRole('button', { name: 'Apply', exact: true }).click()
  await expect(other.getByRole('alert').filter({ hasText: 'has changed since this draft was begun' })).toBeVisible()
  await other.getByRole('button', { name: 'Bring onto the newer policy' }).click()
  await expect(other.getByRole('list', { name: 'What it changes' })).toContainText('after 13 days')
  await other.getByRole('button', { name: 'Apply', exact: true }).click()
  await inForce(other, 'Exports are deleted after 13 days.')
  await other.context().close()
})

test('a rule that is not whole is not saved, and what is typed is not thrown away without a question', async ({
  page,
}) => {
  await page.goto('/admin/policy')
  await page.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
  await form(page).getByRole('button', { name: 'Close' }).click()
  await expect(form(page)).toBeHidden()
  await page.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
  await expect(page.getByRole('button', { name: /^Roll back/ })).toHaveCount(0)
  await form(page).getByRole('button', { name: 'Add review rule' }).click()
  await form(page).getByLabel('Name of the review rule').fill('Doubt')
  await form(page).getByLabel('It is not sure enough').check()
  const percent = form(page).getByLabel('Less sure than, in percent')
  await percent.fill('150')
  await percent.press('Enter')
  await expect(form(page).getByRole('group', { name: 'Doubt' })).toBeFocused()
  await expect(percent).toHaveAttribute('aria-invalid', 'true')
  await expect(percent).toHaveValue('150')
  await form(page).getByRole('button', { name: 'Close' }).click()
  const asked = page.getByRole('alertdialog', { name: 'Close without saving?' })
  await asked.getByRole('button', { name: 'Cancel' }).click()
  await percent.fill('15')
  await expect(percent).not.toHaveAttribute('aria-invalid')
  await form(page).getByRole('button', { name: 'Close' }).click()
  await asked.getByRole('button', { name: 'Close without saving' }).click()
  await expect(form(page)).toBeHidden()
})

test('has no fault that axe can see, light and dark, with and without the form', async ({ page }) => {
  await page.goto('/admin/policy')
  expect(await violationsInBothLooks(page)).toEqual([])
  await page.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
  await form(page).getByRole('button', { name: 'Add rule' }).click()
  expect(await violationsInBothLooks(page)).toEqual([])
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 800 }, hasTouch: true, isMobile: true })
  test('nothing is wider than the screen', async ({ page }) => {
    await page.goto('/admin/policy')
    await page.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
    expect(await form(page).evaluate((one) => one.scrollWidth - one.clientWidth)).toBeLessThanOrEqual(0)
  })
})

test.describe('people who are no admins', () => {
  test.use({ role: 'member' })
  test('do not find the page', async ({ page }) => {
    expect((await page.goto('/admin/policy'))?.status()).toBe(404)
  })
})
