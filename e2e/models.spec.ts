import { join } from 'node:path'
import { type Locator, type Page, request } from '@playwright/test'
import { demoEmail, type Role } from '../lib/shared/viewer.ts'
import { violations, violationsInBothLooks } from './axe.ts'
import { type MockProvider, startMockProvider } from './mock-provider.ts'
import { startServer, type TestServer } from './server.ts'
import { ask, expect, test } from './test.ts'

// Models and rules hold for a whole workspace, so these tests have a server of their own and follow each other.
test.describe.configure({ mode: 'serial', timeout: 120_000 })

const key = 'sk-test-never-shown-7391'

const signIn = async ({ url, dataDir, password }: TestServer, role: Role): Promise<void> => {
  const context = await request.newContext({ baseURL: url, storageState: { cookies: [], origins: [] } })
  const { csrfToken } = (await (await context.get('/api/auth/csrf')).json()) as { csrfToken: string }
  const form = { csrfToken, email: demoEmail(role), password: await password() }
  await context.post('/api/auth/callback/credentials', { form, maxRedirects: 0 })
  await context.storageState({ path: join(dataDir, `${role}.json`) })
  await context.dispose()
}

const start = async (): Promise<{ mock: MockProvider; server: TestServer }> => {
  const [mock, server] = await Promise.all([startMockProvider(), startServer()])
  await server.settled()
  for (const role of ['admin', 'member'] as const) await signIn(server, role)
  return { mock, server }
}

/** Asked for by the fixtures too, which come before any hook. */
let starting: ReturnType<typeof start> | undefined
const started = (): ReturnType<typeof start> => {
  starting ??= start()
  return starting
}

test.use({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  baseURL: async ({}, use) => use((await started()).server.url),
  storageState: async ({ role }, use) => use(join((await started()).server.dataDir, `${role}.json`)),
})

test.afterAll(async () => {
  const { mock, server } = await started()
  await server.remove()
  await mock.close()
})

/** The page once it listens: a form that is filled before that is filled for nothing. */
const open = async (page: Page): Promise<void> => {
  await page.goto('/admin/models')
  await expect(page.getByRole('heading', { level: 1, name: 'Models' })).toBeVisible()
  await page.waitForLoadState('networkidle')
}

const sheet = (page: Page): Locator => page.getByRole('dialog')

test('without a model the page says that none is needed, and how to add one', async ({ page }) => {
  await page.goto('/admin/traces')
  await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: 'Models' }).click()
  await expect(page.getByRole('heading', { name: 'Answers are quoted, not written' })).toBeVisible()
  await page.getByRole('button', { name: 'Add OpenAI' }).click()
  await expect(sheet(page).getByLabel('Kind')).toHaveValue('openai')
  await expect(sheet(page).getByLabel('Address')).toHaveCount(0)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Add OpenAI' })).toBeFocused()
  expect(await violations(page)).toEqual([])
})

test('a server of our own is added, tried, given a model, and answers the next question', async ({ page }) => {
  const { mock } = await started()
  await open(page)
  await page.getByRole('button', { name: 'Add Ollama' }).click()
  await sheet(page).getByLabel('Address').fill(`${mock.url}/`)
  await sheet(page).getByLabel('Key, if the server wants one').fill(key)
  await sheet(page).getByRole('button', { name: 'Save provider' }).click()
  await expect(sheet(page)).toHaveCount(0)
  const provider = page.getByRole('list', { name: 'Providers' }).getByRole('listitem')
  await expect(provider).toContainText('key …7391')
  await expect(provider).toContainText(mock.url)

  await page.getByRole('button', { name: 'Test Ollama' }).click()
  await expect(provider.getByRole('status')).toContainText('Works. It answers and offers mock-1, mock-2.')
  await page.getByRole('button', { name: 'Add model at Ollama' }).click()
  await sheet(page).getByLabel('Name at the provider').fill('mock-2')
  await sheet(page).getByRole('button', { name: 'Save model' }).click()
  const standard = page.getByRole('list', { name: /^Standard models/ })
  await expect(standard.getByRole('listitem')).toContainText('free, our own machine')

  expect(await page.content()).not.toContain(key)
  await page.goto('/')
  await ask(page, 'How many days of leave do I get in my first calendar year?')
  expect(mock.requests.at(-1)).toMatchObject({ authorization: `Bearer ${key}`, body: { model: 'mock-2' } })
})

