import { join as path } from 'node:path'
import type { Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { invite, join, stranger } from './people.ts'
import { ask, expect, serverOf, test } from './test.ts'

// One workspace of its own, so that what its policy holds holds up nobody else; its people are at browsers of their own.
test.describe.configure({ mode: 'serial' })

const word = `Zor${crypto.randomUUID().slice(0, 8).replaceAll('-', '')}`
const secret = 'heliotrope'
const sentences = [
  `The ${word} vault opens with the ${secret} lever.`,
  `The ${word} archive is aired on the ${secret} day.`,
  `The ${word} pump is oiled with ${secret} wax.`,
] as const
const questions = [
  `How does the ${word} vault open?`,
  `When is the ${word} archive aired?`,
  `What is the ${word} pump oiled with?`,
]

let owner: Page
let asker: Page
let first: Page
let second: Page
/** The bytes of every response to the asker's browser. The line on which decisions come stays open, and ends with the first. */
const wire: Promise<string>[] = []

/** What has come of a line that is still open is nothing yet. */
const later = Promise.resolve('')
const leaked = async (): Promise<string[]> => (await Promise.all(wire)).filter((text) => text.includes(secret))

const sheet = (page: Page) => page.getByRole('dialog')
const held = (page: Page) => page.getByText('A person checks this answer before it is shown')
const rowOf = (page: Page, question: string) => page.getByRole('row').filter({ hasText: question })
const open = async (page: Page, question: string): Promise<void> => {
  await page.goto('/review')
  await rowOf(page, question).getByRole('link').first().click()
  await expect(page.getByRole('heading', { name: question })).toBeVisible()
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(240_000)
  const { url: baseURL, dataDir } = serverOf('built-in')
  const admin = await (await browser.newContext({ baseURL, storageState: path(dataDir, 'owner.json') })).newPage()
  owner = await stranger(browser, baseURL)
  await join(owner, await invite(admin, `${word.toLowerCase()}-owner@review.test`, 'Owner'), `Olga ${word}`)
  await admin.context().close()
  await owner.goto('/')
  await owner.getByRole('button', { name: new RegExp(`Olga ${word}`) }).click()
  await owner.getByRole('menuitem', { name: 'New workspace…' }).click()
  await sheet(owner).getByLabel('Name').fill(`Place of ${word}`)
  await sheet(owner).getByRole('button', { name: 'Make workspace' }).click()
  await expect(sheet(owner)).toBeHidden()

  await owner.goto('/admin/documents')
  await owner
    .getByLabel('Files to upload')
    .setInputFiles({ name: `${word}.txt`, mimeType: 'text/plain', buffer: Buffer.from(sentences.join('\n\n')) })
  await expect(rowOf(owner, `${word}.txt`).getByText('Ready', { exact: true })).toBeVisible({ timeout: 60_000 })

  await owner.goto('/admin/policy')
  await owner.getByRole('button', { name: /^(Change policy|Edit draft)$/ }).click()
  const form = owner.getByRole('form', { name: 'Draft of the policy' })
  await form.getByRole('button', { name: 'Add review rule' }).click()
  await form.getByLabel('Name of the review rule').fill('Everything')
  await form.getByLabel('An answer that meets it').selectOption({ value: 'hold' })
  await form.getByLabel('Why this change').fill('Everything is looked at first')
  await form.getByRole('button', { name: 'Save draft' }).click()
  await expect(form).toBeHidden()
  await owner.getByRole('button', { name: 'Apply', exact: true }).click()
  await expect(owner.getByRole('listitem').filter({ hasText: 'Everything' }).first()).toBeVisible()

  const people: Page[] = []
  for (const [name, role] of [
    ['Anna', 'Member'],
    ['Rita', 'Reviewer'],
    ['Rolf', 'Reviewer'],
  ] as const) {
    const one = await stranger(browser, baseURL)
    await join(
      one,
      await invite(owner, `${word.toLowerCase()}-${name.toLowerCase()}@review.test`, role),
      `${name} ${word}`,
    )
    people.push(one)
  }
  ;[asker, first, second] = people as [Page, Page, Page]
  asker.on('response', (response) => {
    const text = response.text().catch(() => '')
    wire.push(response.url().endsWith('/decisions') ? Promise.race([text, later]) : text)
  })
})

test.afterAll(() => Promise.all([owner, asker, first, second].map((page) => page?.context().close())))

