/**
 * How far a confidence can be trusted, on replies and claims that people judged. Everything is cross-validated: each pair is judged by
 * coefficients that were fitted on others, and pairs about the same text are never on both sides. "As shipped" is what
 * `lib/trust/fitted.ts` says: a proof only on pairs that it was not fitted on.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  beginSets,
  evidenceFile,
  type JudgedPair,
  measurePicks,
  readBegin,
  readEvidence,
} from '#lib/evals/citations.ts'
import { embed } from '#lib/gateway/index.ts'
import { supportWords } from '#lib/shared/support.ts'
import { contentWords } from '#lib/shared/text.ts'
import {
  areaUnderCurve,
  calibrationError,
  fitLogistic,
  type Outcome,
  reliability,
  riskCoverage,
  wilsonInterval,
} from '#lib/trust/calibrate.ts'
import { createClaimReader } from '#lib/trust/claims.ts'
import { answerFeatures, chanceOf } from '#lib/trust/confidence.ts'
import { type Fitted, fitted } from '#lib/trust/fitted.ts'
import { judgeSupport, type ReadClaim, type ReadPassage, readClaim, readPassage } from '#lib/trust/support.ts'
import { dot } from './softmax.ts'

export type Metric = { value: number; low: number; high: number; baseline: number | null; pass: boolean | null }
export type TrustReport = { metrics: Record<string, Metric>; lines: string[] }

const folds = 5
const supportAim = 0.65
const calibrationErrorMax = 0.05
const l2 = { covered: 2, agrees: 2, answer: 0.1 }
const thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

type Read = { reading: ReadClaim; nearness: number | null }
type Item = JudgedPair & {
  /** `unrelated`: a claim beside the text that is nearest among those that do not speak of it. Made here, not judged by people. */
  set: string
  fold: number
  /** Share of its words that the text has. */
  overlap: number
  whole: Read
  sentences: Read[]
}

const isJudged = ({ set }: Item): boolean => set !== 'unrelated'
const foldOf = (text: string): number => (createHash('sha256').update(text).digest()[0] ?? 0) % folds

const plainOverlap = (claim: string, text: string): number => {
  const said = [...new Set(contentWords(claim))]
  const there = new Set(contentWords(text))
  return said.length === 0 ? 0 : said.filter((word) => there.has(word)).length / said.length
}

/** Every claim once more, with the text of another that shares most words with it. */
const unrelatedTo = (pairs: readonly JudgedPair[]): JudgedPair[] => {
  const texts = [...new Map(pairs.map((pair) => [pair.text, pair])).values()].map((pair) => ({
    pair,
    words: new Set(supportWords(pair.text)),
  }))
  return pairs.flatMap(({ claim, text }) => {
    const said = [...new Set(supportWords(claim))]
    const others = texts
      .filter(({ pair }) => pair.text !== text)
      .map(({ pair, words }) => ({ pair, shared: said.filter((word) => words.has(word)).length }))
    const [nearest] = others.sort((a, b) => b.shared - a.shared)
    return nearest ? [{ ...nearest.pair, claim, supports: false }] : []
  })
}

const encodeAtOnce = 64

/** Cosines of texts, each encoded once; null where there is no encoder. */
const encodeAll = async (texts: readonly string[], progress: (line: string) => void) => {
  const known = new Map<string, Float32Array>()
  const wanted = [...new Set(texts)]
  try {
    for (let from = 0; from < wanted.length; from += encodeAtOnce) {
      const batch = wanted.slice(from, from + encodeAtOnce)
      const { vectors } = await embed(batch, { purpose: 'passage' })
      for (const [at, text] of batch.entries()) known.set(text, vectors[at] ?? new Float32Array())
      progress(`${Math.min(from + encodeAtOnce, wanted.length)} of ${wanted.length} sentences encoded`)
    }
  } catch {
    return null
  }
  return (text: string, others: readonly string[]): number => {
    const own = known.get(text) ?? new Float32Array()
    const cosines = others.map((other) => dot(own, known.get(other) ?? own))
    return Math.min(1, Math.max(0, ...cosines))
  }
}