test('what local models took stands against its target, and each route has its cost and quality', async ({ page }) => {
  await open(page)
  const shares = page.getByLabel('Local share against its target')
  await expect(shares).toContainText(/100 % of \d+ calls?; the target of 80 % is reached/)
  const places = page.getByRole('table', { name: 'Local and hosted models in 30 days' })
  await expect(places.getByRole('row', { name: /^Local models/ })).toBeVisible()
  await page.getByRole('navigation', { name: 'Time' }).getByRole('link', { name: '7 days' }).click()
  await expect(page).toHaveURL(/range=7d/)
  await expect(page.getByRole('table', { name: 'Local and hosted models in 7 days' })).toBeVisible()
  await page.getByText('Show by task').click()
  await expect(
    page.getByRole('table', { name: 'Local share by task' }).getByRole('row', { name: /^Answer/ }),
  ).toContainText('100 %')

  const routes = page.getByRole('table', { name: 'Cost and quality by route' })
  await expect(routes).toContainText('mock-2')
  await routes.getByRole('link', { name: 'Cost a call' }).click()
  await expect(page).toHaveURL(/sort=cost/)
  await expect(routes.getByRole('columnheader', { name: 'Cost a call' })).toHaveAttribute('aria-sort', 'descending')
  expect(await violations(page)).toEqual([])
  await routes.getByRole('link', { name: 'Costs of mock-2' }).first().click()
  await expect(page).toHaveURL(/\/admin\/costs\?range=7d&model=mock-2/)
})

test('a model that answers under another name is noticed, and can be accepted as it is', async ({ page }) => {
  const { mock } = await started()
  await open(page)
  const model = page.getByRole('list', { name: 'Checks of models' }).getByRole('listitem')
  // The worker checks by itself too, and of two checks at once one is refused.
  const check = (words: string): Promise<void> =>
    expect(async () => {
      await page.getByRole('button', { name: 'Check now whether mock-2 changed' }).click()
      await expect(model).toContainText(words, { timeout: 15_000 })
    }).toPass({ timeout: 60_000 })
  await check('as it was')
  await expect(model).toContainText('It answers as mock-2.')

  mock.script({ model: 'mock-2-of-today', fingerprint: 'fp_7' })
  await check('changed, as good')
  await expect(model).toContainText('It answers as mock-2-of-today (fp_7)')
  const standard = page.getByRole('list', { name: /^Standard models/ }).getByRole('listitem')
  await expect(standard).toContainText('answers as mock-2-of-today')
  await expect(standard).toContainText('changed, as good')
  expect(await violations(page)).toEqual([])

  await page.getByRole('button', { name: 'Accept as the new baseline of mock-2' }).focus()
  await page.keyboard.press('Enter')
  await expect(model).toContainText('as it was')
  await expect(page.getByRole('button', { name: 'Check now whether mock-2 changed' })).toBeFocused()
  mock.script({})
})

test('without a local model that may be asked, the page says how to add Ollama', async ({ page }) => {
  await open(page)
  const enable = async (on: boolean): Promise<void> => {
    await page.getByRole('button', { name: 'Change Ollama', exact: true }).click()
    await sheet(page).getByLabel('Ask this provider').setChecked(on)
    await sheet(page).getByRole('button', { name: 'Save provider' }).click()
    await expect(sheet(page)).toHaveCount(0)
  }
  await enable(false)
  await expect(page.getByText('No model runs on our own machines.')).toBeVisible()
  await page.getByRole('button', { name: 'Add Ollama' }).click()
  await expect(sheet(page).getByLabel('Address')).toHaveValue(/:11434/)
  await page.keyboard.press('Escape')
  await enable(true)
  await expect(page.getByRole('button', { name: 'Add Ollama' })).toHaveCount(0)
})

