/** People who come in by an invitation, each at a browser of their own. */
import type { Browser, Page } from '@playwright/test'
import { expect } from './test.ts'

const password = 'a sentence is a fine password'

const sheet = (page: Page) => page.getByRole('dialog')

/** Invites from the Members page and gives the link that is shown once. */
export const invite = async (page: Page, email: string, role: string): Promise<string> => {
  await page.goto('/admin/members?tab=invitations')
  await page.getByRole('button', { name: 'Invite', exact: true }).first().click()
  await sheet(page).getByLabel('E-mail').fill(email)
  await sheet(page).getByLabel('Role', { exact: true }).selectOption({ label: role })
  await sheet(page).getByRole('button', { name: 'Invite' }).click()
  const link = await sheet(page).getByLabel('Link', { exact: true }).inputValue()
  await sheet(page).getByRole('button', { name: 'Done' }).click()
  return link
}

/** Somebody else at a browser of their own. */
export const stranger = async (browser: Browser, baseURL: string | undefined): Promise<Page> => {
  const context = await browser.newContext({
    storageState: { cookies: [], origins: [] },
    ...(baseURL ? { baseURL } : {}),
  })
  return context.newPage()
}

/** Follows a link to an account, and is signed in with it. */
export const join = async (page: Page, link: string, name: string): Promise<void> => {
  await page.goto(link)
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Make account and join' }).click()
  await expect(page.getByRole('heading', { name: 'Ask your documents' })).toBeVisible()
}
