import type { Locator, Page } from '@playwright/test'
import { violations, violationsInBothLooks } from './axe.ts'
import { expect, test } from './test.ts'

const leave = 'How many days of leave do I get in my first calendar year?'
const bench = (question: string, more = ''): string => `/admin/retrieval?q=${encodeURIComponent(question)}${more}`

const stages = (page: Page): Locator => page.getByRole('list', { name: 'Stages' })
const evidence = (page: Page): Locator => page.getByRole('list', { name: /^Evidence/ }).first()
const passages = (page: Page): Locator => page.getByRole('article', { name: /^Passage \d/ })

const searched = async (page: Page): Promise<void> => {
  await expect(stages(page)).toBeVisible({ timeout: 20_000 })
  await expect(evidence(page).getByRole('listitem').first()).toBeVisible()
}

/** The viewer of a demo document, by way of its details. */
const openPassages = async (page: Page, name: string): Promise<void> => {
  await page.goto('/admin/documents')
  await page.getByRole('link', { name }).or(page.getByRole('button', { name })).first().click()
  await page.getByRole('link', { name: 'Passages', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  await expect(passages(page).first()).toBeVisible()
}

test('an admin sees each stage of a search, and a candidate opens its passage in the document', async ({ page }) => {
  await page.goto('/admin/traces')
  await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: 'Retrieval' }).click()
  await page.getByRole('textbox', { name: 'Question' }).fill(leave)
  await page.keyboard.press('Enter')
  await searched(page)
  await expect(page).toHaveURL(/[?&]q=How\+many\+days/)
  const words = stages(page).getByRole('button', { name: /^Search by words/ })
  await expect(words).toHaveAttribute('aria-expanded', 'false')
  await words.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('list', { name: 'Search by words' }).getByRole('listitem').first()).toContainText(/score/)
  // The address holds the question and what is open.
  await page.reload()
  await searched(page)
  await expect(words).toHaveAttribute('aria-expanded', 'true')

  await evidence(page).getByRole('link').first().click()
  await expect(page).toHaveURL(/\/admin\/documents\/[0-9a-f-]{36}\?passage=\d+$/)
  await expect(page.locator('article[aria-current="true"]')).toBeInViewport()
})

test('a second configuration stands beside the first, in an address that can be sent to somebody', async ({ page }) => {
  await page.goto(bench(leave))
  await searched(page)
  await page.getByRole('button', { name: 'Compare with another configuration' }).click()
  const other = page.getByRole('group', { name: 'The other configuration' })
  await other.getByRole('checkbox', { name: 'Search by meaning' }).uncheck()
  await expect(other).toContainText('Search by meaning: off, not on')
  await page.getByRole('button', { name: 'Search', exact: true }).click()
  await expect(page).toHaveURL(/with=vector%3Aoff/)
  await page.reload()
  await searched(page)
  await expect(stages(page).getByRole('button', { name: /^Search by meaning/ })).toContainText('| off')
  await expect(page.getByRole('list', { name: 'Evidence, the other configuration' })).toBeVisible()
  await page.goBack()
  await expect(page).not.toHaveURL(/with=/)
  await expect(page.getByRole('list', { name: 'Evidence, the other configuration' })).toHaveCount(0)
})

test('what is right is saved to the golden set, measured and deleted again', async ({ page }) => {
  const question = `${leave} (${crypto.randomUUID().slice(0, 8)})`
  await page.goto(bench(question))
  await searched(page)
  const save = page.getByRole('button', { name: 'Save to golden set' })
  await expect(save).toBeDisabled()
  await evidence(page).getByRole('checkbox').first().check()
  await save.click()
  const golden = page.getByRole('list', { name: 'Golden questions' })
  await expect(golden.getByRole('button', { name: question, exact: true })).toBeVisible()

  await page.reload()
  await searched(page)
  await page.getByRole('button', { name: 'Run all' }).click()
  await expect(page.getByText('Recall at 8')).toBeVisible({ timeout: 30_000 })
  // What was ticked is the first passage of the same search.
  await expect(golden.getByRole('listitem').filter({ hasText: question })).toContainText('1.00 · 1.00')

  await golden.getByRole('button', { name: `Delete “${question}” from the golden set` }).click()
  await expect(golden.getByRole('button', { name: question, exact: true })).toHaveCount(0)
  await page.reload()
  await searched(page)
  await expect(golden.getByRole('button', { name: question, exact: true })).toHaveCount(0)
})

