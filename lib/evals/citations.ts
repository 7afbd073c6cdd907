/**
 * Proof of citations: how well the product's own check tells what a passage supports, whether it picks the sentence that says it,
 * and whether the answers to the demo questions cite the words that answer them.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { closeDatabase, database, holdDatabase } from '#db/client.ts'
import { demoDocuments, demoQuestions } from '#db/demo/questions.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { indexParsed } from '#ingestion/pipeline.ts'
import { parseFile } from '#ingestion/sandbox.ts'
import { loadChat, respond } from '#lib/chat/index.ts'
import { warmGateway } from '#lib/gateway/index.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { findSupport, supportScoreMin } from '#lib/shared/support.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { createEvaluator } from './evaluator.ts'

/** Of "supported" among judged pairs of a claim and a passage. */
export type SupportReport = {
  dataset: string
  supporting: number
  others: number
  /** Least score of "supported"; a veto may still refuse. */
  threshold: number
  precision: number
  recall: number
  /** Of the score alone, without vetoes. */
  auc: number
}

export type PickReport = {
  claims: number
  /** Share of claims whose strongest quoted sentence is a judged evidence sentence. */
  strongest: number
  /** Share of claims with an evidence sentence anywhere in the quote. */
  any: number
  /** Share of the quoted sentences that are evidence sentences. */
  sentencePrecision: number
  msPerClaim: number
}

export type AnswersReport = {
  questions: number
  citations: number
  /** Share of cited quotes that hold the expected phrase, or their claim word for word. */
  precision: number
  /** Share of cited quotes that hold the expected phrase itself. */
  onPoint: number
  /** Share of questions whose expected phrase is in a cited quote. */
  recall: number
  /** Share of citations that the product's own check calls supported. */
  supported: number
  /** Questions whose expected phrase was not cited. */
  missed: string[]
}

export type CitationReport = { support: SupportReport[]; picks: PickReport; answers: AnswersReport }

export const beginSets = ['cmu-dog', 'topicalchat', 'wow']
export const evidenceFile = 'scifact-evidence.jsonl'
/** What the folder of judged claims has to hold. */
export const groundednessFiles: readonly string[] = [...beginSets.map((name) => `${name}.tsv`), evidenceFile]

export type JudgedPair = { claim: string; text: string; around?: string; supports: boolean }

const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** The chance that a supporting pair scores higher than another one; a tie is half (Mann and Whitney, 1947). */
const areaUnderCurve = (supporting: readonly number[], others: readonly number[]): number => {
  let won = 0
  for (const one of supporting) for (const other of others) won += one > other ? 1 : one === other ? 0.5 : 0
  return shareOf(won, supporting.length * others.length)
}

/** Puts each pair to the product's check and counts. */
export const measureSupport = (dataset: string, pairs: readonly JudgedPair[]): SupportReport => {
  const judged = pairs.map(({ supports, claim, ...passage }) => ({ supports, ...findSupport(claim, passage) }))
  const [supporting, others] = [judged.filter((one) => one.supports), judged.filter((one) => !one.supports)]
  const right = supporting.filter(({ supported }) => supported).length
  const called = judged.filter(({ supported }) => supported).length
  return {
    dataset,
    supporting: supporting.length,
    others: others.length,
    threshold: supportScoreMin,
    precision: shareOf(right, called),
    recall: shareOf(right, supporting.length),
    auc: areaUnderCurve(
      supporting.map(({ score }) => score),
      others.map(({ score }) => score),
    ),
  }
}

/** `evidence`: numbers of the sentences, from 0, that people found to speak about the claim. */
export type EvidenceClaim = { claim: string; title: string; sentences: readonly string[]; evidence: readonly number[] }

/** Has the product quote the passage made of the sentences, and counts which of them it quotes. */
export const measurePicks = (claims: readonly EvidenceClaim[]): PickReport => {
  let [strongest, any, quoted, quotedEvidence] = [0, 0, 0, 0]
  const startedMs = performance.now()
  for (const { claim, title, sentences, evidence } of claims) {
    const ends: number[] = []
    let text = ''
    for (const sentence of sentences) {
      text += `${text && ' '}${sentence}`
      ends.push(text.length)
    }
    const quote = findSupport(claim, { text, around: title })
    const picked = sentences
      .map((sentence, at) => ({ sentence, isEvidence: evidence.includes(at), end: ends[at] ?? 0 }))
      .filter(({ sentence, end }) => Math.min(quote.end, end) > Math.max(quote.start, end - sentence.length))
      .map((one) => ({ ...one, score: findSupport(claim, { text: one.sentence }).score }))
    const best = picked.reduce((a, b) => (b.score > a.score ? b : a), { isEvidence: false, score: -1 })
    const right = picked.filter(({ isEvidence }) => isEvidence).length
    if (best.isEvidence) strongest += 1
    if (right > 0) any += 1
    quoted += picked.length
    quotedEvidence += right
  }
  return {
    claims: claims.length,
    strongest: shareOf(strongest, claims.length),
    any: shareOf(any, claims.length),
    sentencePrecision: shareOf(quotedEvidence, quoted),
    msPerClaim: shareOf(performance.now() - startedMs, claims.length),
  }
}