const readItems = async (dir: string, lines: string[], progress: (line: string) => void): Promise<Item[]> => {
  const sets: [string, JudgedPair[]][] = []
  for (const name of beginSets) {
    const path = join(dir, `${name}.tsv`)
    if (existsSync(path)) sets.push([name, await readBegin(path)])
    else lines.push(`${path}: not there`)
  }
  const claimsPath = join(dir, evidenceFile)
  if (existsSync(claimsPath)) {
    const pairs = (await readEvidence(claimsPath)).map(({ claim, title, sentences, label }) => ({
      claim,
      text: sentences.join(' '),
      around: title,
      supports: label === 'SUPPORT',
    }))
    sets.push(['scifact', pairs], ['unrelated', unrelatedTo(pairs)])
  } else lines.push(`${claimsPath}: not there`)

  const passages = new Map<string, ReadPassage>()
  const passageOf = ({ text, around }: JudgedPair): ReadPassage => {
    const made = passages.get(text) ?? readPassage({ text, ...(around === undefined ? {} : { around }) })
    passages.set(text, made)
    return made
  }
  const foldOfClaim = new Map(
    sets.flatMap(([name, pairs]) => (name === 'scifact' ? pairs : [])).map(({ claim, text }) => [claim, foldOf(text)]),
  )
  const items = sets.flatMap(([set, pairs]) =>
    pairs.map((pair): Item => {
      const read = (text: string): Read => ({ reading: readClaim(text, [passageOf(pair)]), nearness: null })
      const reader = createClaimReader()
      const sentences = [...reader.push(pair.claim), ...reader.end()].filter(({ claims }) => claims)
      return {
        ...pair,
        set,
        fold: set === 'unrelated' ? (foldOfClaim.get(pair.claim) ?? 0) : foldOf(pair.text),
        overlap: plainOverlap(pair.claim, `${pair.around ?? ''} ${pair.text}`),
        whole: read(pair.claim),
        sentences: (sentences.length > 0 ? sentences : [{ text: pair.claim }]).map(({ text }) => read(text)),
      }
    }),
  )
  const reads = items.flatMap(({ whole, sentences }) => [whole, ...sentences])
  const near = await encodeAll(
    reads.flatMap(({ reading }) => [reading.claim, ...reading.nearest]),
    progress,
  )
  if (near) for (const read of reads) read.nearness = near(read.reading.claim, read.reading.nearest)
  else lines.push('no encoder: by words alone')
  return items
}

type Heads = Omit<Fitted, 'answer'>

const fitHeads = (items: readonly Item[]): Heads => {
  // A text that contradicts a claim speaks of it all the same.
  const covered = items.map((item) => ({ item, right: item.set === 'scifact' || item.supports }))
  const withMeaning = covered.filter(({ item }) => item.whole.nearness !== null)
  return {
    coveredByWords: fitLogistic(
      covered.map(({ item, right }) => ({ features: item.whole.reading.coverage, right })),
      { l2: l2.covered },
    ),
    covered: fitLogistic(
      withMeaning.map(({ item, right }) => ({
        features: [...item.whole.reading.coverage, item.whole.nearness ?? 0],
        right,
      })),
      { l2: l2.covered },
    ),
    agrees: fitLogistic(
      items
        .filter((item) => item.set === 'scifact' || (isJudged(item) && item.supports))
        .map((item) => ({ features: item.whole.reading.agreement, right: item.supports })),
      { l2: l2.agrees },
    ),
  }
}

const scoresOf = ({ sentences }: Item, heads: Heads, words: boolean): number[] =>
  sentences.map(({ reading, nearness }) => judgeSupport(reading, words ? null : nearness, heads).score)

const splitBy = (items: readonly Item[], fold: number): [Item[], Item[]] => [
  items.filter((one) => one.fold !== fold),
  items.filter((one) => one.fold === fold),
]

