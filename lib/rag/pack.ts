/** From ranked chunks to what fits into the prompt: the best first, each text once, within a budget of tokens. */
import { contentWords } from '#lib/shared/text.ts'

export type Packable = { text: string; tokens: number }

/** Texts that share more of their words than this say the same. */
const sameShare = 0.9

const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a]
  if (small.size === 0) return true
  let shared = 0
  for (const word of small) if (large.has(word)) shared += 1
  return shared / (small.size + large.size - shared) > sameShare
}

/** Keeps order; skips what repeats a kept text and what no longer fits, and goes on with what does. The first always fits. */
export const pack = <Item extends Packable>(
  ranked: readonly Item[],
  { tokensMax, passagesMax }: { tokensMax: number; passagesMax: number },
): Item[] => {
  const kept: { item: Item; words: ReadonlySet<string> }[] = []
  let tokens = 0
  for (const item of ranked) {
    if (kept.length >= passagesMax) break
    if (kept.length > 0 && tokens + item.tokens > tokensMax) continue
    const words = new Set(contentWords(item.text))
    if (kept.some((other) => isSame(words, other.words))) continue
    kept.push({ item, words })
    tokens += item.tokens
  }
  return kept.map(({ item }) => item)
}
