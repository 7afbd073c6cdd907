import type { RecordedRequest, Script } from './mock-provider.ts'
import { ask, chipsOf, expect, mockUrl, summariseConversation, summaryOf, test } from './test.ts'

// The provider's script, and the list of what it was asked, are one for all: whatever asks it is a test of this file, and they follow each other.
test.describe.configure({ mode: 'serial' })
test.use({ role: 'member', answers: 'provider' })

const question = 'How many days of leave do I get in my first calendar year?'
/** The provider's sentence does not follow from what this finds, so that such an answer is never kept and given again. */
const another = 'What is the hotel limit per night in Portugal?'
const sentence = 'You earn 2.5 working days of leave for each full month worked [1]. '
const stopsAt = 400

const script = async (next: Script): Promise<void> => {
  await fetch(`${mockUrl()}/__requests`, { method: 'DELETE' })
  await fetch(`${mockUrl()}/__script`, { method: 'POST', body: JSON.stringify(next) })
}
const requests = async (): Promise<RecordedRequest[]> =>
  (await (await fetch(`${mockUrl()}/__requests`)).json()) as RecordedRequest[]

const slowly = (): Promise<void> => script({ text: sentence.repeat(stopsAt), tokenDelayMs: 20 })

test.afterEach(() => script({}))

test('answers with the words of the provider and cites the passages', async ({ page }) => {
  await script({ text: sentence })
  await page.goto('/')
  const answer = await ask(page, question)
  await expect(answer).toContainText('You earn 2.5 working days of leave')
  await expect(chipsOf(answer)).toHaveCount(1)
  await expect(answer).toContainText('AI-made answer')
})

test('Escape stops the answer, keeps what was written and ends the call to the provider', async ({ page }) => {
  await slowly()
  await page.goto('/')
  await page.getByRole('textbox', { name: 'Your question' }).fill(another)
  await page.keyboard.press('Enter')
  const answer = page.getByRole('article', { name: 'Answer' })
  await expect(answer).toContainText('You earn 2.5 working days')
  await page.keyboard.press('Escape')
  await expect(answer).toHaveAttribute('aria-busy', 'false')
  await expect(answer).toContainText('Stopped. What was written until then is kept.')
  await expect.poll(async () => (await requests()).map(({ aborted }) => aborted)).toEqual([true])
  await page.reload()
  await expect(answer).toContainText('You earn 2.5 working days')
  await expect(answer).toContainText('Stopped.')
})

test('a reload and a second tab take up the answer that is being written', async ({ page, context }) => {
  await slowly()
  await page.goto('/')
  await page.getByRole('textbox', { name: 'Your question' }).fill(another)
  await page.keyboard.press('Enter')
  const answer = page.getByRole('article', { name: 'Answer' })
  await expect(answer).toContainText('You earn 2.5 working days')
  await expect(page).toHaveURL(/\/c\//)

  await page.reload()
  await expect(answer).toHaveAttribute('aria-busy', 'true')
  await expect(answer).toContainText('You earn 2.5 working days')
  const tab = await context.newPage()
  await tab.goto(page.url())
  const other = tab.getByRole('article', { name: 'Answer' })
  await expect(other).toHaveAttribute('aria-busy', 'true')
  await expect(other).toContainText('You earn 2.5 working days')
  // One question is one call, however many look on.
  expect(await requests()).toHaveLength(1)

  await tab.getByRole('button', { name: 'Stop the answer' }).click()
  for (const one of [answer, other]) {
    await expect(one).toHaveAttribute('aria-busy', 'false')
    await expect(one).toContainText('Stopped.')
  }
})

test('leaving the page does not end the answer', async ({ page }) => {
  await script({ text: sentence.repeat(20), tokenDelayMs: 15 })
  await page.goto('/')
  await page.getByRole('textbox', { name: 'Your question' }).fill(another)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/c\//)
  const address = page.url()
  await page.goto('about:blank')
  await expect.poll(async () => (await requests())[0]?.finished, { timeout: 30_000 }).toBe(true)
  await page.goto(address)
  const answer = page.getByRole('article', { name: 'Answer' })
  await expect(answer).toHaveAttribute('aria-busy', 'false')
  expect((await answer.textContent())?.match(/You earn 2\.5/g)).toHaveLength(20)
})

test('the same question again is answered from before, and afresh when that is wanted', async ({ page }) => {
  await script({ text: sentence })
  await page.goto('/')
  const first = await ask(page, question)
  await expect(first).toContainText('You earn 2.5 working days of leave')
  await page.goto('/')
  const answer = await ask(page, question)
  await expect(answer).toContainText('Answered before, checked just now')
  await expect(chipsOf(answer)).toHaveCount(1)
  const before = (await requests()).length
  await page.getByRole('button', { name: 'Ask afresh' }).click()
  await expect(answer).not.toContainText('Answered before')
  await expect(answer).toContainText('You earn 2.5 working days of leave')
  expect((await requests()).length).toBe(before + 1)
})

test('when no model answers the documents still do, and a banner says so', async ({ page }) => {
  await script({ status: 500 })
  await page.goto('/')
  const answer = await ask(page, another)
  await expect(answer).toContainText('No language model answers right now')
  await expect(answer).toContainText('125 euros')
  await expect(chipsOf(answer).first()).toBeVisible()
  await script({ text: sentence })
  await page.getByRole('button', { name: 'Ask again' }).click()
  await expect(answer).toContainText('You earn 2.5 working days')
  await expect(answer).not.toContainText('No language model answers right now')
})

test('a wrong key is told apart from a provider that is down', async ({ page }) => {
  await script({ status: 401 })
  await page.goto('/')
  await expect(await ask(page, another)).toContainText('an admin should check its key and name')
})

test('asks no model when the documents hold nothing', async ({ page }) => {
  await script({})
  await page.goto('/')
  const answer = await ask(page, 'Who painted the ceiling of the Sistine Chapel?')
  await expect(answer).toContainText("I couldn't find an answer to this")
  expect(await requests()).toEqual([])
})

test('a summary shows that it is being made, goes on when it is closed, and is found after a reload', async ({
  page,
}) => {
  // The provider reads this in whatever it is sent: the answer is slow, and so is the summary.
  await page.goto('/')
  await ask(page, `${question} [[mock: {"firstDelayMs": 6000}]]`)
  await summariseConversation(page)
  const panel = summaryOf(page, 'conversation')
  await expect(panel).toContainText('Summarising')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /show the summary/ }).click()
  await expect(panel).toContainText('It goes on when you close this')
  await page.reload()
  await expect(panel).toBeVisible()
  await expect(panel).toContainText('AI-made summary', { timeout: 30_000 })
  await page.keyboard.press('Escape')
  await summariseConversation(page)
  await expect(panel).toContainText('from before')
})
