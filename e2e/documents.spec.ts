import type { Page } from '@playwright/test'
import { Document, HeadingLevel, Packer, Paragraph } from 'docx'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { violations } from './axe.ts'
import { ask, chipsOf, expect, test } from './test.ts'

type Upload = { name: string; mimeType: string; buffer: Buffer }

/** A name that no other test has, so that an answer can only come from this document. */
const newWord = (): string => `Zor${crypto.randomUUID().slice(0, 8).replaceAll('-', '')}`

const pdf = async (lines: readonly string[]): Promise<Buffer> => {
  const file = await PDFDocument.create()
  const font = await file.embedFont(StandardFonts.Helvetica)
  for (const line of lines) file.addPage([595, 842]).drawText(line, { x: 60, y: 740, size: 12, font })
  return Buffer.from(await file.save())
}

const docx = (title: string, text: string): Promise<Buffer> =>
  Packer.toBuffer(
    new Document({
      sections: [
        { children: [new Paragraph({ text: title, heading: HeadingLevel.HEADING_1 }), new Paragraph({ text })] },
      ],
    }),
  )

const textFile = (name: string, text: string, mimeType = 'text/plain'): Upload => ({
  name,
  mimeType,
  buffer: Buffer.from(text),
})

const upload = async (page: Page, files: readonly Upload[]): Promise<void> => {
  await page.getByLabel('Files to upload').setInputFiles([...files])
}
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
const expectReady = (page: Page, name: string) =>
  expect(rowOf(page, name).getByText('Ready', { exact: true })).toBeVisible({ timeout: 45_000 })

const formats: { extension: string; make: (word: string) => Promise<Upload> | Upload }[] = [
  {
    extension: 'pdf',
    make: async (word) => ({
      name: `${word}.pdf`,
      mimeType: 'application/pdf',
      buffer: await pdf(['This is the first page of the service plan.', `The ${word} valve opens at 37 bar.`]),
    }),
  },
  {
    extension: 'docx',
    make: async (word) => ({
      name: `${word}.docx`,
      mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      buffer: await docx('Valves', `The ${word} valve opens at 37 bar.`),
    }),
  },
  {
    extension: 'md',
    make: (word) => textFile(`${word}.md`, `# Valves\n\nThe ${word} valve opens at 37 bar.\n`, 'text/markdown'),
  },
  {
    extension: 'html',
    make: (word) =>
      textFile(
        `${word}.html`,
        `<!doctype html><title>Valves</title><h1>Valves</h1><p>The ${word} valve opens at 37 bar.</p>`,
        'text/html',
      ),
  },
  { extension: 'txt', make: (word) => textFile(`${word}.txt`, `Valves\n\nThe ${word} valve opens at 37 bar.\n`) },
  {
    extension: 'csv',
    make: (word) => textFile(`${word}.csv`, `valve,opens at\n${word},37 bar\nOther valve,12 bar\n`, 'text/csv'),
  },
]

for (const { extension, make } of formats)
  test(`a ${extension} file becomes ready and its passage can be cited and opened`, async ({ page }) => {
    const word = newWord()
    await page.goto('/admin/documents')
    await upload(page, [await make(word)])
    await expectReady(page, `${word}.${extension}`)

    await page.goto('/')
    const answer = await ask(page, `At what pressure does the ${word} valve open?`)
    await expect(answer).toContainText('37 bar')
    await chipsOf(answer).first().click()
    const panel = page.getByRole('complementary', { name: /^Source: / })
    if (extension === 'pdf') {
      await expect(panel.getByRole('navigation', { name: 'Pages' })).toContainText('Page 2 of 2')
      await expect(panel.locator('[data-highlight]').first()).toBeVisible()
    } else await expect(panel.locator('mark').filter({ hasText: word }).first()).toBeVisible()
  })

test('of twenty files with three bad ones, seventeen become ready and three say why', async ({ page }) => {
  const word = newWord()
  const good = Array.from({ length: 17 }, (_, i) =>
    textFile(`${word}-${i}.txt`, `Note ${i} of ${word}: the belt is checked in week ${i}.`),
  )
  const bad = [
    textFile(`${word}-empty.txt`, ''),
    { name: `${word}-cut.pdf`, mimeType: 'application/pdf', buffer: (await pdf(['Some text'])).subarray(0, 300) },
    {
      name: `${word}-not.docx`,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from('this is no archive at all'),
    },
  ]
  await page.goto('/admin/documents')
  await upload(page, [...good, ...bad])
  await page.getByRole('searchbox', { name: 'Find documents by name' }).fill(word)
  await expect(page.getByRole('row').getByText('Ready', { exact: true })).toHaveCount(17, { timeout: 60_000 })
  for (const { name } of bad) await expect(rowOf(page, name).getByRole('button', { name: 'Retry' })).toBeVisible()
  await expect(rowOf(page, `${word}-empty.txt`)).toContainText('The file is empty')
  await page.reload()
  await expect(page.getByRole('row').getByText('Ready', { exact: true })).toHaveCount(17)
  await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(3)
})

