import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { violationsInBothLooks } from './axe.ts'
import { ask, expect, serverOf, test } from './test.ts'

const reports = [
  { path: '/admin/costs', title: 'Costs' },
  { path: '/admin/health', title: 'Health' },
]

const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(path)
  await expect(page.getByRole('navigation', { name: 'Time' })).toBeVisible()
}

/** With something to show: an empty report has no tables or charts that could be at fault. */
const openFilled = async (page: Page, path: string): Promise<void> => {
  await page.goto('/')
  await ask(page, 'How many days of leave do I get in my first calendar year?')
  await open(page, path)
  await expect(page.getByRole('table', { name: /^(Costs|Times) by model$/ })).toBeVisible()
}

for (const { path, title } of reports) {
  test(`${title} has no fault that axe can see, light and dark`, async ({ page }) => {
    await openFilled(page, path)
    expect(await violationsInBothLooks(page)).toEqual([])
  })

  test.describe(`${title} on a phone`, () => {
    test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
    test('scrolls its tables inside themselves, never the page', async ({ page }) => {
      await openFilled(page, `${path}?range=30d`)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    })
  })

  test(`${title} is reached from the rail, and its time is in the address`, async ({ page }) => {
    await page.goto('/admin/traces')
    await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: title }).click()
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
    await page.getByRole('navigation', { name: 'Time' }).getByRole('link', { name: '30 days' }).click()
    await expect(page).toHaveURL(/range=30d/)
    await page.reload()
    await expect(page.getByRole('navigation', { name: 'Time' }).getByRole('link', { name: '30 days' })).toHaveAttribute(
      'aria-current',
      'true',
    )
  })

  test(`${title} says when nothing was called, and a filter is taken away by keyboard`, async ({ page }) => {
    await open(page, `${path}?model=never-called&status=nonsense&user=not-an-id&range=1000y&by=nothing`)
    await expect(page.getByRole('heading', { name: 'No model was called in this time' })).toBeVisible()
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('never-called')
    await page.getByRole('link', { name: 'Clear filters' }).focus()
    await page.keyboard.press('Enter')
    await expect(page).not.toHaveURL(/never-called/)
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('')
  })

  for (const role of ['member', 'reviewer'] as const)
    test.describe(`a ${role}`, () => {
      test.use({ role })
      test(`finds nothing at ${path}`, async ({ page }) => {
        await page.goto(path)
        await expect(page.getByText('There is nothing here that you can open')).toBeVisible()
      })
    })
}

test('an answer of a model is counted in Costs, and its row leads to its traces', async ({ page }) => {
  await openFilled(page, '/admin/costs?range=24h')
  const table = page.getByRole('table', { name: 'Costs by model' })
  await expect(table).toBeVisible()
  await table
    .getByRole('link', { name: /^Traces of / })
    .first()
    .click()
  await expect(page).toHaveURL(/\/admin\/traces\?model=/)
  await expect(page.getByRole('table', { name: 'Questions, newest first' })).toBeVisible()
})

test('the breakdown sorts and switches by links that can be sent to somebody', async ({ page }) => {
  await openFilled(page, '/admin/costs')
  await page.getByRole('navigation', { name: 'Break down by' }).getByRole('link', { name: 'Person' }).click()
  const table = page.getByRole('table', { name: 'Costs by person' })
  await expect(table).toBeVisible()
  await table.getByRole('link', { name: 'Calls' }).click()
  await expect(table.getByRole('columnheader', { name: 'Calls' })).toHaveAttribute('aria-sort', 'descending')
  await table.getByRole('link', { name: 'Calls' }).click()
  await expect(page).toHaveURL(/by=user&sort=calls&dir=asc/)
  await page.reload()
  await expect(table.getByRole('columnheader', { name: 'Calls' })).toHaveAttribute('aria-sort', 'ascending')
})

test('a question that found nothing is listed in Health and leads to its trace', async ({ page }) => {
  const question = `Which zebra paints the harpsichord of number ${Date.now()}?`
  await page.goto('/')
  await ask(page, question)
  await open(page, '/admin/health')
  await page.getByRole('link', { name: question }).click()
  await expect(page).toHaveURL(/\/admin\/traces\/./)
  await expect(page.getByRole('heading', { level: 1, name: question })).toBeVisible()
})

test.describe('the metrics', () => {
  test('are Prometheus text for an admin', async ({ request }) => {
    const response = await request.get('/api/metrics')
    expect(response.status()).toBe(200)
    expect(response.headers()['content-type']).toContain('text/plain; version=0.0.4')
    expect(response.headers()['cache-control']).toContain('no-store')
    const text = await response.text()
    for (const name of [
      'rag_requests_total',
      'rag_ttft_seconds',
      'rag_request_seconds',
      'rag_tokens_total',
      'rag_cost_usd_total',
      'rag_cache_hits_total',
      'rag_queue_depth',
      'rag_breaker_state',
    ])
      expect(text).toContain(`# TYPE ${name} `)
    expect(text).not.toContain('@demo.local')
  })

  test.describe('for strangers', () => {
    test.use({ role: null })
    test('are closed, with a guessed token too, and open to the local command line', async ({ request, answers }) => {
      expect((await request.get('/api/metrics')).status()).toBe(401)
      const guessed = { authorization: 'Bearer undefined' }
      expect((await request.get('/api/metrics', { headers: guessed })).status()).toBe(401)
      const token = (await readFile(join(serverOf(answers).dataDir, 'local-token'), 'utf8')).trim()
      const as = (email: string) => ({ authorization: `Bearer ${token}`, 'x-footnote-user': email })
      expect((await request.get('/api/metrics', { headers: as('admin@demo.local') })).status()).toBe(200)
      expect((await request.get('/api/metrics', { headers: as('user@demo.local') })).status()).toBe(404)
    })
  })

  test.describe('for a person who only asks', () => {
    test.use({ role: 'member' })
    test('are not there', async ({ request }) => {
      expect((await request.get('/api/metrics')).status()).toBe(404)
    })
  })
})
