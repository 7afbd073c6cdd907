/**
 * How far a confidence can be trusted, on replies and claims that people judged, three times over. "Anew": each pair is judged by
 * coefficients that were fitted on the other folds, which share no text and no claim with it: out of sample, but coefficients that
 * nobody runs. "Shipped": those of `lib/trust/fitted.ts`, which were fitted on these very pairs. "Shown": the confidence that
 * `verifyAnswer` gives with them, caps and all, as a person sees it. Each has to be as asked.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { closeDatabase, holdDatabase } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { evidenceFile, measurePicks, readEvidence } from '#lib/evals/citations.ts'
import { createEvaluator } from '#lib/evals/evaluator.ts'
import { settleLeases } from '#lib/gateway/admit.ts'
import { contentWords } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { calibrationError, fitLogistic, type Outcome, reliability, riskCoverage } from '#lib/trust/calibrate.ts'
import { createClaimReader } from '#lib/trust/claims.ts'
import { answerFeatures, chanceOf } from '#lib/trust/confidence.ts'
import { type Fitted, fitted } from '#lib/trust/fitted.ts'
import { createMeaning, type Meaning } from '#lib/trust/index.ts'
import { judgeSupport, type ReadClaim, type ReadPassage, readClaim, readPassage } from '#lib/trust/support.ts'
import { evaluateJudge } from './eval-judge.ts'
import {
  aucMetric,
  aucOf,
  column,
  type Scored,
  shareMetric,
  shown,
  type TrustCall,
  type TrustReport,
  verdictOf,
} from './eval-metric.ts'
import { folds, type Pair, readPairs, scientificSet, unrelatedSet } from './eval-pairs.ts'
import { verifyPair } from './eval-shown.ts'
import { dot } from './softmax.ts'

const supportAim = 0.65
const calibrationErrorMax = 0.05
const l2 = { covered: 2, agrees: 2, answer: 0.1 }
const thresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

type Read = { reading: ReadClaim; nearness: number | null }
type Item = Pair & {
  /** Share of its words that the text has. */
  overlap: number
  whole: Read
  sentences: Read[]
}

const isJudged = ({ set }: Pair): boolean => set !== unrelatedSet

const plainOverlap = (claim: string, text: string): number => {
  const said = [...new Set(contentWords(claim))]
  const there = new Set(contentWords(text))
  return said.length === 0 ? 0 : said.filter((word) => there.has(word)).length / said.length
}

const encodeAtOnce = 64

/** A meaning that has the texts already, so that on a busy machine none comes too late; null where there is no encoder. */
const encodedAhead = async (
  meaning: Meaning | null,
  texts: readonly string[],
  progress: TrustCall['progress'],
): Promise<{ meaning: Meaning; vectors: ReadonlyMap<string, Float32Array> } | null> => {
  if (!meaning) return null
  const vectors = new Map<string, Float32Array>()
  const learn = async (batch: readonly string[]): Promise<void> => {
    for (const [at, vector] of (await meaning.encode(batch)).entries()) {
      const text = batch[at]
      if (vector && text !== undefined) vectors.set(text, vector)
    }
  }
  const wanted = [...new Set(texts)]
  try {
    for (let from = 0; from < wanted.length; from += encodeAtOnce) {
      await learn(wanted.slice(from, from + encodeAtOnce))
      progress(`${Math.min(from + encodeAtOnce, wanted.length)} of ${wanted.length} sentences encoded`)
    }
  } catch {
    return null
  }
  const encode: Meaning['encode'] = async (asked) => {
    const unknown = asked.filter((text) => !vectors.has(text))
    if (unknown.length > 0) await learn(unknown)
    return asked.map((text) => vectors.get(text) ?? null)
  }
  return { meaning: { ...meaning, encode }, vectors }
}

const readItem = (pair: Pair, passage: ReadPassage): Item => {
  const read = (text: string): Read => ({ reading: readClaim(text, [passage]), nearness: null })
  const reader = createClaimReader()
  const sentences = [...reader.push(pair.claim), ...reader.end()].filter(({ claims }) => claims)
  return {
    ...pair,
    overlap: plainOverlap(pair.claim, `${pair.around ?? ''} ${pair.text}`),
    whole: read(pair.claim),
    sentences: (sentences.length > 0 ? sentences : [{ text: pair.claim }]).map(({ text }) => read(text)),
  }
}

