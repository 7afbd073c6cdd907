import type { Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { ask, expect, test } from './test.ts'

const question = 'How many days of leave do I get in my first calendar year?'

const list = (page: Page) => page.getByRole('table', { name: 'Questions, newest first' })
const time = (page: Page) => page.getByRole('navigation', { name: 'Time' })

/** The trace of a question that was asked just now. */
const openTrace = async (page: Page): Promise<void> => {
  await page.goto('/')
  await (await ask(page, question)).getByRole('link', { name: 'View trace' }).click()
  await expect(page).toHaveURL(/\/admin\/traces\/[0-9a-f-]{36}$/)
  await expect(page.getByRole('list', { name: 'Steps' })).toBeVisible()
}

/** The list with something in it. */
const openList = async (page: Page, query = ''): Promise<void> => {
  await page.goto('/')
  await ask(page, question)
  await page.goto(`/admin/traces${query}`)
  await expect(list(page)).toBeVisible()
}

test('traces have no fault that axe can see, the list and a trace, light and dark', async ({ page }) => {
  await openTrace(page)
  expect(await violationsInBothLooks(page)).toEqual([])
  await page.goto('/admin/traces?range=7d&policy=1&flag=nothing-has-this')
  await expect(page.getByRole('heading', { name: 'No question is like that' })).toBeVisible()
  expect(await violationsInBothLooks(page)).toEqual([])
})

test.describe('traces on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  test('never scroll the page sideways', async ({ page }) => {
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    await openTrace(page)
    expect(await width()).toBeLessThanOrEqual(390)
    await page.goto('/admin/traces?range=7d&policy=1&provider=built-in')
    await expect(time(page)).toBeVisible()
    expect(await width()).toBeLessThanOrEqual(390)
  })
})

test('the filters are in the address, apply together, and survive a reload', async ({ page }) => {
  await openList(page)
  await expect(time(page).getByRole('link', { name: 'Any time' })).toHaveAttribute('aria-current', 'true')
  await time(page).getByRole('link', { name: '24 hours' }).click()
  await expect(page).toHaveURL(/range=24h/)
  await page.getByRole('combobox', { name: 'Outcome' }).selectOption('complete')
  await expect(page).toHaveURL(/status=complete/)
  await page.getByRole('combobox', { name: 'Task' }).selectOption('answer')
  await expect(page).toHaveURL(/task=answer/)
  await page.getByRole('searchbox', { name: 'Find in questions and people' }).fill('first calendar year')
  await expect(page).toHaveURL(/q=first/)
  await expect(list(page).getByRole('link', { name: question }).first()).toBeVisible()
  await page.reload()
  await expect(list(page).getByRole('link', { name: question }).first()).toBeVisible()
  await expect(page.getByRole('combobox', { name: 'Task' })).toHaveValue('answer')
  await expect(page.getByRole('searchbox', { name: 'Find in questions and people' })).toHaveValue('first calendar year')
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(page).toHaveURL(/\/admin\/traces\?range=24h$/)
})

test('a person can be chosen, and a filter that nothing is like says so', async ({ page }) => {
  await openList(page)
  const person = page.getByRole('combobox', { name: 'Person' })
  await person.selectOption({ index: 1 })
  await expect(page).toHaveURL(/user=[0-9a-f-]{36}/)
  await page.getByRole('combobox', { name: 'Cache' }).selectOption('exact')
  await expect(page).toHaveURL(/cache=exact/)
  await page.goto('/admin/traces?model=never-called')
  await expect(page.getByRole('heading', { name: 'No question is like that' })).toBeVisible()
  await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('never-called')
  await page.getByRole('link', { name: 'Show all' }).click()
  await expect(list(page)).toBeVisible()
})

test('an address that makes no sense shows the list', async ({ page }) => {
  await openList(page, '?user=nobody&range=1000y&cache=maybe&policy=-1&q=%00&before=1&model=')
  await expect(list(page).getByRole('link', { name: question }).first()).toBeVisible()
})

test('a place in the list that is not there leads to the newest', async ({ page }) => {
  await openList(page, '?range=7d&before=018f0000-0000-7000-8000-000000000000')
  await expect(page).toHaveURL(/\/admin\/traces\?range=7d$/)
})

test('a call says what the ledger knows of it, and each fact leads to the traces like it', async ({ page }) => {
  await openTrace(page)
  const detail = page.getByRole('complementary', { name: 'Step' })
  const call = detail.getByRole('region', { name: 'Call 1 of 1' })
  for (const fact of ['Asked', 'Tokens in', 'Tokens out', 'Cost', 'Prompt', 'Policy', 'Route', 'Feature'])
    await expect(call.getByText(fact, { exact: true })).toBeVisible()
  await call.getByRole('link', { name: /^version \d+$/ }).click()
  await expect(page).toHaveURL(/\/admin\/traces\?policy=\d+$/)
  await expect(list(page).getByRole('link', { name: question }).first()).toBeVisible()
  await page.getByRole('button', { name: /^Take away: policy version \d+$/ }).click()
  await expect(page).toHaveURL(/\/admin\/traces$/)
})

test('the arrow keys walk the steps', async ({ page }) => {
  await openTrace(page)
  const steps = page.getByRole('list', { name: 'Steps' }).getByRole('button')
  await steps.first().focus()
  await page.keyboard.press('End')
  await expect(steps.last()).toBeFocused()
  await expect(steps.last()).toHaveAttribute('aria-current', 'step')
})