test('a provider that moves to another host loses its key and says so', async ({ page }) => {
  const { mock } = await started()
  await open(page)
  await page.getByRole('button', { name: 'Change Ollama', exact: true }).click()
  await sheet(page).getByLabel('Address').fill('http://127.0.0.1:9/v1')
  await sheet(page).getByRole('button', { name: 'Save provider' }).click()
  await expect(page.getByText('Its host changed, so the stored key was removed.')).toBeVisible()
  const provider = page.getByRole('list', { name: 'Providers' }).getByRole('listitem')
  await expect(provider).not.toContainText('key')
  await page.getByRole('button', { name: 'Test Ollama' }).click()
  await expect(provider.getByRole('status')).toContainText('Does not work.')
  await page.getByRole('button', { name: 'Change Ollama', exact: true }).click()
  await sheet(page).getByLabel('Address').fill(mock.url)
  await sheet(page).getByRole('button', { name: 'Save provider' }).click()
  await expect(provider).toContainText(mock.url)
})

test('what makes no sense is refused in words, and what was typed stays', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Add provider' }).click()
  await sheet(page).getByRole('button', { name: 'Save provider' }).click()
  await expect(sheet(page).getByLabel('Name')).toBeFocused()
  await sheet(page).getByLabel('Name').fill('Metadata')
  await sheet(page).getByLabel('Address').fill('http://169.254.169.254/v1')
  await sheet(page).getByLabel('Runs on our own machines').check()
  await sheet(page).getByRole('button', { name: 'Save provider' }).click()
  await expect(sheet(page).getByRole('alert')).toContainText('never called')
  await sheet(page).getByLabel('Address').fill('http://10.0.0.1/v1')
  await sheet(page).getByLabel('Runs on our own machines').uncheck()
  await sheet(page).getByRole('button', { name: 'Save provider' }).click()
  await expect(sheet(page).getByRole('alert')).toContainText('unless the provider is marked as local')
  await expect(sheet(page).getByLabel('Address')).toHaveValue('http://10.0.0.1/v1')
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Change mock-2' }).click()
  await sheet(page).getByLabel('Input', { exact: true }).fill('-1')
  await sheet(page).getByLabel('Output').fill('2')
  await sheet(page).getByRole('button', { name: 'Save model' }).click()
  await expect(sheet(page).getByRole('alert')).toContainText('The price of input is negative')
})

test('models of a tier change places by the keyboard', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Add model at Ollama' }).click()
  await sheet(page).getByLabel('Name at the provider').fill('mock-1')
  await sheet(page).getByRole('button', { name: 'Save model' }).click()
  const rows = page.getByRole('list', { name: /^Standard models/ }).getByRole('listitem')
  await expect(rows).toHaveText([/^mock-2/, /^mock-1/])
  await page.getByRole('button', { name: 'Ask mock-1 earlier' }).focus()
  await page.keyboard.press('Enter')
  await expect(rows).toHaveText([/^mock-1/, /^mock-2/])
  await page.getByRole('button', { name: 'Delete mock-1' }).click()
  await expect(page.getByRole('alertdialog')).toContainText('Delete mock-1?')
  await page.getByRole('button', { name: 'Delete model' }).click()
  await expect(rows).toHaveText([/^mock-2/])
})