/** The last step learns from pairs that the heads have not seen, or it would learn to be too sure. */
const fitAnswer = (items: readonly Item[]): Fitted['answer'] => {
  const unseen = [...Array(folds).keys()].flatMap((fold) => {
    const [others, own] = splitBy(items, fold)
    if (own.length === 0) return []
    const heads = fitHeads(others)
    return own
      .filter(isJudged)
      .map((item) => ({ features: answerFeatures(scoresOf(item, heads, false)), right: item.supports }))
  })
  return fitLogistic(unseen, { l2: l2.answer })
}

const fitAll = (items: readonly Item[]): Fitted => ({ ...fitHeads(items), answer: fitAnswer(items) })

type Said = Outcome & { item: Item }

const judgeBy = (items: readonly Item[], by: Fitted, words = false): Said[] =>
  items.map((item) => ({ item, right: item.supports, probability: chanceOf(scoresOf(item, by, words), by.answer) }))

/** Hanley and McNeil (1982). */
const aucInterval = (auc: number, rights: number, wrongs: number): { low: number; high: number } => {
  const [one, two] = [auc / (2 - auc), (2 * auc ** 2) / (1 + auc)]
  const variance =
    (auc * (1 - auc) + (rights - 1) * (one - auc ** 2) + (wrongs - 1) * (two - auc ** 2)) / (rights * wrongs)
  const half = 1.96 * Math.sqrt(Math.max(0, variance))
  return { low: Math.max(0, auc - half), high: Math.min(1, auc + half) }
}

const aucOf = (said: readonly { score: number; right: boolean }[]): number => areaUnderCurve(said) ?? 0
const of = (set: string, said: readonly Said[]): Said[] => said.filter(({ item }) => item.set === set)
const scored = (said: readonly Said[]) => said.map(({ probability, right }) => ({ score: probability, right }))
const shown = (value: number): string => value.toFixed(3).replace(/^0/, '')
const column = (value: string | number, width: number): string =>
  (typeof value === 'number' ? shown(value) : value).padStart(width)

const source = (by: Fitted): string => {
  const rounded = (value: number): number => Math.round(value * 100) / 100
  const model = ({ bias, weights }: Fitted['answer']): string =>
    `{ bias: ${rounded(bias)}, weights: [${weights.map(rounded).join(', ')}] }`
  return [
    'export const fitted: Fitted = {',
    ...(['coveredByWords', 'covered', 'agrees', 'answer'] as const).map((name) => `  ${name}: ${model(by[name])},`),
    '}',
  ].join('\n')
}

