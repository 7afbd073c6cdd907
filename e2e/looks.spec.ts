import type { Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { ask, chipsOf, expect, test } from './test.ts'

const question = 'How many days of leave do I get in my first calendar year?'

const screens: { name: string; open: (page: Page) => Promise<unknown> }[] = [
  { name: 'the empty chat', open: (page) => page.goto('/') },
  {
    name: 'an answer with its source open',
    open: async (page) => {
      await page.goto('/')
      const answer = await ask(page, question)
      await chipsOf(answer).first().click()
      await expect(page.locator('mark').first()).toBeVisible()
    },
  },
  { name: 'the documents', open: (page) => page.goto('/admin/documents') },
  { name: 'the traces', open: (page) => page.goto('/admin/traces') },
  {
    name: 'a trace',
    open: async (page) => {
      await page.goto('/')
      await (await ask(page, question)).getByRole('link', { name: 'View trace' }).click()
      await expect(page).toHaveURL(/\/admin\/traces\/./)
    },
  },
  { name: 'a page that is not there', open: (page) => page.goto('/nowhere') },
]

for (const { name, open } of screens)
  test(`${name} has no fault that axe can see, light and dark`, async ({ page }) => {
    await open(page)
    expect(await violationsInBothLooks(page)).toEqual([])
  })

test.describe('for a stranger', () => {
  test.use({ role: null })
  test('signing in has no fault that axe can see, light and dark', async ({ page }) => {
    await page.goto('/sign-in')
    expect(await violationsInBothLooks(page)).toEqual([])
  })
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })

  for (const { name, open } of screens)
    test(`${name} fits 390 pixels without scrolling sideways`, async ({ page }) => {
      await open(page)
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      expect(width).toBeLessThanOrEqual(390)
    })

  test('the menu opens the conversations and closes again', async ({ page }) => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Open the menu' }).click()
    await expect(page.getByRole('link', { name: /New question/ })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('link', { name: /New question/ })).toBeHidden()
  })
})

test('everything from the question to the passage can be done with the keyboard', async ({ page }) => {
  await page.goto('/')
  const field = page.getByRole('textbox', { name: 'Your question' })
  await expect(field).toBeFocused()
  await page.keyboard.type('How many days of leave')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('do I get in my first calendar year?')
  await expect(field).toHaveValue('How many days of leave\ndo I get in my first calendar year?')
  await page.keyboard.press('Enter')
  const answer = page.getByRole('article', { name: 'Answer' })
  await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: 30_000 })

  const chip = chipsOf(answer).first()
  await expect(async () => {
    await page.keyboard.press('Shift+Tab')
    await expect(chip).toBeFocused({ timeout: 50 })
  }).toPass({ intervals: [10] })
  await page.keyboard.press('Enter')
  const panel = page.getByRole('complementary', { name: /^Source: / })
  await expect(panel).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()
  await expect(chip).toBeFocused()
  await page.keyboard.press('ControlOrMeta+k')
  await expect(page.getByRole('heading', { name: 'Ask your documents' })).toBeVisible()
})

test('a chosen look stays after a reload', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: /Ada Admin/ }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).click()
  await expect(page.locator('html')).toHaveClass(/dark/)
  await page.reload()
  await expect(page.locator('html')).toHaveClass(/dark/)
})

test('the policy lets no script of a stranger run', async ({ page }) => {
  const response = await page.goto('/')
  const policy = response?.headers()['content-security-policy'] ?? ''
  expect(policy).toContain("default-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe-eval')
  expect(/script-src[^;]*unsafe-inline/.test(policy)).toBe(false)
  expect(response?.headers()['cache-control']).toContain('no-store')
})