export type CitedAnswer = {
  question: string
  contains: string
  citations: readonly Pick<Citation, 'quote' | 'claim' | 'supported'>[]
}

/** Letters and figures alone: a quote keeps the line ends and bars of its layout, an answer does not. */
const bare = (text: string): string =>
  (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).join(' ')
const holds = (text: string, part: string): boolean => part !== '' && ` ${bare(text)} `.includes(` ${bare(part)} `)

/** Counts what the answers cite against the phrase that each question's answer has to have. */
export const measureAnswers = (answers: readonly CitedAnswer[]): AnswersReport => {
  const cited = answers.flatMap(({ contains, citations }) => citations.map((citation) => ({ ...citation, contains })))
  const onPoint = cited.filter(({ quote, contains }) => holds(quote, contains)).length
  const missed = answers
    .filter(({ contains, citations }) => !citations.some(({ quote }) => holds(quote, contains)))
    .map(({ question }) => question)
  return {
    questions: answers.length,
    citations: cited.length,
    precision: shareOf(
      cited.filter(({ quote, claim, contains }) => holds(quote, contains) || holds(quote, claim)).length,
      cited.length,
    ),
    onPoint: shareOf(onPoint, cited.length),
    recall: shareOf(answers.length - missed.length, answers.length),
    supported: shareOf(cited.filter(({ supported }) => supported).length, cited.length),
    missed,
  }
}

/** Replies judged by people (BEGIN): knowledge in the third column, the reply in the fifth, the verdict in the last. */
export const readBegin = async (path: string): Promise<JudgedPair[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, , text, , claim, label] = line.trim().split('\t')
      if (!text || !claim || !label || !/attributable$/i.test(label)) return []
      return [{ claim, text, supports: /^fully/i.test(label) }]
    })

const evidenceSchema = z.object({
  claim: z.string(),
  title: z.string(),
  label: z.enum(['SUPPORT', 'CONTRADICT']),
  sentences: z.array(z.string().transform((sentence) => sentence.replace(/\s+/g, ' ').trim())),
  /** Alternatives, each enough. */
  evidence: z.array(z.array(z.number())).transform((alternatives) => alternatives.flat()),
})

export const readEvidence = async (path: string): Promise<z.output<typeof evidenceSchema>[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => evidenceSchema.parse(JSON.parse(line)))

const demoFolder = join(import.meta.dirname, '../../db/demo')

const indexDemo = async (viewer: Viewer, collectionId: string): Promise<void> => {
  const { db } = database()
  for (const { file: name } of demoDocuments) {
    const claim = await claimVersion(db, await createScratchDocument(db, viewer, { collectionId, name }))
    if (!claim) throw new Error(`no claim on ${name}`)
    await indexParsed(claim, await parseFile({ path: join(demoFolder, name), name }), new AbortController().signal)
  }
}

/** The citations of the stored answer, as a person would get it. */
const citationsFor = async (text: string, viewer: Viewer): Promise<Citation[]> => {
  const chatId = newId()
  const request = { chatId, messageId: newId(), text, trigger: 'submit' as const, collectionIds: [] }
  for await (const _ of await respond(request, viewer));
  const answer = (await loadChat(viewer, chatId))?.messages.at(-1)
  return (answer?.parts ?? []).flatMap((part) => (part.type === 'data-citation' ? [part.data] : []))
}

/** Asks every demo question of the demo documents. The process's database is a scratch one while this runs. */
const askDemo = async (onProgress: (line: string) => void): Promise<CitedAnswer[]> => {
  holdDatabase(await openMemoryDatabase())
  try {
    const { viewer, collectionId } = await createEvaluator()
    await warmGateway()
    await indexDemo(viewer, collectionId)
    onProgress(`${demoDocuments.length} demo documents indexed`)
    const answers: CitedAnswer[] = []
    for (const { question, contains } of demoQuestions)
      answers.push({ question, contains, citations: await citationsFor(question, viewer) })
    return answers
  } finally {
    await closeDatabase()
  }
}

export type CitationEvaluation = {
  /** Holds `groundednessFiles`. */
  dir: string
  onProgress?: (line: string) => void
}

/** Everything that can be said in figures about citations; the answers are those of the built-in answerer. */
export const evaluateCitations = async ({
  dir,
  onProgress = () => undefined,
}: CitationEvaluation): Promise<CitationReport> => {
  const support: SupportReport[] = []
  for (const name of beginSets) support.push(measureSupport(name, await readBegin(join(dir, `${name}.tsv`))))
  const claims = await readEvidence(join(dir, evidenceFile))
  const pairs = claims.map(({ claim, title, sentences, label }) => ({
    claim,
    text: sentences.join(' '),
    around: title,
    supports: label === 'SUPPORT',
  }))
  support.push(measureSupport('scifact', pairs))
  const picks = measurePicks(claims)
  onProgress('judged claims counted')
  return { support, picks, answers: measureAnswers(await askDemo(onProgress)) }
}