/** `meaning` is what the product would take. */
const readItems = async (
  pairs: readonly Pair[],
  own: Meaning | null,
  progress: TrustCall['progress'],
): Promise<{ items: Item[]; meaning: Meaning | null }> => {
  const passages = new Map<string, ReadPassage>()
  const items = pairs.map((pair) => {
    const { text, around } = pair
    const passage = passages.get(text) ?? readPassage({ text, ...(around === undefined ? {} : { around }) })
    passages.set(text, passage)
    return readItem(pair, passage)
  })
  const reads = items.flatMap(({ whole, sentences }) => [whole, ...sentences])
  const encoded = await encodedAhead(
    own,
    reads.flatMap(({ reading }) => [reading.claim, ...reading.nearest]),
    progress,
  )
  if (!encoded) return { items, meaning: null }
  const { vectors, meaning } = encoded
  const vectorOf = (text: string): Float32Array => vectors.get(text) ?? new Float32Array()
  for (const read of reads) {
    const { claim, nearest } = read.reading
    const cosine = Math.max(...nearest.map((other) => dot(vectorOf(claim), vectorOf(other))))
    // As the verifier scales it.
    read.nearness = Math.min(1, Math.max(0, (cosine - meaning.unlike) / (1 - meaning.unlike)))
  }
  return { items, meaning }
}

type Heads = Omit<Fitted, 'answer'>

