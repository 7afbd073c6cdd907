/** A server of one's own from its first start: the first owner, the second step, and a provider's sign-in in a real browser. */
import { expect, type Page, test } from '@playwright/test'
import { OAuth2Server } from 'oauth2-mock-server'
import { Secret, TOTP } from 'otpauth'
import { startServer, type TestServer } from './server.ts'

test.describe.configure({ mode: 'serial', timeout: 180_000 })

const owner = { name: 'Olive Owner', email: 'olive@corp.test', password: 'a password of words' }
let server: TestServer
let provider: OAuth2Server
/** What the provider says of the person who signs in next. */
let claims: Record<string, unknown> = {}
let recoveryCodes: string[] = []

test.beforeAll(async () => {
  provider = new OAuth2Server()
  await provider.issuer.keys.generate('RS256')
  await provider.start(0, '127.0.0.1')
  provider.service.on('beforeTokenSigning', (token: { payload: object }) => Object.assign(token.payload, claims))
  server = await startServer({
    env: {
      DEMO: '0',
      OIDC_ISSUER: provider.issuer.url ?? '',
      OIDC_CLIENT_ID: 'footnote',
      OIDC_CLIENT_SECRET: 'a secret of the client',
      OIDC_NAME: 'Corp',
    },
  })
})
test.afterAll(async () => {
  await server.remove()
  await provider.stop()
})

const isIn = (page: Page) => expect(page.getByRole('button', { name: /Olive Owner/ })).toBeVisible()
const giveCode = async (page: Page, code: string): Promise<void> => {
  await page.getByLabel('Code').fill(code)
  await page.getByRole('button', { name: 'Go on' }).click()
}

test('the printed link makes the first owner, once', async ({ page }) => {
  await expect.poll(() => server.output()).toContain('/setup?token=')
  const path = /\/setup\?token=[\w-]{43}/.exec(server.output())?.[0] ?? ''
  await page.goto(server.url + path)
  await page.getByLabel('Name of the workspace').fill('Corp')
  await page.getByLabel('Your name').fill(owner.name)
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await page.getByRole('button', { name: 'Make the workspace' }).click()
  await isIn(page)
  await page.goto(server.url + path)
  await expect(page.getByRole('heading', { name: 'This link is over' })).toBeVisible()
})

test('the second step is switched on with a code, and asked for from then on', async ({ page }) => {
  await page.goto(`${server.url}/sign-in`)
  await expect(page.getByText('demo.local')).toHaveCount(0)
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await isIn(page)
  await page.goto(`${server.url}/account`)
  await page.getByRole('button', { name: 'Switch on…' }).click()
  const shown = await page
    .locator('code')
    .filter({ hasText: /^([A-Z2-7]{4} ?){8}$/ })
    .textContent()
  const key = shown?.replaceAll(' ', '') ?? ''
  await page.getByLabel('The code that it shows').fill(new TOTP({ secret: Secret.fromBase32(key) }).generate())
  await page.getByRole('button', { name: 'Switch on', exact: true }).click()
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await expect(codes).toHaveCount(10)
  recoveryCodes = await codes.allInnerTexts()
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await expect(page.getByText('10 recovery codes left')).toBeVisible()

  await page.context().clearCookies()
  await page.goto(`${server.url}/account`)
  await page.getByLabel('E-mail').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(owner.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Your code' })).toBeVisible()
  await giveCode(page, '000000')
  await expect(page.getByRole('alert').filter({ hasText: 'That code is not right' })).toBeVisible()
  await giveCode(page, recoveryCodes[0] ?? '')
  await expect(page).toHaveURL(`${server.url}/account`)
  await expect(page.getByText('9 recovery codes left')).toBeVisible()
})

test('the provider lets in whose verified address is known, and asks for the second step too', async ({ page }) => {
  claims = { sub: 'olive', email: owner.email, email_verified: true }
  await page.goto(`${server.url}/sign-in`)
  await page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await expect(page.getByRole('heading', { name: 'Your code' })).toBeVisible()
  await giveCode(page, recoveryCodes[1] ?? '')
  await isIn(page)
})

test('an address that the provider has not verified takes over nothing', async ({ page }) => {
  claims = { sub: 'mallory', email: owner.email, email_verified: false }
  await page.goto(`${server.url}/sign-in`)
  await page.getByRole('button', { name: 'Sign in with Corp' }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'has not verified your e-mail address' })).toBeVisible()
  await page.goto(`${server.url}/account`)
  await expect(page).toHaveURL(/\/sign-in/)
})
