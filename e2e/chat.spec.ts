import { ask, chipsOf, expect, test } from './test.ts'

const leave = 'How many days of leave do I get in my first calendar year?'
const beltSlip = 'What does error E13 on the H-40 mean?'

test.use({ role: 'member' })

test('suggests questions that the documents really answer', async ({ page }) => {
  await page.goto('/')
  const suggestions = page.locator('#main ul button')
  await expect(suggestions).toHaveCount(4)
  for (const question of await suggestions.allInnerTexts()) {
    await page.goto('/')
    await page.getByRole('button', { name: question, exact: true }).click()
    const answer = page.getByRole('article', { name: 'Answer' })
    await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: 30_000 })
    await expect(chipsOf(answer).first()).toBeVisible()
    await expect(answer).not.toContainText("couldn't find an answer")
  }
})

test('what is typed before the page can listen is there when it can', async ({ page }) => {
  const loading = Promise.withResolvers<void>()
  await page.route('**/_next/static/**/*.js', async (route) => {
    await loading.promise
    await route.continue()
  })
  await page.goto('/', { waitUntil: 'commit' })
  const box = page.getByRole('textbox', { name: 'Your question' })
  await box.fill(leave)
  loading.resolve()
  await expect(page.getByRole('button', { name: 'Send' })).toBeEnabled()
  await expect(box).toHaveValue(leave)
  await box.press('Enter')
  await expect(page.getByRole('article', { name: 'Answer' })).toHaveAttribute('aria-busy', 'false', { timeout: 30_000 })
})

test('answers with citations that open the passage in its text, and shows the same after a reload', async ({
  page,
}) => {
  await page.goto('/')
  const answer = await ask(page, leave)
  await expect(answer).toContainText('2.5 working days')
  await expect(page).toHaveURL(/\/c\/[0-9a-f-]{36}$/)
  const before = await answer.textContent()

  await chipsOf(answer).first().click()
  const panel = page.getByRole('complementary', { name: /^Source: / })
  await expect(panel).toBeVisible()
  await expect(panel.locator('mark').first()).toContainText('2.5 working days of leave')
  await expect(panel.locator('mark').first()).toBeInViewport()
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()
  await expect(chipsOf(answer).first()).toBeFocused()

  await page.reload()
  const again = page.getByRole('article', { name: 'Answer' })
  await expect(again).toHaveAttribute('aria-busy', 'false')
  expect(await again.textContent()).toBe(before)
  await chipsOf(again).first().click()
  await expect(panel.locator('mark').first()).toContainText('2.5 working days of leave')
})

test('opens a PDF at the cited page with the passage marked on it', async ({ page }) => {
  await page.goto('/')
  const answer = await ask(page, beltSlip)
  await chipsOf(answer).first().click()
  const panel = page.getByRole('complementary', { name: /^Source: / })
  await expect(panel.locator('canvas')).toBeVisible()
  await expect(panel.getByRole('navigation', { name: 'Pages' })).toContainText(/Page \d+ of \d+/)
  const mark = panel.locator('[data-highlight]').first()
  await expect(mark).toBeVisible()
  await expect(mark).toBeInViewport()
})

test('hovering a citation shows the passage without opening it', async ({ page }) => {
  await page.goto('/')
  const answer = await ask(page, leave)
  await chipsOf(answer).first().hover()
  await expect(page.locator('[data-radix-popper-content-wrapper] mark')).toContainText('2.5 working days')
})

test('says so when the documents do not answer, and asks no model', async ({ page }) => {
  await page.goto('/')
  const answer = await ask(page, 'Who painted the ceiling of the Sistine Chapel?')
  await expect(answer).toContainText("I couldn't find an answer to this in the documents you can see.")
  await expect(chipsOf(answer)).toHaveCount(0)
})

test('a follow-up uses the conversation', async ({ page }) => {
  await page.goto('/')
  await ask(page, leave)
  const answer = await ask(page, 'And until when can it be carried over?')
  await expect(answer).toContainText('31 March')
})

test('asks again, and the new answer takes the place of the old one', async ({ page }) => {
  await page.goto('/')
  await ask(page, leave)
  await page.getByRole('button', { name: 'Ask again' }).click()
  const answer = page.getByRole('article', { name: 'Answer' })
  await expect(answer).toHaveCount(1)
  await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: 30_000 })
  await expect(answer).toContainText('2.5 working days')
  await page.reload()
  await expect(page.getByRole('article', { name: 'Answer' })).toHaveCount(1)
})

