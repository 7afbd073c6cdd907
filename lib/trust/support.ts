/**
 * How likely is it that passages support a sentence? Two questions, each with a small logistic of its own: is everything it says
 * there (words, runs of words, numbers, names, meaning), and does it point the same way as what is there (not, more and less, all
 * and some)? Both were fitted on judged pairs; see `fitted`.
 */
import { findSupport, plainClaim, type SupportingText, supportWords, textUnits } from '#lib/shared/support.ts'
import { applyLogistic } from './calibrate.ts'
import { type Fitted, fitted } from './fitted.ts'
import { type Direction, directionOf } from './polarity.ts'

/** What is known of a passage whatever the sentence; made once for all sentences that cite it. */
export type ReadPassage = SupportingText & {
  units: {
    text: string
    words: ReadonlySet<string>
    direction: Direction
    clauses: { text: string; words: string[] }[]
  }[]
  words: ReadonlySet<string>
  /** The words of its text in their order, with spaces around each. */
  sequence: string
}

const clauseEnd = /[;:,]\s+|\s(?:but|while|whereas|although|unless|except|and)\s/i

/** "40mg" is "40 mg" as well: its number and its unit; none for what is no number with a unit. */
const partsOf = (word: string): string[] => /^(\d[\d.,]*)(\p{L}{1,4})$/u.exec(word)?.slice(1) ?? []

export const readPassage = (passage: SupportingText): ReadPassage => {
  const units = textUnits(passage.text).map(({ start, end }) => {
    const text = passage.text.slice(start, end)
    const clauses = text.split(clauseEnd).map((clause) => ({ text: clause, words: supportWords(clause) }))
    return { text, words: new Set(supportWords(text)), direction: directionOf(text), clauses }
  })
  const words = supportWords(passage.text)
  return {
    ...passage,
    units,
    words: new Set([...words, ...supportWords(passage.around ?? '')].flatMap((word) => [word, ...partsOf(word)])),
    sequence: ` ${words.join(' ')} `,
  }
}

export type Finding =
  | { kind: 'no-source' }
  | { kind: 'number' | 'date' | 'name'; words: string }
  | { kind: 'words'; found: number; of: number }
  | { kind: 'negation'; side: 'sentence' | 'source' }
  | { kind: 'opposite' }
  | { kind: 'doubt' }

/** A sentence held against passages, by words alone; `cosines` of the sentence with `nearest` complete it. */
export type ReadClaim = {
  claim: string
  /** The sentences of the passages that share most with it, the best first: what an encoder is asked about. */
  nearest: string[]
  coverage: number[]
  agreement: number[]
  /** It stands in a passage word for word. */
  verbatim: boolean
  /** Its words are a passage's words, and a "not" or an opposite turns them round. */
  contrary: boolean
  /** Against it, whatever the score: a number that no passage has, for one. */
  findings: Finding[]
}

const nearestMax = 3
/** Sentences of the passages that an encoder compares with a sentence of the answer. */
export const comparedMax = 2

const shareOf = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole)
const isFigure = (word: string): boolean => /\d/.test(word)
const pairsOf = (words: readonly string[]): string[] => words.slice(1).map((word, at) => `${words[at]} ${word}`)
const capped = (value: number, most: number): number => Math.max(-most, Math.min(most, value))
const told = (is: boolean): number => (is ? 1 : 0)

/** The most words in a row that a passage has in the same order. */
const longestRun = (words: readonly string[], sequences: readonly string[]): number => {
  let longest = 0
  for (let from = 0; from + longest < words.length; from++)
    for (let to = from + longest + 1; to <= words.length; to++) {
      const run = ` ${words.slice(from, to).join(' ')} `
      if (!sequences.some((sequence) => sequence.includes(run))) break
      longest = to - from
    }
  return longest
}

/** Names inside a sentence; its first word has a capital for another reason. */
const namesIn = (claim: string): string[] =>
  [...claim.matchAll(/(?<=[^\s.!?:]\s+)\p{Lu}[\p{L}\p{N}-]+/gu)].map(([name]) => name)
