import type { Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { invite, join, stranger } from './people.ts'
import { ask, expect, test } from './test.ts'

// Whoever makes owners is one.
test.use({ role: 'owner' })

/** A name that no other test has. */
const newWord = (): string => `Qua${crypto.randomUUID().slice(0, 8)}`
const sheet = (page: Page) => page.getByRole('dialog')
const row = (page: Page, words: string) => page.getByRole('row').filter({ hasText: words })

test('who is invited comes in once, is seen, changed and suspended, and is out at the next click', async ({
  page,
  browser,
  baseURL,
}) => {
  const name = newWord()
  const email = `${name.toLowerCase()}@people.test`
  const link = await invite(page, email, 'Member')
  await expect(row(page, email)).toContainText('Open')

  const theirs = await stranger(browser, baseURL)
  await theirs.goto(link)
  await expect(theirs.getByRole('heading', { name: /^Join / })).toBeVisible()
  await theirs.getByLabel('Your name').fill(name)
  await theirs.getByLabel('Password', { exact: true }).fill('too short')
  await theirs.getByRole('button', { name: 'Make account and join' }).click()
  await expect(theirs.getByRole('alert').filter({ hasText: 'at least 12 characters' })).toBeVisible()
  await expect(theirs.getByLabel('Your name')).toHaveValue(name)
  await join(theirs, link, name)

  await page.goto(`/admin/members?q=${name}`)
  await expect(row(page, email)).toContainText('Member')
  await page.getByRole('button', { name: `What to do with ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Change role and groups' }).click()
  await sheet(page).getByLabel('Role', { exact: true }).selectOption({ label: 'Admin' })
  await sheet(page).getByRole('button', { name: 'Save' }).click()
  await expect(row(page, email)).toContainText('Admin')
  // The session that is open has the new role at once.
  await theirs.goto('/admin/members')
  await expect(theirs.getByRole('heading', { name: 'Members' })).toBeVisible()

  await page.getByRole('button', { name: `What to do with ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Suspend' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Suspend' }).click()
  await expect(row(page, email)).toContainText('Suspended')
  await theirs.goto('/')
  await expect(theirs).toHaveURL(/\/sign-in/)
  await theirs.goto(link)
  await expect(theirs.getByRole('heading', { name: 'This invitation has been used' })).toBeVisible()
  await theirs.context().close()
})

test('an admin invites, but neither makes nor unmakes owners', async ({ page, browser, baseURL }) => {
  const name = newWord()
  const link = await invite(page, `${name.toLowerCase()}@people.test`, 'Admin')
  const theirs = await stranger(browser, baseURL)
  await join(theirs, link, name)
  await theirs.goto('/admin/members?role=owner')
  await expect(row(theirs, 'owner@demo.local')).toBeVisible()
  await expect(theirs.getByRole('button', { name: /^What to do with/ })).toHaveCount(0)
  await theirs.getByRole('button', { name: 'Invite', exact: true }).click()
  await expect(sheet(theirs).getByLabel('Role', { exact: true }).locator('option')).toHaveText([
    'Member',
    'Reviewer',
    'Admin',
  ])
  await theirs.context().close()
})

test('a tab that shows one workspace writes nothing into another, loses nothing, and finds both ways out', async ({
  page,
  browser,
  baseURL,
}) => {
  const name = newWord()
  const first = await stranger(browser, baseURL)
  await join(first, await invite(page, `${name.toLowerCase()}@people.test`, 'Owner'), name)
  const question = 'How many days of leave do I get in my first calendar year?'
  const box = first.getByRole('textbox', { name: 'Your question' })
  await box.fill(question)

  const second = await first.context().newPage()
  await second.goto('/')
  await second.getByRole('button', { name: new RegExp(name) }).click()
  await second.getByRole('menuitem', { name: 'New workspace…' }).click()
  await sheet(second).getByLabel('Name').fill(`Place of ${name}`)
  await sheet(second).getByRole('button', { name: 'Make workspace' }).click()
  await expect(sheet(second)).toBeHidden()
  await second.goto('/admin/members')
  await expect(row(second, name)).toBeVisible()
  await expect(second.getByText('One person', { exact: true })).toBeVisible()

  const banner = first.getByRole('alert').filter({ hasText: 'This tab shows' })
  await expect(banner).toContainText(`Place of ${name}`)
  await expect(box).toHaveValue(question)
  await box.press('Enter')
  await expect(first.getByText('You have switched to another workspace').first()).toBeVisible()
  await expect(box).toHaveValue(question)
  await banner.getByRole('button', { name: /^Go back to/ }).click()
  await expect(banner).toBeHidden()
  await expect(box).toHaveValue(question)
  await box.fill('')
  await expect(await ask(first, question)).toContainText('leave')

  // Now it is the other tab that shows what the session is not in.
  const back = second.getByRole('alert').filter({ hasText: 'This tab shows' })
  await expect(back).toContainText(`Place of ${name}`)
  await back.getByRole('button', { name: /^Go back to/ }).click()
  await expect(back).toBeHidden()
  await second.getByRole('button', { name: `What to do with ${name}` }).click()
  await second.getByRole('menuitem', { name: 'Leave the workspace' }).click()
  await second.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click()
  await expect(second.getByText('This is the last owner of the workspace')).toBeVisible()
  await first.context().close()
})

test('a list invites line by line, and says what is wrong with each', async ({ page }) => {
  const word = newWord().toLowerCase()
  await page.goto('/admin/members')
  await page.getByRole('button', { name: 'Invite from a list' }).click()
  await sheet(page)
    .getByLabel('Lines')
    .fill(`email,role\n${word}-a@people.test,reviewer\n=1+1,member\n${word}-b@people.test,\n`)
  await sheet(page).getByRole('button', { name: 'Invite all' }).click()
  await expect(sheet(page).getByRole('heading', { name: '2 of 3 invited' })).toBeVisible()
  await expect(sheet(page).getByRole('listitem').nth(1)).toContainText('begins like a formula')
  await sheet(page).getByRole('button', { name: 'Done' }).click()
  await page.goto(`/admin/members?tab=invitations&q=${word}`)
  await expect(row(page, `${word}-a@`)).toContainText('Reviewer')
  await page.getByRole('button', { name: `Take back the invitation of ${word}-b@people.test` }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Take back' }).click()
  await expect(row(page, `${word}-b@`)).toHaveCount(0)
})

test('groups are made, filled and deleted by keyboard', async ({ page }) => {
  const word = newWord()
  await page.goto('/admin/members?tab=groups')
  await page.getByRole('button', { name: 'Make group' }).first().press('Enter')
  await sheet(page).getByLabel('Name', { exact: true }).fill(word)
  await page.keyboard.press('Enter')
  await expect(row(page, word)).toContainText('kept by hand')
  await page.goto('/admin/members?q=user@demo.local')
  await page.getByRole('button', { name: /^What to do with/ }).press('Enter')
  await page.getByRole('menuitem', { name: 'Change role and groups' }).press('Enter')
  await sheet(page).getByRole('checkbox', { name: word }).press('Space')
  await sheet(page).getByRole('button', { name: 'Save' }).press('Enter')
  await expect(row(page, 'user@demo.local')).toContainText(word)
  await page.goto('/admin/members?tab=groups')
  await page.getByRole('button', { name: `Delete ${word}` }).press('Enter')
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete group' }).press('Enter')
  await expect(row(page, word)).toHaveCount(0)
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true })

  test('the three lists fit and have no fault that axe can see, light and dark', async ({ page }) => {
    for (const tab of ['members', 'groups', 'invitations']) {
      await page.goto(`/admin/members?tab=${tab}`)
      await expect(page.getByRole('heading', { name: 'Members' })).toBeVisible()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
      expect(await violationsInBothLooks(page)).toEqual([])
    }
  })
})

test.describe('for a stranger', () => {
  test.use({ role: null })

  test('a link that is none says so, and tells nothing', async ({ page }) => {
    for (const token of ['x', 'A'.repeat(43)]) {
      await page.goto(`/invite/${token}`)
      await expect(page.getByRole('heading', { name: 'This link is not right' })).toBeVisible()
    }
    expect(await violationsInBothLooks(page)).toEqual([])
  })
})
