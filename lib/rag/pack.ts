/**
 * From ranked chunks to what goes into the prompt: the best first, each text once, within a budget of tokens; and, where the budget is
 * tight, of each passage the sentences that bear on the question. Pure. A passage that is cut keeps its own text and offsets: what
 * the model gets is an excerpt beside it, and citations are still found in the whole passage.
 */
import { contentWords, estimateTokens, type Span, sentences } from '#lib/shared/text.ts'

export type Packable = { text: string; tokens: number }

/** Texts that share more of their words than this say the same. */
const sameShare = 0.9
/** A text whose runs of words nearly all stand in another says nothing that the other does not. */
const containedShare = 0.95
const runWords = 4

/** What turns a statement into another one: two texts that differ in these are two texts, however alike they are. */
const telling =
  /\p{N}|^(?:no|not|never|none|nor|without|except|unless|only|cannot|can't|don't|doesn't|didn't|won't|isn't|aren't)$/u

type Wording = { words: ReadonlySet<string>; runs: ReadonlySet<string>; tellers: ReadonlySet<string> }

const wordingOf = (text: string): Wording => {
  const plain = text.normalize('NFKC').toLowerCase().replaceAll('’', "'")
  const all = plain.match(/[\p{L}\p{N}]+(?:[.,:/'-][\p{L}\p{N}]+)*/gu) ?? []
  return {
    words: new Set(contentWords(text)),
    runs: new Set(all.slice(runWords - 1).map((_, at) => all.slice(at, at + runWords).join(' '))),
    tellers: new Set(all.filter((word) => telling.test(word))),
  }
}

const sharedBy = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => {
  let shared = 0
  for (const one of a) if (b.has(one)) shared += 1
  return shared
}

/** Whether `later` says nothing that `kept` has not said. */
const repeats = (later: Wording, kept: Wording): boolean => {
  if (sharedBy(later.tellers, kept.tellers) < later.tellers.size) return false
  const shared = sharedBy(later.words, kept.words)
  const all = later.words.size + kept.words.size - shared
  if (all === 0 || shared / all > sameShare) return true
  return later.runs.size > 0 && sharedBy(later.runs, kept.runs) / later.runs.size >= containedShare
}

/** Keeps order; skips what repeats a kept text and what no longer fits, and goes on with what does. The first always fits. */
export const pack = <Item extends Packable>(
  ranked: readonly Item[],
  { tokensMax, passagesMax }: { tokensMax: number; passagesMax: number },
): Item[] => {
  const kept: { item: Item; wording: Wording }[] = []
  let tokens = 0
  for (const item of ranked) {
    if (kept.length >= passagesMax) break
    if (kept.length > 0 && tokens + item.tokens > tokensMax) continue
    const wording = wordingOf(item.text)
    if (kept.some((other) => repeats(wording, other.wording))) continue
    kept.push({ item, wording })
    tokens += item.tokens
  }
  return kept.map(({ item }) => item)
}

export type Excerpt = {
  /** What the model reads: the kept stretches in their order, with a mark where something is left out. */
  text: string
  /** Where they stand in the passage's text; one stretch over all of it when nothing was left out. */
  kept: Span[]
  tokens: number
}

/** Stands alone on a line between two stretches, so that no sentence runs over the gap. */
const gap = '\n[…]\n'
const gapTokens = 3
/** So little is not worth cutting. */
const shortTokens = 90
/** What stands in a passage at all is worth this much beside the question's words, and of a later passage less. */
const standingWorth = 0.3
const rankWeight = (rank: number): number => 1 / (1 + rank * 0.5)
/** A sentence beside one that matters is what "it" and "this" in it stand for. */
const besideShare = 0.6
/** The first sentence says what a passage is about. */
const openingWorth = 0.12

/** Folds endings, so that "rotated" meets "rotation". */
const stem = (word: string): string => (/^\p{L}+$/u.test(word) ? word.slice(0, Math.max(4, word.length - 3)) : word)
const stems = (text: string): string[] => contentWords(text).map(stem)

/** Tables, lists and code say little line by line: their lines stay together. */
const isProse = (text: string): boolean => {
  const lines = text.split('\n').filter((line) => line.trim())
  const rows = lines.filter((line) => /\|.*\||^\s*(?:[-*•]|\d+[.)])\s|\t|[{};]\s*$/.test(line))
  return rows.length * 3 < lines.length
}

const worthOf = (
  question: ReadonlySet<string>,
  spans: readonly Span[],
  text: string,
  rarity: ReadonlyMap<string, number>,
) => {
  const own = spans.map(({ start, end }, at) => {
    const words = new Set(stems(text.slice(start, end)))
    let worth = at === 0 ? openingWorth : 0
    for (const word of question) if (words.has(word)) worth += rarity.get(word) ?? 0
    return worth
  })
  return own.map((worth, at) => worth + besideShare * Math.max(own[at - 1] ?? 0, own[at + 1] ?? 0))
}

const joined = (text: string, spans: readonly Span[]): Excerpt => {
  const kept: Span[] = []
  for (const { start, end } of spans) {
    const last = kept.at(-1)
    // Only space stands between them: nothing is left out.
    if (last && text.slice(last.end, start).trim() === '') last.end = end
    else kept.push({ start, end })
  }
  if (kept.length === 0) return { text: '', kept, tokens: 0 }
  const body = kept.map(({ start, end }) => text.slice(start, end)).join(gap)
  const before = kept[0] && kept[0].start > 0 && text.slice(0, kept[0].start).trim() !== '' ? gap.trimStart() : ''
  const end = kept.at(-1)?.end ?? 0
  const after = text.slice(end).trim() === '' ? '' : gap.trimEnd()
  const excerpt = `${before}${body}${after}`
  return { text: excerpt, kept, tokens: estimateTokens(excerpt) }
}

/**
 * Of each passage, best first, the sentences that bear on the question, so that all of them together have about `tokensMax` tokens.
 * Passages that fit are not touched. The first passages keep most of themselves, later ones what has the question's words; one of
 * which nothing is left has an empty excerpt and is not to be sent. The first keeps at least its best sentence, however small the
 * budget. Sentences are never cut; tables, lists, code and short passages are kept whole or left out. Pure.
 *
 * At 900 tokens of 1,800 the expected sentence was still there as often as with the same budget of whole passages, or more often
 * (`bench/cost.ts` measures both); to force a sentence out of every passage was worse than either.
 */
export const excerptsOf = (
  question: string,
  passages: readonly Packable[],
  { tokensMax }: { tokensMax: number },
): Excerpt[] => {
  const whole = passages.map(({ text, tokens }): Excerpt => ({ text, kept: [{ start: 0, end: text.length }], tokens }))
  if (passages.reduce((sum, { tokens }) => sum + tokens, 0) <= tokensMax) return whole

  const asked = new Set(stems(question))
  const split = passages.map(({ text, tokens }) =>
    tokens <= shortTokens || !isProse(text) ? [{ start: 0, end: text.length }] : sentences(text),
  )
  const all = passages.flatMap(({ text }, rank) =>
    (split[rank] ?? []).map(({ start, end }) => new Set(stems(text.slice(start, end)))),
  )
  // A word that every sentence has tells none of them apart.
  const rarity = new Map(
    [...asked].map((word) => {
      const having = all.filter((words) => words.has(word)).length
      return [word, Math.log(1 + all.length / (1 + having)) * (/\d/.test(word) ? 2 : 1)]
    }),
  )
  const most = [...rarity.values()].reduce((sum, value) => sum + value, 0) || 1
  const shares = new Map([...rarity].map(([word, value]) => [word, value / most]))

  const choices = passages.flatMap(({ text }, rank) => {
    const spans = split[rank] ?? []
    const worths = worthOf(asked, spans, text, shares)
    return spans.map((span, at) => ({
      rank,
      span,
      tokens: estimateTokens(text.slice(span.start, span.end)) + gapTokens,
      worth: ((worths[at] ?? 0) + standingWorth) * rankWeight(rank),
    }))
  })
  const chosen = new Set<(typeof choices)[number]>()
  let tokens = 0
  const take = (choice: (typeof choices)[number]): void => {
    chosen.add(choice)
    tokens += choice.tokens
  }
  const [first] = choices.filter(({ rank }) => rank === 0).sort((a, b) => b.worth - a.worth)
  if (first) take(first)
  for (const choice of choices.toSorted((a, b) => b.worth - a.worth || a.rank - b.rank))
    if (!chosen.has(choice) && tokens + choice.tokens <= tokensMax) take(choice)

  return passages.map((passage, rank) => {
    const own = choices.filter((choice) => choice.rank === rank)
    const spans = own.filter((choice) => chosen.has(choice)).map(({ span }) => span)
    if (spans.length === own.length) return whole[rank] ?? joined(passage.text, spans)
    return joined(passage.text, spans)
  })
}

/**
 * The passages as they are sent when about `tokensMax` tokens are to do: the same, with what `excerptsOf` leaves of their texts, under the
 * same numbers; and how many tokens that spares. Citations are looked for in the whole passages, not in these.
 */
export const shortened = <Passage extends Packable>(
  question: string,
  passages: readonly Passage[],
  budget: { tokensMax: number },
): { passages: Passage[]; droppedTokens: number } => {
  const excerpts = excerptsOf(question, passages, budget)
  const sent = passages.flatMap((passage, at) => {
    const { text = passage.text, tokens = passage.tokens } = excerpts[at] ?? {}
    return text === '' ? [] : [{ ...passage, text, tokens }]
  })
  const sum = (all: readonly Packable[]): number => all.reduce((total, { tokens }) => total + tokens, 0)
  return { passages: sent, droppedTokens: Math.max(0, sum(passages) - sum(sent)) }
}