test('nothing of a held answer is on the wire before a reviewer approves it, and then it comes by itself', async () => {
  test.slow()
  const answer = await ask(asker, questions[0] ?? '')
  await expect(held(answer.page())).toBeVisible()
  await expect(answer).toContainText('You can go on asking')
  expect(await violationsInBothLooks(asker)).toEqual([])
  // Nor in what the asker may look up beside the chat.
  await asker.reload()
  await expect(held(asker)).toBeVisible()
  const why = await asker.request.get(`/api/chats?q=${secret}`)
  expect(await why.text()).not.toContain(secret)

  await open(first, questions[0] ?? '')
  await expect(first.getByText(secret).first()).toBeVisible()
  await expect(first.getByText(/^yours for/)).toBeVisible()
  await open(second, questions[0] ?? '')
  await expect(second.getByText(`Rita ${word}`).first()).toBeVisible()
  expect(await leaked()).toEqual([])

  await first.keyboard.press('a')
  await expect(first.getByText('Take back')).toBeVisible()
  await first.keyboard.press('u')
  await expect(first.getByRole('heading', { name: questions[0] ?? '' })).toBeVisible()
  await expect(first.getByText(/^yours for/)).toBeVisible()
  expect(await leaked()).toEqual([])
  await first.keyboard.press('a')
  await expect(first.getByText('Take back')).toBeVisible()
  await expect(asker.getByText('Checked by a person')).toBeVisible({ timeout: 15_000 })
  await expect(asker.getByRole('article', { name: 'Answer' }).last()).toContainText(secret)
})

test('of two who decide at once one wins, and the other is told who and when', async () => {
  test.slow()
  await ask(asker, questions[1] ?? '')
  await expect(held(asker)).toBeVisible()
  await open(first, questions[1] ?? '')
  await expect(first.getByText(/^yours for/)).toBeVisible()
  const id = new URL(first.url()).pathname.split('/').at(-1) ?? ''
  const loaded = (await (await first.request.get(`/api/review/${id}`)).json()) as { item: { contentHash: string } }
  const decide = (page: Page) =>
    page.request.post(`/api/review/${id}/decision`, {
      data: {
        contentHash: loaded.item.contentHash,
        decisionId: crypto.randomUUID(),
        decision: { act: 'reject', reason: 'wrong' },
      },
      headers: { origin: new URL(page.url()).origin },
    })
  const [one, other] = await Promise.all([decide(first), decide(first)])
  expect([one.status(), other.status()].sort()).toEqual([200, 409])
  const refused = one.status() === 409 ? one : other
  expect(await refused.text()).toContain(`Rita ${word}`)
  const late = await decide(second)
  expect(late.status()).toBe(409)
  expect(await late.text()).toContain(`Rita ${word}`)
  await expect(asker.getByText('Not shown: a person checked it')).toBeVisible()
  await expect(asker.getByRole('article', { name: 'Answer' }).last()).not.toContainText(secret)
})

test('a correction is checked as it is typed, and reaches the asker as one', async () => {
  test.slow()
  await ask(asker, questions[2] ?? '')
  await expect(held(asker)).toBeVisible()
  await open(second, questions[2] ?? '')
  await expect(second.getByText(/^yours for/)).toBeVisible()
  // The built-in answerer may quote more than one sentence.
  const sentence = second.getByRole('listitem', { name: /^Sentence/ }).filter({ hasText: 'oiled' })
  await sentence.click()
  await second.keyboard.press('e')
  const field = second.getByRole('textbox', { name: /edited$/ })
  const before = await field.inputValue()
  await field.fill(before.replace(`${secret} wax`, `${secret} wax, and with nothing else`))
  await expect(second.getByText(/not supported|supported now|None of its words|words are in/i).first()).toBeVisible()
  await field.fill(before.replace('is oiled with', 'is only oiled with'))
  await field.press('Control+Enter')
  await expect(asker.getByText('Corrected by a person')).toBeVisible({ timeout: 15_000 })
  await expect(asker.getByRole('article', { name: 'Answer' }).last()).toContainText('only oiled with')
})

test('the desk and the queue have no fault that axe can see, and nothing is wider than a phone', async () => {
  test.slow()
  await ask(asker, questions[0] ?? '')
  for (const address of [
    '/review',
    '/review/figures',
    '/review/labels',
    '/review/corrections',
    '/review/calibration',
  ]) {
    await second.goto(address)
    await expect(second.getByRole('heading', { level: 1 }).first()).toBeVisible()
    expect(await violationsInBothLooks(second), address).toEqual([])
  }
  await open(second, questions[0] ?? '')
  expect(await violationsInBothLooks(second)).toEqual([])
  await second.setViewportSize({ width: 360, height: 800 })
  for (const address of ['/review', new URL(second.url()).pathname]) {
    await second.goto(address)
    await expect(second.getByRole('heading', { level: 1 }).first()).toBeVisible()
    const wide = await second.evaluate(() => document.documentElement.scrollWidth)
    expect(wide, address).toBeLessThanOrEqual(360)
  }
})
