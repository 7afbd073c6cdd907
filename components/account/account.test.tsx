import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import { SignInForm } from '#components/shell/sign-in-form.tsx'
import type { AccountData, KeyRow, SessionRow } from '#lib/shared/account-contract.ts'
import { demoEmail } from '#lib/shared/viewer.ts'
import { SetupForm } from './entry-forms.tsx'
import { KeysSection } from './keys-section.tsx'
import { PasswordSection } from './password-section.tsx'
import { QrCode } from './qr-code.tsx'
import { SecondStepSection } from './second-step-section.tsx'
import { SessionsSection } from './sessions-section.tsx'

const refuse = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const nothing = () => undefined

const account: AccountData = {
  name: 'Ada',
  email: 'ada@test.local',
  workspace: 'Ours',
  hasPassword: true,
  passwordChangedAt: null,
  secondStep: { on: false, recoveryLeft: 0 },
  identities: [],
  sessions: [],
  keys: [],
}
const session = (id: string, more: Partial<SessionRow> = {}): SessionRow => ({
  id,
  workspace: 'Ours',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0',
  address: '203.0.113.7',
  lastSeenAt: '2026-01-01T00:00:00.000Z',
  createdAt: '2026-01-01T00:00:00.000Z',
  current: false,
  ...more,
})

describe('the sign-in page', () => {
  const props = {
    from: '/',
    signIn: async () => ({ email: '', error: null }),
    demo: null,
    provider: null,
    refusal: null,
  }
  const demo = { password: 'pw', accounts: [{ email: demoEmail('owner'), role: 'owner' as const }] }

  test('warns on a server that the demo accounts are on, and only there', () => {
    const words = 'The demo accounts are on'
    expect(renderToStaticMarkup(<SignInForm {...props} demo={{ ...demo, onServer: true }} />)).toContain(words)
    expect(renderToStaticMarkup(<SignInForm {...props} demo={{ ...demo, onServer: false }} />)).not.toContain(words)
    expect(renderToStaticMarkup(<SignInForm {...props} />)).not.toContain('demo')
  })

  test('offers the provider by its name, and says why it did not work', () => {
    const provider = { name: 'Corp & Co', signIn: props.signIn }
    const html = renderToStaticMarkup(<SignInForm {...props} provider={provider} refusal="You have no account here." />)
    expect(html).toContain('Sign in with Corp &amp; Co')
    expect(html).toMatch(/role="alert"[^>]*>You have no account here\./)
  })

  test('lets a password be pasted, filled in and looked at', () => {
    const html = renderToStaticMarkup(<SignInForm {...props} />)
    expect(html).toContain('autoComplete="current-password"')
    expect(html).toContain('Show the password')
    expect(html.toLowerCase()).not.toContain('onpaste')
  })
})

test('the first owner is asked for a workspace, a name, an address and a password', () => {
  const html = renderToStaticMarkup(<SetupForm token="t" send={async () => ({ error: null })} />)
  for (const name of ['token', 'workspace', 'name', 'email', 'password']) expect(html).toContain(`name="${name}"`)
})

test('the session that asks is marked and cannot be ended by mistake', () => {
  const actions = { endSession: refuse, endOtherSessions: refuse }
  const html = renderToStaticMarkup(
    <SessionsSection
      sessions={[session('a', { current: true }), session('b')]}
      actions={actions}
      onChanged={nothing}
    />,
  )
  expect(html.match(/>This one</g)).toHaveLength(1)
  expect(html.match(/aria-label="End the session/g)).toHaveLength(1)
  expect(html).toContain('203.0.113.7')
  const alone = renderToStaticMarkup(
    <SessionsSection sessions={[session('a', { current: true })]} actions={actions} onChanged={nothing} />,
  )
  expect(alone).toContain('You are signed in nowhere else')
})

test('a key that is over cannot be revoked, and nothing of a key but its beginning is shown', () => {
  const key: KeyRow = {
    id: 'k',
    name: '<b>Import</b>',
    prefix: 'fn_01234567',
    scopes: ['ingest'],
    createdAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-02-01T00:00:00.000Z',
    lastUsedAt: null,
    state: 'expired',
  }
  const draw = (keys: KeyRow[]) =>
    renderToStaticMarkup(
      <KeysSection
        keys={keys}
        workspace="Ours"
        actions={{ createKey: refuse, revokeKey: refuse }}
        onChanged={nothing}
      />,
    )
  expect(draw([key])).toContain('&lt;b&gt;Import&lt;/b&gt;')
  expect(draw([key])).toContain('Expired')
  expect(draw([key])).not.toContain('aria-label="Revoke')
  expect(draw([{ ...key, state: 'good' }])).toContain('aria-label="Revoke')
  expect(draw([])).toContain('You have no keys')
})

test('who has no password is told how they sign in instead', () => {
  const identities = [{ issuer: 'https://id.corp.test/realm', lastUsedAt: '2026-01-01T00:00:00.000Z' }]
  const html = renderToStaticMarkup(
    <PasswordSection account={{ ...account, hasPassword: false, identities }} change={refuse} onChanged={nothing} />,
  )
  expect(html).toContain('You sign in through id.corp.test')
  expect(html).not.toContain('type="password"')
})

test('the second step says whether it is on and how many recovery codes are left', () => {
  const actions = { beginSecondStep: refuse, confirmSecondStep: refuse, endSecondStep: refuse }
  const draw = (secondStep: AccountData['secondStep']) =>
    renderToStaticMarkup(
      <SecondStepSection account={{ ...account, secondStep }} actions={actions} onChanged={nothing} />,
    )
  expect(draw({ on: false, recoveryLeft: 0 })).toContain('Switch on')
  expect(draw({ on: true, recoveryLeft: 1 })).toContain('One recovery code left')
})

test('a QR code is a picture with a name, dark on light', () => {
  const html = renderToStaticMarkup(<QrCode text="otpauth://totp/x" label="QR code" />)
  expect(html).toMatch(/^<svg role="img" aria-label="QR code" viewBox="0 0 (\d+) \1"/)
  expect(html).toContain('bg-white')
  expect(html.match(/M\d+ \d+h1v1h-1z/g)?.length).toBeGreaterThan(100)
})
