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
  `The ${word} gate is painted in ${secret} once a year.`,
]
const questions = {
  vault: `How does the ${word} vault open?`,
  archive: `When is the ${word} archive aired?`,
  pump: `What is the ${word} pump oiled with?`,
  gate: `How is the ${word} gate painted?`,
}

let owner: Page
let asker: Page
let first: Page
let second: Page
/** The bytes of every response to the asker's browser, but for the line on which decisions come: that one has no end to wait for. */
const wire: Promise<string>[] = []
const leaked = async (): Promise<string[]> => (await Promise.all(wire)).filter((text) => text.includes(secret))

/** Reads the line on which decisions come to the page's chat, as it comes. Gives what has come so far. */
const readLine = async (page: Page): Promise<() => Promise<string>> => {
  await page.evaluate(
    async (path) => {
      const heard = window as unknown as { heard: string }
      heard.heard = ''
      const { ok, body } = await fetch(path, { headers: { accept: 'text/event-stream' } })
      if (!ok || !body) throw new Error('There is no line of decisions.')
      const reader = body.pipeThrough(new TextDecoderStream()).getReader()
      const read = async (): Promise<void> => {
        const { done, value } = await reader.read()
        if (done) return
        heard.heard += value
        return read()
      }
      void read()
    },
    `/api/chat/${new URL(page.url()).pathname.split('/').at(-1)}/decisions`,
  )
  return () => page.evaluate(() => (window as unknown as { heard: string }).heard)
}

const sheet = (page: Page) => page.getByRole('dialog')
const held = (page: Page) => page.getByText('A person checks this answer before it is shown')
const rowOf = (page: Page, question: string) => page.getByRole('row').filter({ hasText: question })
const open = async (page: Page, question: string): Promise<void> => {
  await page.goto('/review')
  await rowOf(page, question).getByRole('link').first().click()
  await expect(page.getByRole('heading', { name: question })).toBeVisible()
}
const mine = (page: Page) => expect(page.getByText(/^yours for/)).toBeVisible()

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
  await expect(rowOf(owner, `${word}.txt`)).toBeVisible()

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

  const people = []
  for (const [name, role] of [
    ['Anna', 'Member'],
    ['Rita', 'Reviewer'],
    ['Rolf', 'Reviewer'],
  ] as const) {
    const link = await invite(owner, `${word.toLowerCase()}-${name.toLowerCase()}@review.test`, role)
    const one = await stranger(browser, baseURL)
    people.push(join(one, link, `${name} ${word}`).then(() => one))
  }
  await owner.goto('/admin/documents')
  await expect(rowOf(owner, `${word}.txt`).getByText('Ready', { exact: true })).toBeVisible({ timeout: 60_000 })
  ;[asker, first, second] = (await Promise.all(people)) as [Page, Page, Page]
  asker.on('response', (response) => {
    if (!response.url().endsWith('/decisions')) wire.push(response.text().catch(() => ''))
  })
})

test.afterAll(() => Promise.all([owner, asker, first, second].map((page) => page?.context().close())))

test('nothing of a held answer is on the wire before a reviewer approves it, and then it comes by itself', async () => {
  test.slow()
  const answer = await ask(asker, questions.vault)
  await expect(held(answer.page())).toBeVisible()
  await expect(answer).toContainText('You can go on asking')
  expect(await violationsInBothLooks(asker)).toEqual([])
  // Nor in what the asker may look up beside the chat.
  await asker.reload()
  await expect(held(asker)).toBeVisible()
  const why = await asker.request.get(`/api/chats?q=${secret}`)
  expect(await why.text()).not.toContain(secret)
  const line = await readLine(asker)

  await open(first, questions.vault)
  await expect(first.getByText(secret).first()).toBeVisible()
  await mine(first)
  await open(second, questions.vault)
  await expect(second.getByText(`Rita ${word}`).first()).toBeVisible()
  expect(await leaked()).toEqual([])

  await first.keyboard.press('a')
  await expect(first.getByText('Take back')).toBeVisible()
  await first.keyboard.press('u')
  await expect(first.getByRole('heading', { name: questions.vault })).toBeVisible()
  await mine(first)
  expect(await leaked()).toEqual([])
  expect(await line()).not.toContain(secret)
  await first.keyboard.press('a')
  await expect(first.getByText('Take back')).toBeVisible()
  await expect(asker.getByText('Checked by a person')).toBeVisible({ timeout: 15_000 })
  await expect(asker.getByRole('article', { name: 'Answer' }).last()).toContainText(secret)
  await expect.poll(line).toContain(secret)
})

test('what was approved is kept by one key each, and stands among the corrections', async () => {
  await first.getByRole('link', { name: 'Open it' }).click()
  await expect(first.getByText(`Rita ${word} approved it`)).toBeVisible()
  for (const [key, words] of [
    ['g', 'Saved as golden case'],
    ['s', 'Saved as checked answer'],
  ] as const) {
    await first.keyboard.press(key)
    await expect(first.getByText(words)).toBeVisible()
  }
  await first.keyboard.press('d')
  await first.getByLabel('What is wrong with it').fill(`The ${word} lever has been moved`)
  await first.keyboard.press('Control+Enter')
  await expect(first.getByText('Note left')).toBeVisible()

  await first.getByRole('link', { name: 'Show corrections' }).click()
  for (const [list, words] of [
    ['Checked answers', questions.vault],
    ['Golden cases', questions.vault],
    ['Notes on documents', `The ${word} lever has been moved`],
  ] as const)
    await expect(first.getByRole('list', { name: list }).getByRole('listitem').filter({ hasText: words })).toBeVisible()

  // Who asks it again need not wait for anybody.
  await asker.goto('/')
  await expect(await ask(asker, questions.vault)).toContainText('Checked by a person on')
})

