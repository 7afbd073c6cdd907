/**
 * From a question to evidence: searched in stages over what the viewer may see, judged, widened, packed.
 *
 * Guarantees: access and filters are decided inside each leg's SQL; vectors of another model are never compared; a missing encoder
 * leaves the words and says so; a reranker that fails or is late leaves the order it was given; a passage that reads like an order
 * to a model and that nobody released is never among the evidence; when nothing relevant is there it says so (`found: false`), so
 * that no model is called on nothing. It does not answer the question. Throws when the database does.
 */
import { database } from '#db/client.ts'
import { type FoundChunk, getChunks } from '#db/queries/search.ts'
import { readAs } from '#db/visibility.ts'
import { inspect, settingsOf, type WorkspaceEncoder, workspaceEncoder } from '#lib/gateway/index.ts'
import type { RetrievalSettings } from '#lib/shared/gateway-settings.ts'
import type { PolicyFeature } from '#lib/shared/policy-contract.ts'
import type { DocumentFilter, RetrievalQuestion, RetrievalReport } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'
import type { Evidence, Passage } from './evidence.ts'
import { expand } from './expand.ts'
import { reportStages } from './explain.ts'
import type { Fused } from './fuse.ts'
import { keptRanking } from './kept-passages.ts'
import { pack } from './pack.ts'
import { type PolicyScope, policyScope } from './policy-scope.ts'
import { judgeRelevance } from './relevance.ts'
import { type Found, type StageRecord, search } from './stages.ts'
import { unlikeCosineOf } from './unlike.ts'

export { type CiteEvent, type Citer, claimsSomething, createCiter, fenceOpenedBy, saysNothingFound } from './cite.ts'
export type { Evidence } from './evidence.ts'
export { shortened } from './pack.ts'
export { heldPassages, releaseHeld } from './quarantine.ts'
export { unlikeCosineOf } from './unlike.ts'

/** One leg alone; both mixed; or both mixed and looked at once more, as a workspace has it that changed nothing. */
export type Legs = 'lexical' | 'vector' | 'hybrid' | 'hybrid+rerank'
export type RetrieveCall = {
  /** Who asks: the workspace's policy says which collections it may use. `search` where it is left out. */
  feature?: PolicyFeature
  collectionIds?: readonly string[]
  filter?: DocumentFilter
  /** Passages at most. */
  k?: number
  /** Whatever the settings say of them. */
  legs?: Legs
  /** Instead of the workspace's settings. */
  configuration?: RetrievalSettings
  tokensMax?: number
  /** Searches even where the same was found a moment ago. */
  fresh?: boolean
  trace?: Tracer
  signal?: AbortSignal
}

/** What each leg brings to the mix. */
const legLimit = 60
const passagesMax = 8
const tokensMaxDefault = 3_000
/** Chunks read from the database for one question: more than are packed, since some repeat each other. */
const readMax = 16
const nearestMax = 3

export const lexicalOnly = 'Search by meaning is not available right now; this was found by its words alone.'

const heldWords = (count: number): string =>
  count === 1
    ? '1 passage was left out because it reads like an order to the assistant. An admin can read and release it.'
    : `${count} passages were left out because they read like orders to the assistant. An admin can read and release them.`

type Prepared = { settings: RetrievalSettings; encoder: WorkspaceEncoder; scope: PolicyScope }

const prepare = async (
  { workspaceId }: Viewer,
  { configuration, legs, feature = 'search', collectionIds = [] }: RetrieveCall,
): Promise<Prepared> => {
  const [encoder, { settings }] = await Promise.all([workspaceEncoder(workspaceId), settingsOf(workspaceId)])
  const scope = policyScope(settings.policy, feature, collectionIds)
  const chosen = configuration ?? settings.retrieval
  if (legs === undefined) return { encoder, scope, settings: chosen }
  const both = { ...chosen, lexical: legs !== 'vector', vector: legs !== 'lexical' }
  if (legs === 'hybrid+rerank')
    return { encoder, scope, settings: { ...both, rerank: both.rerank === 'off' ? 'features' : both.rerank } }
  return { encoder, scope, settings: { ...both, graph: false, rewrite: 'off', rerank: 'off' } }
}

type Ranked = Pick<Found, 'ranked' | 'cosine' | 'standing' | 'heldBack' | 'stages'> & {
  /** Words for a banner when the vectors were missing. */
  degraded: string | null
}

