import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'

/** Nothing on the page takes longer to fade. */
const fadingMsMax = 1_000

/** Settled: nothing fades any more, or contrast is measured half way. What is not drawn may never end, and is not waited for. */
const settled = (page: Page): Promise<unknown> =>
  page.evaluate((most) => {
    const fading = document
      .getAnimations()
      .filter((one) => one.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
      .map((one) => one.finished.catch(() => undefined))
    return Promise.race([Promise.all(fading), new Promise((resolve) => setTimeout(resolve, most))])
  }, fadingMsMax)

/** The rules that look at colours. */
const colourRules = ['color-contrast', 'link-in-text-block']

const run = async (page: Page, rules: 'all' | 'colours'): Promise<string[]> => {
  await settled(page)
  const axe = new AxeBuilder({ page })
  const chosen =
    rules === 'all'
      ? axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
      : axe.withRules(colourRules)
  const { violations: found } = await chosen.analyze()
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
}

/** What axe has against the page as it stands, by rule and element. */
export const violations = (page: Page): Promise<string[]> => run(page, 'all')

/** The same in the light look, and then what is another in the dark one: its colours. The page follows the system's look. */
export const violationsInBothLooks = async (page: Page): Promise<string[]> => {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const seen = await run(page, colorScheme === 'light' ? 'all' : 'colours')
    found.push(...seen.map((one) => `${colorScheme}, ${one}`))
  }
  return found
}