/** Measures on what `dir` holds; what it does not is named and passed over. */
export const evaluateTrust = async (
  dir: string,
  { fit, progress }: { fit: boolean; progress: (line: string) => void },
): Promise<TrustReport> => {
  const lines: string[] = []
  const metrics: TrustReport['metrics'] = {}
  const items = await readItems(dir, lines, progress)
  if (items.length === 0) return { metrics, lines }
  if (fit) return { metrics, lines: [...lines, source(fitAll(items))] }

  const crossed: Said[] = []
  const byWords: Said[] = []
  for (const fold of Array(folds).keys()) {
    const [others, own] = splitBy(items, fold)
    if (own.length === 0 || others.length === 0) continue
    const by = fitAll(others)
    crossed.push(...judgeBy(own, by))
    byWords.push(...judgeBy(own, by, true))
    progress(`fold ${fold + 1} of ${folds}`)
  }
  const shipped = judgeBy(items, fitted)

  const sets = [...new Set(items.filter(isJudged).map(({ set }) => set))]
  lines.push(
    'Is it supported? Area under the curve, cross-validated',
    `${'set'.padEnd(12)} ${['right', 'wrong', 'overlap', 'trust', 'low', 'high', 'words', 'shipped'].map((name) => name.padStart(8)).join('')}`,
  )
  for (const set of sets) {
    const own = of(set, crossed)
    const rights = own.filter(({ right }) => right).length
    const overlap = aucOf(own.map(({ item, right }) => ({ score: item.overlap, right })))
    const value = aucOf(scored(own))
    const interval = aucInterval(value, rights, own.length - rights)
    const pass = set === 'scifact' ? value >= supportAim : value >= overlap
    metrics[`auc.${set}`] = { value, ...interval, baseline: overlap, pass }
    lines.push(
      `${set.padEnd(12)} ${[String(rights), String(own.length - rights), overlap, value, interval.low, interval.high, aucOf(scored(of(set, byWords))), aucOf(scored(of(set, shipped)))].map((cell) => column(cell, 8)).join('')}`,
    )
  }
  const beside = [...of('unrelated', crossed), ...of('scifact', crossed).filter(({ right }) => right)]
  if (beside.length > 0) {
    const overlap = aucOf(beside.map(({ item, right }) => ({ score: item.overlap, right })))
    const value = aucOf(scored(beside))
    const rights = beside.filter(({ right }) => right).length
    metrics['auc.unrelated'] = {
      value,
      ...aucInterval(value, rights, beside.length - rights),
      baseline: overlap,
      pass: null,
    }
    lines.push(`supported claims against claims beside another text: overlap ${shown(overlap)}, trust ${shown(value)}`)
  }

  const judged = crossed.filter(({ item }) => isJudged(item))
  const error = calibrationError(judged)
  metrics.ece = { value: error, low: error, high: error, baseline: null, pass: error <= calibrationErrorMax }
  const errors = sets.map((set) => `${set} ${shown(calibrationError(of(set, crossed)))}`).join(', ')
  lines.push(
    '',
    `Does a confidence mean what it says? ${judged.length} judged, expected calibration error ${shown(error)}; by words alone ${shown(calibrationError(byWords.filter(({ item }) => isJudged(item))))}; as shipped ${shown(calibrationError(shipped.filter(({ item }) => isJudged(item))))}`,
    `within one set, whose share of right ones differs from the mean of all: ${errors}`,
    '  from    to count   said  right    low   high',
    ...reliability(judged).map(
      ({ from, to, count, said, right, low, high }) =>
        `${column(from, 6)}${column(to, 6)}${column(String(count), 6)}${[said, right, low, high].map((cell) => column(cell, 7)).join('')}`,
    ),
    '',
    'What is held, of the wrong or unsupported and of the right, when everything below a threshold is',
    'threshold  wrong held  right held  wrong of shown  shown',
  )
  for (const { threshold, wrongHeld, rightHeld, risk, coverage } of riskCoverage(crossed, thresholds)) {
    const wrongs = crossed.filter(({ right }) => !right).length
    metrics[`held.${threshold}`] = {
      value: wrongHeld,
      ...wilsonInterval(Math.round(wrongHeld * wrongs), wrongs),
      baseline: rightHeld,
      pass: null,
    }
    lines.push(
      `${column(threshold, 9)}${column(wrongHeld, 12)}${column(rightHeld, 12)}${column(risk, 16)}${column(coverage, 7)}`,
    )
  }

  const claimsPath = join(dir, evidenceFile)
  if (existsSync(claimsPath)) {
    const claims = (await readEvidence(claimsPath)).map(({ evidence, ...claim }) => ({ ...claim, evidence }))
    const picks = measurePicks(claims)
    const share = (value: number): Metric => ({
      value,
      ...wilsonInterval(Math.round(value * picks.claims), picks.claims),
      baseline: null,
      pass: null,
    })
    metrics['citation.precision'] = share(picks.sentencePrecision)
    metrics['citation.recall'] = share(picks.any)
    metrics['citation.strongest'] = share(picks.strongest)
    lines.push(
      '',
      `Citations against the evidence sentences of ${picks.claims} claims: precision (quoted sentences that are evidence) ${shown(picks.sentencePrecision)}, recall (claims with evidence in the quote) ${shown(picks.any)}, the strongest quoted sentence is evidence ${shown(picks.strongest)}`,
    )
  }
  return { metrics, lines }
}