test('of two who decide at once one wins, and the other is told who and when', async () => {
  await asker.goto('/')
  await ask(asker, questions.archive)
  await expect(held(asker)).toBeVisible()
  const queue = (await (await first.request.get('/api/review')).json()) as {
    rows: { id: string; question: string; contentHash: string }[]
  }
  const row = queue.rows.find(({ question }) => question === questions.archive)
  const decide = (page: Page) =>
    page.request.post(`/api/review/${row?.id}/decision`, {
      data: {
        contentHash: row?.contentHash,
        decisionId: crypto.randomUUID(),
        decision: { act: 'reject', reason: 'wrong' },
      },
      headers: { origin: new URL(page.url()).origin },
    })
  const [ritas, rolfs] = await Promise.all([decide(first), decide(second)])
  expect([ritas.status(), rolfs.status()].sort()).toEqual([200, 409])
  const [winner, loser, refused] =
    ritas.status() === 200 ? [`Rita ${word}`, second, rolfs] : [`Rolf ${word}`, first, ritas]
  expect(await refused.text()).toMatch(new RegExp(`${winner} rejected this at \\d`))
  await loser.goto(`/review/${row?.id}`)
  await expect(loser.getByText(`${winner} rejected it`)).toContainText(/now|min/)
  await expect(asker.getByText('Not shown: a person checked it')).toBeVisible()
  await expect(asker.getByRole('article', { name: 'Answer' }).last()).not.toContainText(secret)
})

test('a correction is checked as it is typed, and reaches the asker as one', async () => {
  test.slow()
  await ask(asker, questions.pump)
  await expect(held(asker)).toBeVisible()
  await open(second, questions.pump)
  await mine(second)
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

test('the keys of the queue stay on their row while rows come and go, and rows of another filter do not come late', async () => {
  await ask(asker, questions.gate)
  await second.goto('/review')
  await expect(rowOf(second, questions.gate)).toBeVisible()
  const queue = (await (await second.request.get('/api/review')).json()) as { rows: object[] }
  const rows = (...names: string[]) => ({
    ...queue,
    rows: names.map((name) => ({ ...queue.rows[0], id: name, question: name })),
    total: names.length,
  })
  // What the queue without a filter is told from now on.
  let told: object | Promise<object> = queue
  await second.route(/\/api\/review$/, async (route) => route.fulfill({ json: await told }))
  const poll = (rows: object | Promise<object>): Promise<unknown> => {
    told = rows
    return second.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  }
  const ticked = second.getByRole('row').filter({ has: second.getByRole('checkbox', { checked: true }) })
  await poll(rows('one', 'two', 'three'))
  await expect(rowOf(second, 'three')).toBeVisible()
  await second.keyboard.press('j')
  await second.keyboard.press('j')
  await poll(rows('two', 'three'))
  await expect(rowOf(second, 'one')).toHaveCount(0)
  await second.keyboard.press('s')
  await expect(ticked).toHaveCount(1)
  await expect(ticked).toContainText('two')
  // The row that the keys were on has gone: the one after it has its place, and nothing is ticked unseen.
  await poll(rows('three'))
  await expect(rowOf(second, 'two')).toHaveCount(0)
  await second.keyboard.press('s')
  await expect(ticked).toHaveCount(0)
  await second.keyboard.press('j')
  await expect(rowOf(second, 'three').getByRole('link')).toBeFocused()

  const slow = Promise.withResolvers<object>()
  await poll(slow.promise)
  await second.getByLabel('How it came').selectOption({ value: 'sampled' })
  await expect(second.getByText('No answer is like that')).toBeVisible()
  const late = second.waitForResponse(/\/api\/review$/)
  slow.resolve(rows('one', 'two'))
  await late
  await expect(second.getByText('No answer is like that')).toBeVisible()
  await second.unrouteAll()
})

test('the desk and the queue have no fault that axe can see, and a decision can be taken on a phone', async () => {
  test.slow()
  for (const address of ['/review/figures', '/review/labels', '/review/corrections', '/review/calibration']) {
    await second.goto(address)
    await expect(second.getByRole('heading', { level: 1 }).first()).toBeVisible()
    expect(await violationsInBothLooks(second), address).toEqual([])
  }
  for (const size of [
    { width: 1280, height: 860 },
    { width: 360, height: 800 },
  ]) {
    await second.setViewportSize(size)
    await second.goto('/review')
    await expect(rowOf(second, questions.gate)).toBeVisible()
    expect(await violationsInBothLooks(second), `the queue, ${size.width}`).toEqual([])
    await open(second, questions.gate)
    await mine(second)
    expect(await violationsInBothLooks(second), `the desk, ${size.width}`).toEqual([])
    const wide = await second.evaluate(() => document.documentElement.scrollWidth)
    expect(wide).toBeLessThanOrEqual(size.width)
  }
  await second.getByRole('button', { name: /^Approve/ }).click()
  // Whoever leaves has decided: it does not wait for the time in which it can be taken back.
  await second.goto('/review')
  await expect(asker.getByRole('article', { name: 'Answer' }).last()).toContainText(`painted in ${secret}`)
})
