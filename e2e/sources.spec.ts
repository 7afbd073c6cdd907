import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from '@playwright/test'
import { ask, chipsOf, expect, test } from './test.ts'

type Site = { url: string; pages: Map<string, string>; server: Server }

/** A web site on this machine whose sitemap lists what it has. */
const openSite = async (): Promise<Site> => {
  const pages = new Map<string, string>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path === '/sitemap.xml') {
      const list = [...pages.keys()].map((one) => `<url><loc>http://${request.headers.host}${one}</loc></url>`)
      return void response.setHeader('content-type', 'application/xml').end(`<urlset>${list.join('')}</urlset>`)
    }
    const page = pages.get(path)
    if (page === undefined) return void response.writeHead(404).end()
    response.setHeader('content-type', 'text/html').end(`<!doctype html><title>${path}</title><p>${page}</p>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, pages, server }
}

/** A name that no other test has. */
const newWord = (): string => `Qua${crypto.randomUUID().slice(0, 8)}`
const sheet = (page: Page) => page.getByRole('dialog')
const item = (page: Page, name: string) =>
  page.getByRole('list', { name: 'Sources' }).getByRole('listitem').filter({ hasText: name }).first()

const addSite = async (page: Page, name: string, url: string, local = true): Promise<void> => {
  await page.getByRole('button', { name: 'Add source' }).click()
  await sheet(page).getByLabel('Kind').selectOption('sitemap')
  await sheet(page).getByLabel('Name', { exact: true }).fill(name)
  await sheet(page).getByLabel('Address of the sitemap').fill(`${url}/sitemap.xml`)
  await sheet(page).getByLabel('Stands in our own network').setChecked(local)
  await sheet(page).getByRole('button', { name: 'Add and run' }).click()
}

test.describe('a website as a source', () => {
  let site: Site
  test.beforeEach(async () => {
    site = await openSite()
  })
  test.afterEach(() => new Promise<void>((resolve) => void site.server.close(() => resolve())))

  test('is read, answers cite it, what is gone is deleted once a person has said so, and it goes with its documents', async ({
    page,
  }) => {
    const word = newWord()
    site.pages.set('/valve', `The ${word} valve opens at 37 bar.`)
    site.pages.set('/belt', `The ${word} belt is changed every second week.`)
    await page.goto('/admin/sources')
    await addSite(page, word, site.url)
    await expect(item(page, word)).toContainText('2 documents', { timeout: 45_000 })
    await expect(item(page, word)).toContainText('2 added')

    await page.goto('/admin/documents')
    await page.getByRole('searchbox', { name: 'Find documents by name' }).fill('valve')
    await expect(page.getByRole('row').getByText('Ready', { exact: true }).first()).toBeVisible({ timeout: 45_000 })
    await page.goto('/')
    const answer = await ask(page, `At what pressure does the ${word} valve open?`)
    await expect(answer).toContainText('37 bar')
    await expect(chipsOf(answer).first()).toBeVisible()

    site.pages.clear()
    site.pages.set('/new', `The ${word} pump is new.`)
    await page.goto('/admin/sources')
    await page.getByRole('button', { name: `Run ${word} now` }).click()
    await expect(item(page, word)).toContainText('2 of 3 documents are no longer there', { timeout: 45_000 })
    await item(page, word).getByRole('button', { name: 'Delete 2 documents' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete 2 documents' }).click()
    await expect(item(page, word)).toContainText('one document', { timeout: 45_000 })

    await page.getByRole('button', { name: `Delete ${word}` }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete with one document' }).click()
    await expect(item(page, word)).toHaveCount(0, { timeout: 30_000 })
  })

  test('is refused in words when it stands in our own network and is not marked so', async ({ page }) => {
    await page.goto('/admin/sources')
    await addSite(page, newWord(), site.url, false)
    await expect(sheet(page).getByRole('alert')).toContainText(
      'unless the source is marked as standing in our own network',
    )
  })

  test('says why a page could not be read, and is paused and changed by the keyboard alone', async ({ page }) => {
    const word = newWord()
    site.pages.set('/good', `The ${word} gate is green.`)
    await page.goto('/admin/sources')
    await addSite(page, word, site.url)
    await expect(item(page, word)).toContainText('one document', { timeout: 45_000 })
    await page.getByRole('button', { name: `Pause ${word}` }).press('Enter')
    await expect(item(page, word)).toContainText('Only when asked')
    await page.getByRole('button', { name: `Change ${word}` }).press('Enter')
    await expect(sheet(page).getByLabel('How often')).toHaveValue('')
    await page.keyboard.press('Escape')
    await expect(page.getByRole('button', { name: `Change ${word}` })).toBeFocused()
    await page.getByRole('button', { name: `Delete ${word}` }).press('Enter')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete, keep documents' }).click()
    await expect(item(page, word)).toHaveCount(0)
  })
})

test.describe('who may not manage documents', () => {
  test.use({ role: 'member' })
  test('does not find the page', async ({ page }) => {
    expect((await page.goto('/admin/sources'))?.status()).toBe(404)
  })
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 } })
  test('nothing is wider than the screen, and the form fits', async ({ page }) => {
    await page.goto('/admin/sources')
    await page.getByRole('button', { name: 'Add source' }).click()
    await expect(sheet(page).getByRole('button', { name: 'Add and run' })).toBeVisible()
    const wider = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect(await wider()).toBe(false)
  })
})
