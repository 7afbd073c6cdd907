import type { Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { invite, join, stranger } from './people.ts'
import { expect, test } from './test.ts'

/** A name that no other test has. */
const newWord = (): string => `Shelf${crypto.randomUUID().slice(0, 8)}`
const sheet = (page: Page) => page.getByRole('dialog')
const question = (page: Page) => page.getByRole('alertdialog')
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
const nothingHere = (page: Page) => page.getByRole('heading', { name: 'There is nothing here that you can open' })

/** Makes a collection that only its maker reads. */
const makeCollection = async (page: Page, name: string): Promise<void> => {
  await page.goto('/admin/access')
  await page.getByRole('button', { name: 'Make collection' }).click()
  await sheet(page).getByLabel('Name', { exact: true }).fill(name)
  await sheet(page).getByLabel('Who reads it').selectOption({ label: 'Only me, until I give access' })
  await sheet(page).getByRole('button', { name: 'Make collection' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
}

const collectionOf = (page: Page, name: string) =>
  page
    .getByRole('list', { name: 'Collections' })
    .getByRole('listitem')
    .filter({ has: page.getByRole('heading', { name }) })

const giveAccess = async (
  page: Page,
  name: string,
  { email, level }: { email: string; level: string },
): Promise<void> => {
  await collectionOf(page, name).getByRole('button', { name: 'Give access' }).click()
  await sheet(page).getByLabel('Name or address').fill(email)
  await sheet(page)
    .getByRole('radio', { name: new RegExp(email) })
    .check()
  await sheet(page).getByLabel('What they may do').selectOption({ label: level })
  await sheet(page).getByRole('button', { name: 'Give access' }).click()
  await expect(sheet(page)).toBeHidden()
}

const upload = (page: Page, name: string, text: string): Promise<void> =>
  page.getByLabel('Files to upload').setInputFiles([{ name, mimeType: 'text/plain', buffer: Buffer.from(text) }])

test('who is given a collection looks after it and sees no other, until it is taken away', async ({
  page,
  browser,
  baseURL,
}) => {
  // Two people, one after the other, through everything.
  test.slow()
  const [own, other] = [newWord(), newWord()]
  const person = `Zoe${crypto.randomUUID().slice(0, 8)}`
  const email = `${person.toLowerCase()}@people.test`
  const theirs = await stranger(browser, baseURL)
  await join(theirs, await invite(page, email, 'Member'), person)
  await theirs.goto('/admin/documents')
  await expect(nothingHere(theirs)).toBeVisible()

  await makeCollection(page, other)
  await makeCollection(page, own)
  await giveAccess(page, own, { email, level: 'may read and add' })

  await test.step('the place stands in the rail, alone, and offers that collection and no other', async () => {
    await theirs.goto('/')
    await theirs.getByRole('link', { name: 'Documents' }).click()
    await expect(theirs.getByRole('heading', { name: 'Documents', exact: true })).toBeVisible()
    await expect(theirs.getByRole('navigation', { name: 'Administration' }).getByRole('link')).toHaveText(['Documents'])
    await expect(theirs.getByLabel('Into').locator('option')).toHaveText([own])
    await expect(theirs.getByText('No documents yet')).toBeVisible()
    await theirs.goto('/admin/retrieval')
    await expect(nothingHere(theirs)).toBeVisible()
  })

  const name = `${own}.txt`
  await test.step('they upload, tag, and delete nothing', async () => {
    await theirs.goto('/admin/documents')
    await upload(theirs, name, `The ${own} valve opens at 37 bar.`)
    await expect(rowOf(theirs, name).getByText('Ready', { exact: true })).toBeVisible({ timeout: 45_000 })
    await expect(theirs.getByRole('row')).toHaveCount(2)
    await theirs.getByRole('button', { name: `Actions for ${name}` }).click()
    await expect(theirs.getByRole('menuitem')).toHaveText(['Open details'])
    await theirs.getByRole('menuitem', { name: 'Open details' }).click()
    const detail = theirs.getByRole('complementary', { name: 'Document' }).or(sheet(theirs))
    await detail.getByLabel('Add a tag').fill('valves')
    await detail.getByLabel('Add a tag').press('Enter')
    await expect(detail.getByRole('button', { name: 'Remove the tag valves' })).toBeVisible()
    for (const hidden of ['Delete document', 'Summarise and suggest tags'])
      await expect(detail.getByRole('button', { name: hidden })).toHaveCount(0)
    expect(await violationsInBothLooks(theirs)).toEqual([])
  })

  await test.step('who manages may delete the collection too, and is told what goes', async () => {
    await page.goto('/admin/access')
    await collectionOf(page, own)
      .getByLabel(`What ${person} may do in ${own}`)
      .selectOption({ label: 'may read, add, delete and give access' })
    await expect(page.getByText('was changed')).toBeVisible()
    await theirs.goto('/admin/documents')
    await theirs.getByRole('button', { name: 'Collections' }).click()
    await sheet(theirs)
      .getByRole('button', { name: `Delete the collection ${own}` })
      .click()
    await expect(question(theirs)).toContainText('1 document goes with it')
    await question(theirs).getByRole('button', { name: 'Cancel' }).click()
    await expect(rowOf(theirs, name)).toBeVisible()
  })

  await test.step('without the grant the next thing says so, and the page is not there', async () => {
    await collectionOf(page, own)
      .getByRole('button', { name: `Take away from ${person}` })
      .click()
    await question(page).getByRole('button', { name: 'Take away' }).click()
    await expect(page.getByText('no longer has access')).toBeVisible()
    await upload(theirs, `late-${name}`, 'Too late.')
    await expect(rowOf(theirs, `late-${name}`)).toContainText('You may not add to that collection any more')
    await theirs.reload()
    await expect(nothingHere(theirs)).toBeVisible()
  })

  await test.step('an admin deletes what is left, after seeing what goes', async () => {
    for (const [gone, words] of [
      [own, '1 document goes with it'],
      [other, 'It holds no document'],
    ] as const) {
      await collectionOf(page, gone).getByRole('button', { name: 'Delete the collection' }).click()
      await expect(question(page)).toContainText(words)
      await question(page)
        .getByRole('button', { name: /^Delete/ })
        .click()
      await expect(page.getByRole('heading', { name: gone })).toHaveCount(0)
    }
  })
  await theirs.context().close()
})