const fitHeads = (items: readonly Item[]): Heads => {
  // A text that contradicts a claim speaks of it all the same.
  const covered = items.map((item) => ({ item, right: item.set === scientificSet || item.supports }))
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
        .filter((item) => item.set === scientificSet || (isJudged(item) && item.supports))
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

const crossValidated = (
  items: readonly Item[],
  progress: TrustCall['progress'],
): { anew: Said[]; anewWords: Said[] } => {
  const [anew, anewWords]: [Said[], Said[]] = [[], []]
  for (const fold of Array(folds).keys()) {
    const [others, own] = splitBy(items, fold)
    if (own.length === 0 || others.length === 0) continue
    const by = fitAll(others)
    anew.push(...judgeBy(own, by))
    anewWords.push(...judgeBy(own, by, true))
    progress(`fold ${fold + 1} of ${folds}`)
  }
  return { anew, anewWords }
}

/** What people would see. No confidence is to a policy what a low one is. */
const showAll = async (
  items: readonly Item[],
  meaning: Meaning | null,
  progress: TrustCall['progress'],
): Promise<Said[]> => {
  const said: Said[] = []
  for (const item of items) {
    const { confidence } = await verifyPair(item, { meaning })
    said.push({ item, right: item.supports, probability: confidence ?? 0 })
    if (said.length % 200 === 0) progress(`${said.length} of ${items.length} verified`)
  }
  return said
}

const of = (set: string, said: readonly Said[]): Said[] => said.filter(({ item }) => item.set === set)
const judgedOf = (said: readonly Said[]): Said[] => said.filter(({ item }) => isJudged(item))
const scored = (said: readonly Said[]): Scored[] =>
  said.map(({ probability, right }) => ({ score: probability, right }))
const overlapOf = (said: readonly Said[]): number =>
  aucOf(said.map(({ item, right }) => ({ score: item.overlap, right })))

/** `anewWords` and `shippedWords`: as if there were no encoder. */
type Judged = Record<'anew' | 'anewWords' | 'shipped' | 'shippedWords' | 'shown', Said[]>
const ways = ['anew', 'anewWords', 'shipped', 'shippedWords', 'shown'] as const
/** In names of metrics; the one that is out of sample has the plain name. */
const suffix = {
  anew: '',
  anewWords: '.words',
  shipped: '.shipped',
  shippedWords: '.shipped-words',
  shown: '.shown',
} as const
const nameOf: Record<keyof Judged, string> = {
  anew: 'anew',
  anewWords: 'anew, words',
  shipped: 'shipped',
  shippedWords: 'shipped, words',
  shown: 'shown',
}

const groundedness = (judged: Judged, sets: readonly string[]): TrustReport => {
  const metrics: TrustReport['metrics'] = {}
  const lines = [
    'Is it supported? Area under the curve.',
    '  anew: by coefficients fitted without the folds they judge; out of sample. Low and high: 95 in 100, as of pairs that share nothing',
    '  shipped: by the coefficients of the product, which were fitted on these very pairs; in sample',
    '  shown: the confidence that people see, by the shipped ones',
    '  words: without an encoder',
    `Each is asked for no less than word overlap, and for ${shown(supportAim)} on ${scientificSet}, where support is told from contradiction.`,
    `${'set'.padEnd(12)}${['right', 'wrong', 'overlap', 'anew', 'low', 'high', 'words', 'shipped', 'words', 'shown', 'as asked'].map((name) => name.padStart(9)).join('')}`,
  ]
  for (const set of sets) {
    const baseline = overlapOf(of(set, judged.anew))
    const least = set === scientificSet ? supportAim : baseline
    const found = ways.map((way) => {
      const own = scored(of(set, judged[way]))
      return aucMetric(own, { baseline, pass: aucOf(own) >= least })
    })
    for (const [at, way] of ways.entries()) {
      const metric = found[at]
      if (metric) metrics[`auc.${set}${suffix[way]}`] = metric
    }
    const [anew, ...others] = found
    const rights = of(set, judged.anew).filter(({ right }) => right).length
    const cells = [
      ...[rights, of(set, judged.anew).length - rights].map(String),
      ...[baseline, anew?.value ?? 0, anew?.low ?? 0, anew?.high ?? 1, ...others.map(({ value }) => value)],
      verdictOf(found.every(({ pass }) => pass)),
    ]
    lines.push(`${set.padEnd(12)}${cells.map((cell) => column(cell, 9)).join('')}`)
  }
  const beside = [...of(unrelatedSet, judged.anew), ...of(scientificSet, judged.anew).filter(({ right }) => right)]
  if (beside.length > 0) {
    const baseline = overlapOf(beside)
    const metric = aucMetric(scored(beside), { baseline })
    metrics['auc.unrelated'] = metric
    lines.push(
      `supported claims against claims beside another text of their fold: overlap ${shown(baseline)}, anew ${shown(metric.value)}`,
    )
  }
  return { metrics, lines }
}

const bins = (said: readonly Said[]): string[] => [
  '  from    to count   said  right    low   high',
  ...reliability(said).map(
    ({ from, to, count, said: mean, right, low, high }) =>
      `${column(from, 6)}${column(to, 6)}${column(String(count), 6)}${[mean, right, low, high].map((cell) => column(cell, 7)).join('')}`,
  ),
]

const calibration = (judged: Judged, sets: readonly string[]): TrustReport => {
  const metrics: TrustReport['metrics'] = {}
  const lines = [
    `Does a confidence mean what it says? Expected calibration error over ${judgedOf(judged.anew).length} judged pairs; at most ${shown(calibrationErrorMax)} is asked of all sets together,`,
    'for within one set the share of right ones differs from the mean of all. What is shown has the cap for a figure that no source has; match, fit,',
    'contradictions between passages and a judge play no part here, for these pairs have no question and one passage each.',
    `${''.padEnd(14)}${['all', 'as asked', ...sets].map((name) => name.padStart(13)).join('')}`,
  ]
  for (const way of ways) {
    const own = judgedOf(judged[way])
    const value = calibrationError(own)
    const pass = way.endsWith('Words') ? null : value <= calibrationErrorMax
    const cells = [value, pass === null ? '' : verdictOf(pass), ...sets.map((set) => calibrationError(of(set, own)))]
    lines.push(`${nameOf[way].padEnd(14)}${cells.map((cell) => column(cell, 13)).join('')}`)
    metrics[`ece${suffix[way]}`] = { value, low: null, high: null, baseline: null, pass }
  }
  lines.push('', 'anew', ...bins(judgedOf(judged.anew)), '', 'shown', ...bins(judgedOf(judged.shown)))
  return { metrics, lines }
}

const riskOf = (judged: Judged): TrustReport => {
  const metrics: TrustReport['metrics'] = {}
  const [anew, seen] = [judgedOf(judged.anew), judgedOf(judged.shown)]
  const wrongs = seen.filter(({ right }) => !right).length
  const lines = [
    'What is held, of the wrong or unsupported and of the right, when everything below a threshold is; judged pairs alone',
    `${'threshold'.padEnd(12)} ${['wrong held', 'right held', 'wrong of shown', 'shown'].map((name) => name.padStart(15)).join('')}    (anew: wrong held, right held)`,
  ]
  const inFolds = new Map(riskCoverage(anew, thresholds).map((point) => [point.threshold, point]))
  for (const { threshold, wrongHeld, rightHeld, risk, coverage } of riskCoverage(seen, thresholds)) {
    const beside = inFolds.get(threshold)
    metrics[`held.${threshold}.shown`] = shareMetric(wrongHeld, wrongs, rightHeld)
    if (beside) metrics[`held.${threshold}`] = shareMetric(beside.wrongHeld, wrongs, beside.rightHeld)
    lines.push(
      `${shown(threshold).padEnd(12)} ${[wrongHeld, rightHeld, risk, coverage].map((cell) => column(cell, 15)).join('')}    ${beside ? `${shown(beside.wrongHeld)} ${shown(beside.rightHeld)}` : ''}`,
    )
  }
  const made = of(unrelatedSet, judged.anew)
  if (made.length > 0) {
    const held = thresholds.map(
      (threshold) => made.filter(({ probability }) => probability < threshold).length / made.length,
    )
    lines.push(
      `of ${made.length} pairs made of a claim and another text, which nobody judged, held at ${thresholds.map((threshold, at) => `${shown(threshold)}: ${shown(held[at] ?? 0)}`).join(', ')} (anew)`,
    )
  }
  return { metrics, lines }
}

const citations = async (dir: string): Promise<TrustReport> => {
  const path = join(dir, evidenceFile)
  if (!existsSync(path)) return { metrics: {}, lines: [] }
  const { claims, sentencePrecision, any, strongest } = measurePicks(await readEvidence(path))
  return {
    metrics: {
      'citation.precision': shareMetric(sentencePrecision, claims),
      'citation.recall': shareMetric(any, claims),
      'citation.strongest': shareMetric(strongest, claims),
    },
    lines: [
      `Citations against the evidence sentences of ${claims} claims: precision (quoted sentences that are evidence) ${shown(sentencePrecision)}, recall (claims with evidence in the quote) ${shown(any)}, the strongest quoted sentence is evidence ${shown(strongest)}`,
    ],
  }
}

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

const evaluate = async (
  dir: string,
  pairs: readonly Pair[],
  viewer: Viewer,
  { fit, judgeSample, progress }: TrustCall,
): Promise<TrustReport> => {
  const { items, meaning } = await readItems(pairs, await createMeaning(viewer), progress)
  const unencoded = meaning ? [] : ['no encoder: by words alone']
  if (fit) return { metrics: {}, lines: [...unencoded, source(fitAll(items))] }
  const real = items.filter(isJudged)
  const judged: Judged = {
    ...crossValidated(items, progress),
    shipped: judgeBy(items, fitted),
    shippedWords: judgeBy(items, fitted, true),
    shown: await showAll(real, meaning, progress),
  }
  const sets = [...new Set(real.map(({ set }) => set))]
  const parts = [
    groundedness(judged, sets),
    calibration(judged, sets),
    riskOf(judged),
    await citations(dir),
    ...(judgeSample === null ? [] : [await evaluateJudge(real, { viewer, meaning, sample: judgeSample, progress })]),
  ]
  return {
    metrics: Object.fromEntries(parts.flatMap(({ metrics }) => Object.entries(metrics))),
    lines: [...unencoded, ...parts.flatMap(({ lines }) => [...lines, ''])],
  }
}

/**
 * Measures on what `dir` holds; what it does not is named and passed over. The process's database is a scratch one while this runs,
 * and what is encoded is encoded by the built-in encoder.
 */
export const evaluateTrust = async (dir: string, call: TrustCall): Promise<TrustReport> => {
  const { pairs, missing } = await readPairs(dir)
  const absent = missing.map((path) => `${path}: not there`)
  if (pairs.length === 0) return { metrics: {}, lines: absent }
  holdDatabase(await openMemoryDatabase())
  try {
    const { viewer } = await createEvaluator()
    const { metrics, lines } = await evaluate(dir, pairs, viewer, call)
    return { metrics, lines: [...absent, ...lines] }
  } finally {
    // What calls of a judge have reserved is in this database.
    await settleLeases()
    await closeDatabase()
  }
}
