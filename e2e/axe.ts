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

/** What axe has against the page as it stands, by rule and element. */
export const violations = async (page: Page): Promise<string[]> => {
  await settled(page)
  const { violations: found } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze()
  return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
}

/** The same in the light look and then in the dark one; the page follows the system's. */
export const violationsInBothLooks = async (page: Page): Promise<string[]> => {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    found.push(...(await violations(page)).map((one) => `${colorScheme}, ${one}`))
  }
  return found
}