test('copies an answer with its sources', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/')
  const answer = await ask(page, leave)
  await answer.getByRole('button', { name: 'Copy' }).click()
  await expect(answer.getByRole('button', { name: 'Copied' })).toBeVisible()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toContain('2.5 working days')
  expect(copied).toContain('[1]')
  expect(copied).toMatch(/handbook/i)
  expect(copied).not.toContain('[^')
})

test('renames, finds and deletes a conversation', async ({ page }) => {
  const name = `Leave ${crypto.randomUUID().slice(0, 8)}`
  await page.goto('/')
  await ask(page, leave)
  const address = page.url()
  const rail = page.getByRole('navigation', { name: 'Conversations' })
  const current = rail.locator('li', { has: page.locator('[aria-current="page"]') })
  await current.hover()
  await current.getByRole('button', { name: /^Rename or delete/ }).click()
  await page.getByRole('menuitem', { name: 'Rename' }).click()
  await page.getByRole('textbox', { name: 'Name of the conversation' }).fill(name)
  await page.keyboard.press('Enter')
  await expect(rail.getByRole('link', { name })).toBeVisible()
  await page.reload()
  await expect(rail.getByRole('link', { name })).toBeVisible()

  await page.getByRole('searchbox', { name: 'Search in conversations' }).fill(name)
  await expect(rail.getByRole('link')).toHaveCount(1)
  const row = rail.locator('li', { hasText: name })
  await row.hover()
  await row.getByRole('button', { name: /^Rename or delete/ }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.getByRole('button', { name: 'Delete conversation' }).click()
  await expect(rail.getByRole('link', { name })).toBeHidden()
  await page.goto(address)
  await expect(page.getByText('There is nothing here that you can open')).toBeVisible()
})

test('does not send a question of 100,000 characters, says why, and keeps it', async ({ page, baseURL }) => {
  await page.goto('/')
  const field = page.getByRole('textbox', { name: 'Your question' })
  const text = 'word '.repeat(20_000)
  await field.fill(text)
  await expect(page.getByRole('alert').filter({ hasText: '8,000 characters' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Send the question' })).toBeDisabled()
  await expect(field).toHaveValue(text)
  // The server refuses it as well, in words.
  const response = await page.request.post('/api/chat', {
    headers: { origin: baseURL ?? '' },
    data: { chatId: crypto.randomUUID(), messageId: crypto.randomUUID(), text },
  })
  expect(response.status()).toBe(413)
  expect(((await response.json()) as { error: { message: string } }).error.message).toContain('too long')
})

test('searches only in the collections that were chosen', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: /^Search in: / }).click()
  await page.getByRole('checkbox', { name: /Policies/ }).check()
  await page.keyboard.press('Escape')
  const answer = await ask(page, leave)
  await expect(answer.getByRole('button', { name: /handbook/i })).toHaveCount(0)
})

test('searches only in documents of the type that was chosen, says so, and offers the way out', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: /^Search in: / }).click()
  await page.getByRole('checkbox', { name: /^PDF/ }).check()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Search in: PDF' })).toBeVisible()
  const answer = await ask(page, 'Who painted the ceiling of the Sistine Chapel?')
  await expect(answer).toContainText('that the search was narrowed to')
  await page.getByRole('button', { name: 'Ask again in all documents' }).click()
  await expect(page.getByRole('button', { name: 'Search in: All documents' })).toBeVisible()
  await expect(page.getByRole('article', { name: 'Answer' })).toContainText('in the documents you can see')
})

test('a greeting and a question about itself are answered at once, and a question is still looked up', async ({
  page,
}) => {
  await page.goto('/')
  const greeting = await ask(page, 'Hello there')
  await expect(greeting).toContainText('Answered at once')
  await expect(greeting).toContainText('You can ask about what is in')
  await expect(chipsOf(greeting)).toHaveCount(0)
  await page.goto('/')
  await expect(await ask(page, 'Are you a human or an AI?')).toContainText(
    'I am Footnote, an AI assistant and not a person',
  )
  await page.goto('/')
  await expect(chipsOf(await ask(page, leave)).first()).toBeVisible()
})
