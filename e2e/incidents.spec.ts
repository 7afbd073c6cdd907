/** Switching off from the page, as the others see it on the pages that they have open. On a server of its own: nobody else is to be off. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { demoEmail, type Role } from '../lib/shared/viewer.ts'
import { violationsInBothLooks } from './axe.ts'
import { signInOverHttp } from './doors-http.ts'
import { startServer, type TestServer } from './server.ts'
import { ask, watch } from './test.ts'

test.describe.configure({ mode: 'serial' })

let server: TestServer
const faults: string[][] = []
const contexts: BrowserContext[] = []
const pages = {} as Record<'admin' | 'member', Page>

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000)
  server = await startServer()
  const open = async (role: Role): Promise<Page> => {
    const cookie = await signInOverHttp(server.url, demoEmail(role), await server.password())
    const context = await browser.newContext({ baseURL: server.url })
    contexts.push(context)
    await context.addCookies(
      cookie.split('; ').map((pair) => {
        const at = pair.indexOf('=')
        return { name: pair.slice(0, at), value: pair.slice(at + 1), url: server.url }
      }),
    )
    faults.push(await watch(context, server.url))
    return context.newPage()
  }
  await server.settled()
  pages.admin = await open('admin')
  pages.member = await open('member')
})

test.afterAll(async () => {
  await Promise.all(contexts.map((context) => context.close()))
  await server?.remove()
})

const question = 'How many days of leave do I get in my first calendar year?'

test('what an admin switches off is said on a page that is open elsewhere, and answers end, until it is on again', async () => {
  const { admin, member } = pages
  await member.goto('/')
  await ask(member, question)
  const banner = member.getByRole('status', { name: 'Switched off' })
  await expect(banner).toBeEmpty()

  await admin.goto('/admin/incidents')
  await expect(admin.getByRole('heading', { name: 'Nothing is switched off' })).toBeVisible()
  expect(await violationsInBothLooks(admin)).toEqual([])
  await admin.getByRole('button', { name: 'Switch off…' }).click()
  const sheet = admin.getByRole('dialog')
  await sheet.getByRole('button', { name: 'Switch off…' }).click()
  await expect(sheet.getByText('Say why')).toBeVisible()
  await sheet.getByLabel('Because').fill('Wrong doses were given')
  await sheet.getByRole('button', { name: 'Switch off…' }).click()
  await admin.getByRole('alertdialog').getByRole('button', { name: 'Switch off now' }).click()
  await expect(admin.getByRole('table', { name: 'What is switched off' })).toContainText('Wrong doses were given.')
  expect(await violationsInBothLooks(admin)).toEqual([])

  await expect(banner).toContainText(/Answers are switched off since \d\d:\d\d UTC: Wrong doses were given\./, {
    timeout: 8_000,
  })
  const refused = await ask(member, question)
  await expect(refused).toContainText('Wrong doses were given.')
  await expect(refused.locator('button[data-citation]')).toHaveCount(0)

  await admin.getByRole('button', { name: 'Switch on again: All answers' }).click()
  await admin.getByRole('dialog').getByLabel('Why it may be on again').fill('Mended')
  await admin.getByRole('dialog').getByRole('button', { name: 'Switch on again' }).click()
  await expect(admin.getByRole('table', { name: 'What was switched off before' })).toContainText('Wrong doses')
  await expect(banner).toBeEmpty({ timeout: 8_000 })
  const answered = await ask(member, question)
  await expect(answered.locator('button[data-citation]').first()).toBeVisible()
  expect(faults.flat()).toEqual([])
})