test('a document is read passage by passage, searched, and entered at a number', async ({ page }) => {
  await openPassages(page, 'security-policy.md')
  await expect(passages(page).first()).toContainText(/\d+ tokens/)
  expect(await passages(page).count()).toBeGreaterThan(1)
  await page.getByRole('searchbox', { name: 'Find words in this document' }).fill('PASSWORD')
  await page.keyboard.press('Enter')
  await expect(page.getByText(/^1 of \d+ passages?$/)).toBeVisible()
  await expect(page.locator('article[aria-current="true"] mark').first()).toHaveText(/password/i)

  await page.getByRole('textbox', { name: /^Number of a passage/ }).fill('2')
  await page.getByRole('button', { name: 'Go to passage' }).click()
  await expect(page.getByRole('article', { name: 'Passage 2', exact: true })).toHaveAttribute('aria-current', 'true')
  await page.goto(`${new URL(page.url()).pathname}#1`)
  await expect(page.getByRole('article', { name: 'Passage 1', exact: true })).toHaveAttribute('aria-current', 'true')
})

test('another way of cutting stands beside the present one and changes nothing', async ({ page }) => {
  await openPassages(page, 'security-policy.md')
  const before = await passages(page).count()
  await page.getByRole('button', { name: 'Try another way of cutting' }).click()
  await page.getByRole('combobox', { name: 'Cut' }).selectOption('fixed')
  await page.getByRole('textbox', { name: /^Size in tokens/ }).fill('80')
  await page.getByRole('button', { name: 'Try it' }).click()
  await expect(page.getByRole('table', { name: /^Both ways of cutting/ })).toBeVisible({ timeout: 30_000 })
  await expect(page.getByText('Tried 1', { exact: true })).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Show only the present cutting' }).click()
  await expect(page.getByText('Tried 1', { exact: true })).toHaveCount(0)
  await page.reload()
  await expect(passages(page)).toHaveCount(before)
})

test('knowledge has no fault that axe can see, the bench and the viewer, light and dark', async ({ page }) => {
  await page.goto('/admin/retrieval')
  await expect(page.getByRole('heading', { name: 'See how a question finds its passages' })).toBeVisible()
  expect(await violationsInBothLooks(page)).toEqual([])
  await page.goto(bench(leave, '&with=rerank:off&stage=lexical,fuse,pack'))
  await searched(page)
  expect(await violationsInBothLooks(page)).toEqual([])
  await evidence(page).getByRole('link').first().click()
  await expect(passages(page).first()).toBeVisible()
  expect(await violationsInBothLooks(page)).toEqual([])
})

test.describe('knowledge on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  test('never scrolls the page sideways', async ({ page }) => {
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    await page.goto(bench(leave, '&with=rerank:off&stage=fuse,pack'))
    await searched(page)
    expect(await width()).toBeLessThanOrEqual(390)
    await evidence(page).getByRole('link').first().click()
    await expect(passages(page).first()).toBeVisible()
    expect(await width()).toBeLessThanOrEqual(390)
  })
})

for (const role of ['member', 'reviewer'] as const)
  test.describe(`a ${role}`, () => {
    test.use({ role })
    for (const path of ['/admin/retrieval', '/admin/documents/0198a4a0-0000-7000-8000-000000000001'])
      test(`finds nothing at ${path}`, async ({ page }) => {
        await page.goto(path)
        await expect(page.getByText('There is nothing here that you can open')).toBeVisible()
      })
  })
