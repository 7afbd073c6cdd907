/** The test function: signed in as a role, on one of the two servers, with an eye on the console and on requests to strangers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BrowserContext, test as base, expect, type Locator, type Page } from '@playwright/test'
import type { Role } from '../lib/shared/viewer.ts'

export { expect } from '@playwright/test'

type Options = {
  /** Null: a stranger. */
  role: Role | null
  /** Who answers: the built-in answerer, or the provider of ours. */
  answers: 'built-in' | 'provider'
}
type Fixtures = { watched: undefined }

const setting = (name: string): string => {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is set by e2e/global-setup.ts`)
  return value
}

export const serverOf = (answers: Options['answers']): { url: string; dataDir: string } => {
  const prefix = answers === 'built-in' ? 'E2E_BUILT_IN' : 'E2E_PROVIDER'
  return { url: setting(`${prefix}_URL`), dataDir: setting(`${prefix}_DIR`) }
}

export const demoPassword = (answers: Options['answers'] = 'built-in'): string =>
  readFileSync(join(serverOf(answers).dataDir, 'demo-password'), 'utf8').trim()

export const mockUrl = (): string => setting('E2E_MOCK_URL')

/** A refused request is logged by the browser itself; everything else on the console is a fault of ours. */
const isExpected = (text: string): boolean => text.startsWith('Failed to load resource')

/**
 * Notes what no page may do, from now until the context ends: errors on the console, dialogs, what the content policy refuses, and
 * requests to strangers. The list grows as it happens.
 */
export const watch = async (context: BrowserContext, url: string): Promise<string[]> => {
  const faults: string[] = []
  const at = (page: Page | null): string => (page ? ` (on ${page.url().replace(/[?#].*/, '')})` : '')
  // The browser's own words for it name no place; and a page may catch what it is told.
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) =>
      console.error(`content policy: ${effectiveDirective} refused ${blockedURI} in ${sourceFile}`),
    )
  })
  context.on('dialog', async (dialog) => {
    if (dialog.type() !== 'beforeunload') faults.push(`dialog: ${dialog.message()}${at(dialog.page())}`)
    await dialog.accept().catch(() => undefined)
  })
  context.on('console', (message) => {
    if (message.type() === 'error' && !isExpected(message.text()))
      faults.push(`console: ${message.text()}${at(message.page())}`)
  })
  context.on('weberror', (error) => faults.push(`page: ${error.error().message}${at(error.page())}`))
  context.on('request', (request) => {
    const asked = new URL(request.url())
    if (/^(https?|ftp):$/.test(asked.protocol) && asked.origin !== new URL(url).origin)
      faults.push(`request to a stranger: ${asked.href}`)
  })
  context.on('page', (page) => page.on('websocket', (socket) => faults.push(`socket: ${socket.url()}`)))
  return faults
}

export const test = base.extend<Options & Fixtures>({
  role: ['admin', { option: true }],
  answers: ['built-in', { option: true }],
  baseURL: async ({ answers }, use) => use(serverOf(answers).url),
  storageState: async ({ role, answers }, use) =>
    use(role ? join(serverOf(answers).dataDir, `${role}.json`) : { cookies: [], origins: [] }),
  watched: [
    async ({ context, baseURL }, use) => {
      const faults = await watch(context, baseURL ?? '')
      await use(undefined)
      expect(faults).toEqual([])
    },
    { auto: true },
  ],
})

/** Sends a question and waits until its answer has ended. */
export const ask = async (page: Page, question: string): Promise<Locator> => {
  const answers = page.getByRole('article', { name: 'Answer' })
  const before = await answers.count()
  await page.getByRole('textbox', { name: 'Your question' }).fill(question)
  await page.keyboard.press('Enter')
  await expect(answers).toHaveCount(before + 1)
  const answer = answers.last()
  await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: 30_000 })
  return answer
}

/** The numbered chips in the prose of an answer, not the cards under it. */
export const chipsOf = (answer: Locator): Locator => answer.locator('button[data-citation]')

export const summaryOf = (page: Page, of: 'conversation' | 'selection'): Locator =>
  page.getByRole('dialog', { name: `Summary of the ${of}` })

export const summariseConversation = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'More for this conversation' }).click()
  await page.getByRole('menuitem', { name: 'Summarise the conversation' }).click()
}