const rankPrepared = async (
  question: string,
  viewer: Viewer,
  { filter = {}, k, trace, signal, ...prepared }: RetrieveCall & Prepared,
): Promise<Ranked> => {
  const { collectionIds } = prepared.scope
  if (collectionIds === null)
    return {
      ranked: [],
      cosine: null,
      standing: { words: null, agreement: null },
      heldBack: 0,
      stages: [],
      degraded: null,
    }
  const { wordsOnly, ...found } = await search({
    question,
    viewer,
    collectionIds,
    filter,
    settings: prepared.settings,
    encoder: prepared.encoder,
    limit: Math.max(legLimit, k ?? 0),
    shown: k ?? passagesMax,
    trace,
    signal,
  })
  return { ...found, degraded: wordsOnly ? lexicalOnly : null }
}

/** The ranking alone, with the legs' own ranks: what evaluations measure. */
export const rank = async (question: string, viewer: Viewer, call: RetrieveCall = {}): Promise<Ranked> =>
  rankPrepared(question, viewer, { ...call, ...(await prepare(viewer, call)) })

/** Stands for a title that reads like an order: a title goes into every prompt, and no release names it. */
const namelessTitle = 'Untitled document'

/** Titles as a prompt may have them. */
const safeTitles = async (titles: readonly string[], viewer: Viewer): Promise<Map<string, string>> => {
  const unlike = [...new Set(titles)]
  const inspected = await inspect(unlike, viewer)
  // Fail closed: a title that was not looked at has no name.
  return new Map(unlike.map((title, at) => [title, inspected[at]?.held === false ? title : namelessTitle]))
}

type Read = { fused: Pick<Fused, 'score' | 'lexical' | 'vector'>; chunk: FoundChunk; text: string; tokens: number }

const toPassage = ({ fused, chunk }: Read, title: string, n: number): Passage => {
  const { chunkId, ordinal: _, ...rest } = chunk
  const { score, lexical, vector } = fused
  return { ...rest, title, n, chunkId: String(chunkId), score, lexical, vector }
}

const nearestOf = (found: readonly Read[]): Evidence['nearest'] =>
  [...new Map(found.map(({ chunk }) => [chunk.documentId, chunk])).values()]
    .slice(0, nearestMax)
    .map(({ documentId, collectionId, versionId, title, mediaType, page, charStart, charEnd }) => ({
      documentId,
      collectionId,
      versionId,
      title,
      mediaType,
      page,
      charStart,
      charEnd,
    }))

const readScored = ({ chunk, fused }: Read) => ({ chunkId: chunk.chunkId, score: fused.score, parts: {} })

type Ranking = {
  ranking: Omit<Ranked, 'stages'>
  prepared: Prepared
  call: RetrieveCall
  /** The fingerprint of what was searched, where one was taken. */
  index: string | null
}