test('rules are refused in words, and saved once when two save', async ({ page, context }) => {
  await open(page)
  const rules = (one: Page) => one.getByRole('form', { name: 'Rules' })
  const limit = (one: Page) => rules(one).getByLabel('Text of a person a minute')
  await limit(page).fill('-2')
  await rules(page).getByRole('button', { name: 'Save rules' }).click()
  await expect(rules(page).getByRole('alert')).toContainText('The tokens of a person a minute must not be negative.')
  await limit(page).fill('2,5')
  await rules(page).getByRole('button', { name: 'Save rules' }).click()
  await expect(limit(page)).toBeFocused()
  await expect(rules(page).getByRole('alert')).toContainText('with a point')

  const other = await context.newPage()
  await open(other)
  await limit(page).fill('250000')
  await rules(page).getByRole('button', { name: 'Save rules' }).click()
  await expect(page.getByText('The rules were saved')).toBeVisible()
  await limit(other).fill('90000')
  await rules(other).getByRole('button', { name: 'Save rules' }).click()
  await expect(rules(other).getByRole('alert')).toContainText('Somebody changed this in the meantime')
  await rules(other).getByRole('button', { name: 'Load the newer rules' }).click()
  await expect(limit(other)).toHaveValue('250000')
})

test('every rule that is saved is there again', async ({ page }) => {
  await open(page)
  const rules = page.getByRole('form', { name: 'Rules' })
  const typed = {
    'Our own machines should take': '65',
    'Check each model every': '12',
    'Worse from a fall of': '10',
  }
  for (const [label, value] of Object.entries(typed)) await rules.getByLabel(label).fill(value)
  await rules.getByLabel('When a model is worse').selectOption('say so, and ask it last')
  await rules.getByLabel('Describe new and changed documents').check()
  await rules.getByLabel('Use the provider’s batch interface').check()
  await rules.getByRole('button', { name: 'Save rules' }).click()
  await expect(page.getByText('The rules were saved')).toBeVisible()
  await open(page)
  for (const [label, value] of Object.entries(typed)) await expect(rules.getByLabel(label)).toHaveValue(value)
  await expect(rules.getByLabel('When a model is worse')).toHaveValue('fall-back')
  await expect(rules.getByLabel('Describe new and changed documents')).toBeChecked()
  await expect(rules.getByLabel('Use the provider’s batch interface')).toBeChecked()
  await expect(page.getByLabel('Local share against its target')).toContainText('the target of 65 %')
  // What an earlier test set is still what it was.
  await expect(rules.getByLabel('Text of a person a minute')).toHaveValue('250000')
  await rules.getByLabel('Describe new and changed documents').uncheck()
  await rules.getByRole('button', { name: 'Save rules' }).click()
  await expect(page.getByText('The rules were saved').first()).toBeVisible()
})

test('has no fault that axe can see, light and dark', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Test Ollama' }).click()
  await expect(page.getByText('Works.')).toBeVisible()
  expect(await violationsInBothLooks(page)).toEqual([])
  await page.getByRole('button', { name: 'Change Ollama', exact: true }).click()
  await expect(sheet(page).getByLabel('Address')).toBeVisible()
  expect(await violationsInBothLooks(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Change mock-2' }).click()
  await expect(sheet(page).getByLabel('Tier')).toBeVisible()
  expect(await violationsInBothLooks(page)).toEqual([])
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  test('nothing is wider than the screen', async ({ page }) => {
    await open(page)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    const list = page.getByRole('form', { name: 'Rules' })
    expect(await list.evaluate((form) => form.scrollWidth - form.clientWidth)).toBeLessThanOrEqual(0)
    await page.getByRole('button', { name: 'Add provider' }).tap()
    await expect(sheet(page).getByRole('button', { name: 'Save provider' })).toBeInViewport()
  })
})

test('deleting the provider takes its models with it', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Delete Ollama' }).click()
  await expect(page.getByRole('alertdialog')).toContainText('Delete Ollama and its model?')
  await page.getByRole('button', { name: 'Delete provider' }).click()
  await expect(page.getByRole('heading', { name: 'Answers are quoted, not written' })).toBeVisible()
})

test.describe('people who are no admins', () => {
  test.use({ role: 'member' })
  test('do not find the page', async ({ page }) => {
    const response = await page.goto('/admin/models')
    expect(response?.status()).toBe(404)
  })
})