const months = /\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)\w*\b/i
/** A reply that speaks of the one who speaks says what no passage can. */
const speaksOfItself = /\b(?:i|i['’]?m|my|me|mine|we|our)\b/giu

export const figuresIn = (text: string): string[] =>
  [...text.matchAll(/[\p{L}\p{N}]*\d[\p{L}\p{N}]*(?:[.,:/-][\p{L}\p{N}]+)*/gu)].map(([figure]) => figure)

/** Where the sentence points another way than the sentences it is nearest to. */
const agreementOf = (direction: Direction, nearest: readonly Direction[], clause: Direction, run: number): number[] => {
  const [best] = nearest
  const total = (of: (one: Direction) => number): number => nearest.reduce((sum, one) => sum + of(one), 0)
  const none = (of: (one: Direction) => number): number => told(nearest.every((one) => of(one) === 0))
  const apart = (one: Direction): number => told(direction.nots > 0 !== one.nots > 0)
  const unmatched = (of: (one: Direction) => number): number => (of(direction) > 0 ? none(of) : 0)
  return [
    told(direction.nots % 2 !== clause.nots % 2),
    best ? apart(best) : 0,
    told(best ? direction.sign * best.sign === -1 : false),
    told(best ? direction.sign * best.sign === 1 : false),
    told(direction.sign * clause.sign === -1),
    told(direction.sign * clause.sign === 1),
    best ? told(direction.ups > 0 && direction.downs === 0 && best.downs > 0 && best.ups === 0) : 0,
    best ? told(direction.downs > 0 && direction.ups === 0 && best.ups > 0 && best.downs === 0) : 0,
    total((one) => direction.sign * one.sign),
    total(apart),
    capped((direction.ups - direction.downs) * total((one) => one.ups - one.downs), 2),
    unmatched((one) => one.nots),
    unmatched((one) => one.downs),
    unmatched((one) => one.ups),
    unmatched((one) => one.sures),
    told(direction.nots > 0 && nearest.some((one) => one.nots > 0)),
    told(direction.downs > 0 && nearest.some((one) => one.downs > 0)),
    run,
  ]
}

const nearestUnits = (wanted: readonly string[], passages: readonly ReadPassage[]): ReadPassage['units'] =>
  passages
    .flatMap(({ units }) => units)
    .map((unit) => ({ unit, share: wanted.filter((word) => unit.words.has(word)).length }))
    .sort((a, b) => b.share - a.share)
    .slice(0, nearestMax)
    .map(({ unit }) => unit)

/** The sentences that an encoder is going to be asked about, as far as the beginning of a sentence tells. */
export const likelyNearest = (beginning: string, passages: readonly ReadPassage[]): string[] =>
  nearestUnits([...new Set(supportWords(beginning))], passages)
    .slice(0, comparedMax)
    .map(({ text }) => text)

/** Reads `sentence` against the passages it cites: everything that words can tell. */
export const readClaim = (sentence: string, passages: readonly ReadPassage[]): ReadClaim => {
  const claim = plainClaim(sentence)
  const ordered = supportWords(claim)
  const wanted = [...new Set(ordered)]
  const supports = passages.map((passage) => findSupport(claim, passage))
  const best = supports.reduce((a, b) => (b.score > a.score ? b : a), { score: 0, agrees: false })
  const stands = (word: string): boolean => passages.some(({ words }) => words.has(word))
  const has = (word: string): boolean => {
    const parts = partsOf(word)
    return stands(word) || (parts.length > 0 && parts.every(stands))
  }
  const verbatim =
    claim.length > 0 && passages.some(({ text }) => text.replace(/\s+/g, ' ').includes(claim.replace(/[.!?]$/, '')))

  const wantedSet = new Set(wanted)
  const units = nearestUnits(wanted, passages)
  let clause = ''
  let most = -1
  for (const one of passages.flatMap((passage) => passage.units).flatMap((unit) => unit.clauses)) {
    const shared = new Set(one.words.filter((word) => wantedSet.has(word))).size / Math.sqrt(4 + one.words.length)
    if (shared > most) [clause, most] = [one.text, shared]
  }
  const direction = directionOf(claim)
  const inClause = directionOf(clause)
  const sequences = passages.map(({ sequence }) => sequence)
  const run = shareOf(longestRun(ordered, sequences), ordered.length)
  const pairs = pairsOf(ordered)
  const missing = wanted.filter((word) => !has(word))
  const figures = wanted.filter(isFigure)
  const names = namesIn(claim)
  const namesMissing = names.filter((name) => !supportWords(name).every(has))

  const findings: Finding[] = []
  for (const figure of figuresIn(claim)) {
    const strange = supportWords(figure)
      .filter(isFigure)
      .some((word) => !has(word))
    const around = claim.slice(Math.max(0, claim.indexOf(figure) - 12), claim.indexOf(figure) + figure.length + 12)
    if (strange) findings.push({ kind: kindOf(figure, around), words: figure })
  }
  for (const name of namesMissing) findings.push({ kind: 'name', words: name })
  const turned = !verbatim && best.score >= coveredForDoubt && direction.nots % 2 !== inClause.nots % 2
  const opposed =
    !verbatim && best.score >= coveredForDoubt && findings.length === 0 && supports.every(({ agrees }) => !agrees)
  if (turned) findings.push({ kind: 'negation', side: direction.nots > inClause.nots ? 'sentence' : 'source' })
  else if (opposed) findings.push({ kind: 'opposite' })
  if (missing.length > wanted.length / 3)
    findings.push({ kind: 'words', found: wanted.length - missing.length, of: wanted.length })

  return {
    claim,
    nearest: units.slice(0, comparedMax).map(({ text }) => text),
    coverage: [
      best.score,
      shareOf(wanted.length - missing.length, wanted.length),
      run,
      Math.log1p(missing.length),
      Math.min(2, (claim.match(speaksOfItself)?.length ?? 0) + told(claim.includes('?'))),
      figures.length === 0 ? 0 : 1 - shareOf(figures.filter(has).length, figures.length),
      shareOf(namesMissing.length, names.length) * told(names.length > 0),
      shareOf(
        pairs.filter((pair) => sequences.some((sequence) => sequence.includes(` ${pair} `))).length,
        pairs.length,
      ),
      Math.log1p(ordered.length),
    ],
    agreement: agreementOf(
      direction,
      units.map((unit) => unit.direction),
      inClause,
      run,
    ),
    verbatim,
    contrary: turned && best.score >= coveredForContrary,
    findings,
  }
}

/** What begins with a letter is the name of something ("NLRP3", "IL-10"), which sources write in many ways. */
const kindOf = (figure: string, around: string): 'date' | 'name' | 'number' => {
  if (/^\p{L}/u.test(figure)) return 'name'
  return months.test(around) || isYear(figure) ? 'date' : 'number'
}
const isYear = (figure: string): boolean =>
  /^(?:1[5-9]|20)\d\d$/.test(figure) || /^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}$/.test(figure)
/** Below this share of its words a "not" on one side says little: it is about something else. */
const coveredForDoubt = 0.5
/** From this share on it is about the same. */
const coveredForContrary = 0.75
/** What no fit is needed for: the same words agree, the same words turned round do not. */
const verbatimAgreement = 0.97
const contraryAgreement = 0.2

export type Supported = {
  /** The chance that everything it says is in the passages, and that it points the same way as they. */
  covered: number
  agrees: number
  /** From both, not yet a chance: see `confidenceOf`. */
  score: number
}

/** With the encoder's `nearness` of the sentence to the nearest ones, 0 to 1, or null without an encoder. */
export const judgeSupport = (
  { coverage, agreement, verbatim, contrary }: ReadClaim,
  nearness: number | null,
  by: Omit<Fitted, 'answer'> = fitted,
): Supported => {
  const covered =
    nearness === null ? applyLogistic(by.coveredByWords, coverage) : applyLogistic(by.covered, [...coverage, nearness])
  const fit = applyLogistic(by.agrees, agreement)
  const agrees = verbatim ? Math.max(verbatimAgreement, fit) : contrary ? Math.min(contraryAgreement, fit) : fit
  return { covered, agrees, score: mixed({ covered, agrees }) }
}

/** Agreement counts twice: to say the contrary of a source is worse than to say a little more than it. */
export const mixed = ({ covered, agrees }: { covered: number; agrees: number }): number => covered * agrees ** 2