/** What is found of a ranking, read with its rights as they are now; with a record of the stages behind the ranking. */
const evidenceOf = async (
  question: string,
  viewer: Viewer,
  { ranking, prepared, call, index }: Ranking,
): Promise<{ evidence: Evidence; stages: StageRecord[] }> => {
  const { filter, k, tokensMax = tokensMaxDefault, trace } = call
  const { ranked, cosine, standing, degraded, heldBack } = ranking
  const { settings, encoder, scope } = prepared
  // Where nothing may be searched nothing was ranked.
  const collectionIds = scope.collectionIds ?? []
  const startedMs = performance.now()
  const reading = trace?.open('pack')
  const ids = ranked.map(({ chunkId }) => chunkId)
  const place = { collectionIds, filter }
  const chunks = await readAs(database(), viewer, (db, reader) => getChunks(db, reader, ids, place))
  const read = new Map(chunks.map((chunk) => [chunk.chunkId, chunk]))
  const found = ranked.flatMap((fused): Read[] => {
    const chunk = read.get(fused.chunkId)
    return chunk ? [{ fused, chunk, text: chunk.text, tokens: chunk.tokens }] : []
  })
  const packed = pack(found, { tokensMax, passagesMax: k ?? passagesMax })
  const relevance = judgeRelevance(
    question,
    { cosine, unlike: cosine === null ? 0 : await unlikeCosineOf(encoder, viewer.workspaceId), ...standing },
    found
      .slice(0, nearestMax)
      .map(({ chunk }) => [chunk.title, ...chunk.headingPath, chunk.context, chunk.text].join('\n')),
  )
  const packedMs = performance.now() - startedMs

  // Who asks for a number of passages gets these and nothing beside them.
  const widens = settings.expand && k === undefined && relevance.found
  const widened = widens ? await expand(packed, { viewer, tokensMax }) : packed
  const titles = await safeTitles(
    widened.map(({ chunk }) => chunk.title),
    viewer,
  )
  const passages = widened.map((one, at) => toPassage(one, titles.get(one.chunk.title) ?? namelessTitle, at + 1))
  const tokens = passages.reduce((sum, passage) => sum + passage.tokens, 0)
  const label = relevance.found ? `pack: ${passages.length} passages, ${tokens} tokens` : 'pack: nothing relevant'
  reading?.label(label)
  reading?.set({
    ...relevance,
    tokens,
    encoder: encoder.id,
    index,
    configuration: settings,
    ...(heldBack > 0 ? { heldBack } : {}),
    passages: passages.map(({ n, title, page, score, lexical, vector, chunkId, documentId }) => ({
      n,
      title,
      page,
      score,
      lexical,
      vector,
      chunkId,
      documentId,
    })),
  })
  reading?.end()
  const record = { ms: packedMs, candidates: widened.map(readScored) }
  return {
    evidence: {
      question,
      found: relevance.found,
      passages: relevance.found ? passages : [],
      relevance: { near: relevance.near, coverage: relevance.coverage, answerable: relevance.answerable },
      signals: relevance.signals,
      closed: scope.closed,
      nearest: nearestOf(found),
      foundBy: { encoder: encoder.id, index },
      heldBack,
      degraded: [degraded, heldBack > 0 ? heldWords(heldBack) : null].filter(Boolean).join(' ') || null,
    },
    stages: [
      {
        ...record,
        stage: 'expand',
        on: settings.expand,
        ms: performance.now() - startedMs - packedMs,
        note: settings.expand ? `${widened.length - packed.length} neighbours came along` : 'switched off',
      },
      { ...record, stage: 'pack', on: true, note: label.replace('pack: ', '') },
    ],
  }
}

/** Evidence for `question` from what `viewer` may see, within `tokensMax` tokens. */
export const retrieve = (question: string, viewer: Viewer, call: RetrieveCall = {}): Promise<Evidence> => {
  const run = async (trace: Tracer | undefined): Promise<Evidence> => {
    const traced = { ...call, ...(trace ? { trace } : {}) }
    const prepared = await prepare(viewer, call)
    const make = async (): Promise<Omit<Ranked, 'stages'>> => {
      const { stages: _, ranked, ...rest } = await rankPrepared(question, viewer, { ...traced, ...prepared })
      return { ...rest, ranked: ranked.slice(0, Math.max(readMax, call.k ?? 0)) }
    }
    const { settings, encoder } = prepared
    const filter = call.filter ?? {}
    const by = [call.k ?? 0, JSON.stringify(settings), encoder.id, JSON.stringify(filter)]
    // A document's tags change without a trace in the index.
    const { ranking, kept, index } =
      call.fresh || filter.tags?.length || prepared.scope.closed !== null
        ? { ranking: await make(), kept: false, index: null }
        : await keptRanking({ viewer, question, collectionIds: prepared.scope.collectionIds, by }, make)
    if (kept) trace?.open('search', 'searched a moment ago').end()
    return (await evidenceOf(question, viewer, { ranking, prepared, call: traced, index })).evidence
  }
  return call.trace ? call.trace.run('retrieve', (_, child) => run(child)) : run(undefined)
}

/** A search as an admin sees it: the same code, with what every stage found and did. */
export const explainRetrieval = async (
  { question, collectionIds, filter, configuration }: RetrievalQuestion,
  viewer: Viewer,
): Promise<RetrievalReport> => {
  const startedMs = performance.now()
  const call: RetrieveCall = { collectionIds, filter, ...(configuration ? { configuration } : {}) }
  const prepared = await prepare(viewer, call)
  const { settings, encoder } = prepared
  const ranking = await rankPrepared(question, viewer, { ...call, ...prepared })
  const best = { ...ranking, ranked: ranking.ranked.slice(0, readMax) }
  const { evidence, stages } = await evidenceOf(question, viewer, { ranking: best, prepared, call, index: null })
  const ms = performance.now() - startedMs
  return {
    question,
    encoder: encoder.id,
    configuration: settings,
    stages: await reportStages([...ranking.stages, ...stages], viewer),
    found: evidence.found,
    ms,
  }
}
