import { demoPassword, expect, test } from './test.ts'

test.use({ role: null })

test('refuses a wrong password in words and keeps the address that was typed', async ({ page }) => {
  await page.goto('/sign-in')
  await page.getByLabel('E-mail').fill('user@demo.local')
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'E-mail or password is not right' })).toBeVisible()
  await expect(page.getByLabel('E-mail')).toHaveValue('user@demo.local')
})

test('answers the same for an address that nobody has', async ({ page }) => {
  await page.goto('/sign-in')
  await page.getByLabel('E-mail').fill('nobody@demo.local')
  await page.getByLabel('Password', { exact: true }).fill(demoPassword())
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'E-mail or password is not right' })).toBeVisible()
})

test('signs in, goes on to the page that was asked for, and signs out for good', async ({ page, context }) => {
  await page.goto('/admin/documents')
  await expect(page).toHaveURL(/\/sign-in\?from=%2Fadmin%2Fdocuments/)
  await page.getByLabel('E-mail').fill('  Admin@Demo.local ')
  await page.getByLabel('Password', { exact: true }).fill(demoPassword())
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Documents' })).toBeVisible()
  await expect(page).toHaveURL(/\/admin\/documents$/)

  const kept = await context.cookies()
  await page.getByRole('button', { name: /Ada Admin/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click()
  await expect(page).toHaveURL(/\/sign-in/)
  // The old cookie is worth nothing any more: the session ended on the server.
  await context.addCookies(kept)
  await page.goto('/admin/documents')
  await expect(page).toHaveURL(/\/sign-in/)
})

test('never sends anybody on to another site', async ({ page, baseURL }) => {
  await page.goto('/sign-in?from=https://elsewhere.example/')
  await page.getByLabel('E-mail').fill('user@demo.local')
  await page.getByLabel('Password', { exact: true }).fill(demoPassword())
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Ask your documents' })).toBeVisible()
  await expect(page).toHaveURL(`${baseURL}/`)
})

test('offers the demo accounts with their password', async ({ page }) => {
  await page.goto('/sign-in')
  await page.getByRole('button', { name: /reviewer@demo\.local/ }).click()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Ask your documents' })).toBeVisible()
})