test('the same file again is already there; a changed one is a new version', async ({ page }) => {
  const word = newWord()
  const name = `${word}.txt`
  await page.goto('/admin/documents')
  await upload(page, [textFile(name, `The ${word} pump runs at 900 turns.`)])
  await expectReady(page, name)
  await upload(page, [textFile(name, `The ${word} pump runs at 900 turns.`)])
  await expect(rowOf(page, name).getByText('Already there')).toBeVisible()
  await expect(rowOf(page, name)).toHaveCount(1)
  await upload(page, [textFile(name, `The ${word} pump runs at 450 turns.`)])
  await expect(rowOf(page, name)).toHaveCount(1)
  await page.goto('/')
  await expect(async () => {
    await page.goto('/')
    await expect(await ask(page, `How fast does the ${word} pump run?`)).toContainText('450 turns', { timeout: 1_000 })
  }).toPass({ timeout: 40_000 })
})

test('a file that is not taken is refused before it is sent, with what to do', async ({ page }) => {
  await page.goto('/admin/documents')
  await upload(page, [textFile('program.exe', 'MZ', 'application/octet-stream')])
  await expect(rowOf(page, 'program.exe')).toContainText('This type of file is not read yet')
})

test('a deleted document is found by nothing from the next question on', async ({ page }) => {
  const word = newWord()
  const name = `${word}.txt`
  await page.goto('/admin/documents')
  await upload(page, [textFile(name, `The ${word} gate closes at 19:40.`)])
  await expectReady(page, name)
  await page.goto('/')
  await expect(await ask(page, `When does the ${word} gate close?`)).toContainText('19:40')
  await expect(page).toHaveURL(/\/c\//)
  const chat = page.url()

  await page.goto('/admin/documents')
  await page.getByRole('button', { name: `Actions for ${name}` }).click()
  await page.getByRole('menuitem', { name: 'Delete document' }).click()
  await page.getByRole('button', { name: 'Delete document' }).click()
  await expect(rowOf(page, name)).toHaveCount(0)
  await page.goto('/')
  await expect(await ask(page, `When does the ${word} gate close?`)).not.toContainText('19:40')
  // The old answer stays, and says that its source is gone.
  await page.goto(chat)
  await expect(chipsOf(page.getByRole('article', { name: 'Answer' })).first()).toHaveAccessibleName(/document deleted/)
})

test('every question leaves a trace that an admin can open', async ({ page }) => {
  await page.goto('/')
  // In words of its own: a question that was asked a moment ago is not searched for again.
  const answer = await ask(page, 'In my first calendar year, how many days of leave do I get, traced?')
  await answer.getByRole('link', { name: 'View trace' }).click()
  await expect(page).toHaveURL(/\/admin\/traces\/[0-9a-f-]{36}$/)
  for (const span of ['admit', 'retrieve', 'lexical', 'vector', 'pack', 'answer', 'check'])
    await expect(page.getByText(new RegExp(`^${span}`)).first()).toBeVisible()
})

test('a tag is given, leads to its documents and is taken back', async ({ page }) => {
  const tag = newWord()
  // Wide enough for the facets beside an open document; narrower they are one sheet.
  await page.setViewportSize({ width: 1_800, height: 900 })
  await page.goto('/admin/documents')
  await page.getByRole('button', { name: 'security-policy.md', exact: true }).click()
  const tags = page.getByRole('region', { name: 'Tags' })
  await tags.getByRole('combobox', { name: 'Add a tag' }).fill(tag)
  await page.keyboard.press('Enter')
  await expect(tags.getByRole('list', { name: 'Given tags' })).toContainText(tag)

  await page.getByRole('button', { name: 'Tag', exact: true }).click()
  const choice = page.getByRole('checkbox', { name: new RegExp(`^${tag}`) })
  // Its state is the address, which changes a moment later.
  await choice.click()
  await expect(page).toHaveURL(new RegExp(`tag=${tag}`))
  await page.keyboard.press('Escape')
  await page.reload()
  await expect(page.getByRole('row')).toHaveCount(2)
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: `Remove the filter Tag: ${tag}` }).click()
  await expect(page.getByRole('row').nth(3)).toBeVisible()
  await tags.getByRole('button', { name: `Remove the tag ${tag}` }).click()
  await expect(tags.getByText(tag)).toHaveCount(0)
})

test('a document is summarised on request, with tags, and shows how far that is', async ({ page }) => {
  await page.goto('/admin/documents')
  await page
    .getByRole('link', { name: 'security-policy.md' })
    .or(page.getByRole('button', { name: 'security-policy.md' }))
    .first()
    .click()
  const summary = page.getByRole('region', { name: 'Summary' })
  await summary.getByRole('button', { name: /^Summarise/ }).click()
  await expect(summary.getByRole('list', { name: 'Suggested tags' }).getByRole('listitem').first()).toBeVisible()
  await expect(summary.getByRole('button', { name: 'Summarise again' })).toBeVisible()
  await page.reload()
  await expect(summary.getByRole('list', { name: 'Suggested tags' })).toBeVisible()
})
