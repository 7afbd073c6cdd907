import { ask, expect, summariseConversation, summaryOf, test } from './test.ts'

const leave = 'How many days of leave do I get in my first calendar year?'

test.use({ role: 'member' })

test('a conversation is summarised from its menu', async ({ page }) => {
  await page.goto('/')
  await expect(page.getByRole('button', { name: 'More for this conversation' })).toHaveCount(0)
  await ask(page, leave)
  await summariseConversation(page)
  const panel = summaryOf(page, 'conversation')
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
  const panel = summaryOf(page, 'selection')
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
  await expect(summaryOf(page, 'selection').getByRole('button', { name: 'Copy' })).toBeVisible()
})
