/**
 * Where two passages say different things of one matter: nearly the same words, and another number, another date, a "not" on one
 * side, an opposite. Pure. Rather silent than wrong: rows of tables, other names and other years are other matters.
 */
import type { Evidence } from '#lib/rag/index.ts'
import { supportWords, textUnits } from '#lib/shared/support.ts'
import { directionOf } from './polarity.ts'
import { figuresIn } from './support.ts'
import type { Contradiction } from './verdict.ts'

type Passage = Evidence['passages'][number]

type Statement = {
  passage: Passage
  text: string
  /** Without figures. */
  words: ReadonlySet<string>
  figures: string[]
  dates: string[]
  names: ReadonlySet<string>
  nots: number
  downs: number
  ups: number
}

/** Shorter ones are fragments, longer ones say many things. */
const wordsMin = 4
const wordsMax = 40
/** The share of all their words that two statements of one matter have in common, where figures or a "not" tell them apart. */
const sameMatter = 0.66
/** More figures are a row or a list. */
const figuresMax = 4

const month = '(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*'
const date = new RegExp(
  `\\b(?:\\d{1,2}\\.?\\s+${month}(?:\\s+\\d{4})?|${month}\\s+\\d{1,2}(?:,?\\s+\\d{4})?|${month}\\s+\\d{4}|\\d{4}-\\d{2}-\\d{2}|(?:19|20)\\d{2})\\b`,
  'gi',
)

const statementsOf = (passage: Passage): Statement[] =>
  textUnits(passage.text).flatMap(({ start, end }): Statement[] => {
    const text = passage.text.slice(start, end).replace(/\s+/g, ' ')
    if (text.includes('|') || text.includes('; ') || text.endsWith('?')) return []
    const dates = [...text.matchAll(date)].map(([found]) => found.toLowerCase())
    const undated = text.replace(date, ' ')
    const figures = figuresIn(undated).flatMap((figure) => supportWords(figure))
    const words = new Set(supportWords(undated).filter((word) => !/\d/.test(word)))
    if (words.size < wordsMin || words.size > wordsMax || figures.length + dates.length > figuresMax) return []
    const names = new Set([...undated.matchAll(/(?<=\S\s+)\p{Lu}[\p{L}\p{N}-]+/gu)].map(([name]) => name.toLowerCase()))
    const { nots, ups, downs } = directionOf(text)
    return [{ passage, text, words, figures, dates, names, nots, ups, downs }]
  })

const only = (of: readonly string[], other: readonly string[]): string[] => of.filter((one) => !other.includes(one))

const kindOf = (a: Statement, b: Statement, shared: number): Contradiction['kind'] | null => {
  const alike = shared / (a.words.size + b.words.size - shared)
  if ([...a.names].some((name) => !b.names.has(name)) || [...b.names].some((name) => !a.names.has(name))) return null
  const [figuresA, figuresB] = [only(a.figures, b.figures), only(b.figures, a.figures)]
  const [datesA, datesB] = [only(a.dates, b.dates), only(b.dates, a.dates)]
  const otherFigures = figuresA.length > 0 && figuresB.length > 0
  const otherDates = datesA.length > 0 && datesB.length > 0
  const sameFigures = figuresA.length === 0 && figuresB.length === 0
  if (alike >= sameMatter) {
    // Another year with another number is another year's number.
    if (otherFigures && datesA.length === 0 && datesB.length === 0) return 'number'
    if (otherDates && sameFigures) return 'date'
    if (sameFigures && !otherDates && a.nots % 2 !== b.nots % 2) return 'negation'
  }
  const turned = (a.ups > b.ups && b.downs > a.downs) || (b.ups > a.ups && a.downs > b.downs)
  // The opposite words themselves are not shared.
  const without = shared / Math.max(1, Math.min(a.words.size, b.words.size) - 1)
  if (turned && sameFigures && without >= 0.8 && alike >= 0.55 && a.nots === b.nots) return 'opposite'
  return null
}

const subject = {
  number: 'the number',
  date: 'the date',
  negation: 'whether it is so',
  opposite: 'which way it goes',
} as const

const short = (text: string): string => (text.length > 160 ? `${text.slice(0, 159).trimEnd()}…` : text)

const sideOf = ({ passage, text }: Statement): Contradiction['sides'][0] => ({
  n: passage.n,
  documentId: passage.documentId,
  chunkId: passage.chunkId,
  title: passage.title,
  quote: text,
})

const contradictionsMax = 5

/** At most five, those of the best passages first. */
export const findContradictions = (passages: readonly Passage[]): Contradiction[] => {
  const statements = passages.flatMap(statementsOf)
  const holders = new Map<string, number[]>()
  for (const [at, { words }] of statements.entries())
    for (const word of words) {
      const known = holders.get(word)
      if (known) known.push(at)
      else holders.set(word, [at])
    }
  const found: Contradiction[] = []
  for (const [at, one] of statements.entries()) {
    const shared = new Map<number, number>()
    for (const word of one.words)
      for (const other of holders.get(word) ?? []) if (other > at) shared.set(other, (shared.get(other) ?? 0) + 1)
    for (const [other, count] of shared) {
      const two = statements[other]
      // Passages of one document may overlap, and what one passage says twice it means.
      if (!two || two.passage.chunkId === one.passage.chunkId || two.text === one.text || count < wordsMin - 1) continue
      const kind = kindOf(one, two, count)
      if (!kind) continue
      found.push({
        kind,
        words: `The sources disagree on ${subject[kind]}: “${short(one.text)}” (${one.passage.title}), “${short(two.text)}” (${two.passage.title}).`,
        sides: [sideOf(one), sideOf(two)],
      })
      if (found.length >= contradictionsMax) return found
    }
  }
  return found
}
