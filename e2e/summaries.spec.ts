import type { Page } from '@playwright/test'
import { ask, expect, test } from './test.ts'

const leave = 'How many days of leave do I get in my first calendar year?'

test.use({ role: 'member' })

const panelOf = (page: Page, of: 'conversation' | 'selection') =>
  page.getByRole('dialog', { name: `Summary of the ${of}` })

const summariseConversation = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'More for this conversation' }).click()
  await page.getByRole('menuitem', { name: 'Summarise the conversation' }).click()
}

test('a conversation is summarised from its menu', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByRole('button', { name: 'More for this conversation' })).toHaveCount(0)
  await ask(page, leave)
  await summariseConversation(page)
  const panel = panelOf(page, 'conversation')
  await expect(panel).toContainText('2.5 working days')
  await expect(panel).toContainText('no language model asked')
  await expect(panel.getByRole('button', { name: 'Copy' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()
  await expect(page.getByRole('button', { name: 'More for this conversation' })).toBeFocused()
})

test('what is marked in an answer is summarised by the button at it, and by the one among its actions', async ({
  page,
}) => {
  await page.goto('/')
  const answer = await ask(page, leave)
  const text = answer.locator('[data-markable]')
  await expect(answer.getByRole('button', { name: 'Summarise the selection' })).toHaveCount(0)

  await text.selectText()
  await page.locator('[data-marked-button]').click()
  const panel = panelOf(page, 'selection')
  await expect(panel).toContainText('2.5 working days')
  await page.keyboard.press('Escape')
  await expect(panel).toBeHidden()

  await text.selectText()
  const action = answer.getByRole('button', { name: 'Summarise the selection' })
  await action.focus()
  await page.keyboard.press('Enter')
  await expect(panel).toContainText('2.5 working days')
  await page.keyboard.press('Escape')
  await expect(action).toBeFocused()
})

test('what is marked in a source is summarised', async ({ page }) => {
  await page.goto('/')
  const answer = await ask(page, leave)
  await answer.locator('button[data-citation]').first().click()
  const source = page.getByRole('complementary', { name: /^Source: / })
  await source.locator('mark').first().scrollIntoViewIfNeeded()
  await page.evaluate(() => {
    const region = document.querySelector('[data-markable="source"]')
    if (region) document.getSelection()?.selectAllChildren(region)
  })
  await source.getByRole('button', { name: 'Summarise the selection' }).click()
  await expect(panelOf(page, 'selection').getByRole('button', { name: 'Copy' })).toBeVisible()
})

test.describe('with a slow model', () => {
  test.use({ answers: 'provider' })

  test('a summary shows that it is being made, goes on when it is closed, and is found after a reload', async ({
    page,
  }) => {
    // The provider reads this in whatever it is sent: the answer is slow, and so is the summary.
    await page.goto('/')
    await ask(page, `${leave} [[mock: {"firstDelayMs": 6000}]]`)
    await summariseConversation(page)
    const panel = panelOf(page, 'conversation')
    await expect(panel).toContainText('Summarising')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /show the summary/ }).click()
    await expect(panel).toContainText('It goes on when you close this')
    await page.reload()
    await expect(panel).toBeVisible()
    await expect(panel).toContainText('AI-made summary', { timeout: 30_000 })
    await page.keyboard.press('Escape')
    await summariseConversation(page)
    await expect(panel).toContainText('from before')
  })
})
