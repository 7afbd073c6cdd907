/**
 * A search as stages, each of which can be switched: the question and its parts, the legs, their mix, a second look at the best, and
 * how many of one document may stay. Every stage leaves a record of what it did; a page for admins and the trace are made of these,
 * so that what they show is what happened.
 */
import { database } from '#db/client.ts'
import { breadthOf, type FoundChunk, getChunks, getCosines, type Hit } from '#db/queries/search.ts'
import { readAs } from '#db/visibility.ts'
import { rerankPassages, type WorkspaceEncoder } from '#lib/gateway/index.ts'
import type { RetrievalSettings } from '#lib/shared/gateway-settings.ts'
import type { DocumentFilter, StageName } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'
import { decompose } from './decompose.ts'
import { exactness, exactParts } from './features.ts'
import { type Fused, fuse } from './fuse.ts'
import { graphLeg, type LegScope, legOff, lexicalLeg, vectorLeg } from './legs.ts'
import { type Standing, standingOf } from './relevance.ts'

export type Scored = { chunkId: number; score: number; parts: Record<string, number> }
export type StageRecord = { stage: StageName; on: boolean; ms: number; note: string; candidates: Scored[] }

export type SearchCall = {
  question: string
  viewer: Viewer
  collectionIds: readonly string[]
  filter: DocumentFilter
  settings: RetrievalSettings
  encoder: WorkspaceEncoder
  /** Candidates of each leg. */
  limit: number
  /** How many of the best are looked at for held ones. */
  shown: number
  trace?: Tracer | undefined
  signal?: AbortSignal | undefined
}

export type Found = {
  ranked: Fused[]
  /** Of the nearest passage that is not held. */
  cosine: number | null
  standing: Standing
  /** No vectors were to be had though they were wanted. */
  wordsOnly: boolean
  /** Held passages among the first `shown` of everything that was found; they are not in `ranked`. */
  heldBack: number
  stages: StageRecord[]
}

/** The legs run on questions of this length at most: what follows is no longer what is asked. */
const questionCharsMax = 2_000
/** A passage that answers a part of the question stands a little behind one that answers all of it. */
const partWeight = 0.95
/** How many of the best each reranker reads: those in other processes by bytes, ours by the time it takes. */
const rereadMax = { features: 50, 'cross-encoder': 30, provider: 50, model: 10 } as const

const scored = ({ chunkId, score, shares }: Fused): Scored => ({ chunkId, score, parts: shares })
const hitScored = ({ chunkId, score, held }: Hit): Scored => ({ chunkId, score, parts: held ? { held: 1 } : {} })
const free = <Found extends Hit>(hits: readonly Found[]): Found[] => hits.filter(({ held }) => !held)
const elapsed = (startedMs: number): number => performance.now() - startedMs
const byScore = (a: Fused, b: Fused): number => b.score - a.score || a.chunkId - b.chunkId

/** The best of each leg over the question and its parts, once each. */
const joinHits = <Found extends Hit>(all: readonly Found[][]): Found[] => {
  const best = new Map<number, Found>()
  for (const hit of all.flat())
    if ((best.get(hit.chunkId)?.score ?? Number.NEGATIVE_INFINITY) < hit.score) best.set(hit.chunkId, hit)
  return [...best.values()].sort((a, b) => b.score - a.score || a.chunkId - b.chunkId)
}

/** One ranking of those of the question and its parts: a chunk counts where it stands best. */
const joinParts = ([whole = [], ...parts]: readonly Fused[][]): Fused[] => {
  const best = new Map(whole.map((one) => [one.chunkId, one]))
  for (const one of parts.flat()) {
    const score = one.score * partWeight
    if ((best.get(one.chunkId)?.score ?? -1) < score) best.set(one.chunkId, { ...one, score })
  }
  return [...best.values()].sort(byScore)
}

type LegsFound = {
  lexical: Awaited<ReturnType<typeof lexicalLeg>>
  vector: Awaited<ReturnType<typeof vectorLeg>>
  graph: Awaited<ReturnType<typeof graphLeg>>
}

const runLegs = async (question: string, call: SearchCall): Promise<LegsFound> => {
  const { settings, encoder, viewer, collectionIds, filter, limit } = call
  const place = { viewer, collectionIds, filter, limit }
  const breadth = await readAs(database(), viewer, (db, reader) => breadthOf(db, { ...place, viewer: reader }))
  const scope: LegScope = { ...place, breadth }
  const [words, vector, graph] = await Promise.all([
    settings.lexical ? lexicalLeg(question, scope, call) : legOff,
    settings.vector
      ? vectorLeg(question, { ...scope, encoder, efSearch: settings.efSearch }, call)
      : { ...legOff, asked: null },
    settings.graph ? graphLeg(question, scope, call) : legOff,
  ])
  // Words are searched whatever the settings say when nothing else can be.
  const lexical = settings.lexical || vector.asked ? words : await lexicalLeg(question, scope, call)
  return { lexical, vector, graph }
}

const cosinesOf = (viewer: Viewer, asked: Parameters<typeof getCosines>[2]): Promise<Map<number, number>> =>
  asked.chunkIds.length === 0
    ? Promise.resolve(new Map())
    : readAs(database(), viewer, (db, reader) => getCosines(db, reader, asked))

/** Both rankings of a question: of what may be read, and of everything. */
const mix = async ({ lexical, vector, graph }: LegsFound, { settings, encoder, viewer }: SearchCall) => {
  const near = new Set(vector.hits.map(({ chunkId }) => chunkId))
  const others = [...lexical.hits, ...graph.hits].map(({ chunkId }) => chunkId).filter((chunkId) => !near.has(chunkId))
  const cosines = vector.asked
    ? await cosinesOf(viewer, { ...vector.asked, chunkIds: [...new Set(others)] })
    : new Map<number, number>()
  const options = { weight: settings.vectorWeight ?? encoder.vectorWeight, whole: lexical.hits[0]?.whole ?? 0, cosines }
  const readable = fuse(free(lexical.hits), free(vector.hits), { ...options, graph: free(graph.hits) })
  const anyHeld = [lexical, vector, graph].some(({ hits }) => hits.some(({ held }) => held))
  const all = anyHeld ? fuse(lexical.hits, vector.hits, { ...options, graph: graph.hits }) : readable
  return { readable, all }
}

type Reordered = { ranked: Fused[]; note: string; parts: Map<number, Record<string, number>> }

const textOf = ({ title, headingPath, context, text }: FoundChunk): string =>
  [title, ...headingPath, context, text].filter(Boolean).join('\n')

/** The first `count` of a ranking with what a model may read of them. */
type ReadFirst = (ranked: readonly Fused[], count: number) => Promise<{ one: Fused; chunk: FoundChunk }[]>

/** Reads a passage once within a search, however many of its stages look at it. */
const createReader = (viewer: Viewer): ReadFirst => {
  const read = new Map<number, FoundChunk | null>()
  return async (ranked, count) => {
    const first = ranked.slice(0, count)
    const ids = first.map(({ chunkId }) => chunkId).filter((chunkId) => !read.has(chunkId))
    const chunks = ids.length === 0 ? [] : await readAs(database(), viewer, (db, reader) => getChunks(db, reader, ids))
    for (const chunkId of ids) read.set(chunkId, null)
    for (const chunk of chunks) read.set(chunk.chunkId, chunk)
    return first.flatMap((one) => {
      const chunk = read.get(one.chunkId)
      return chunk ? [{ one, chunk }] : []
    })
  }
}

const byFeatures = async (ranked: Fused[], question: string, readFirst: ReadFirst): Promise<Reordered> => {
  const asked = exactParts(question)
  if (asked.length === 0)
    return { ranked, note: 'nothing in the question is to be found exactly as it is', parts: new Map() }
  const first = await readFirst(ranked, rereadMax.features)
  const found = exactness(
    asked,
    first.map(({ chunk }) => textOf(chunk)),
  )
  const parts = new Map(first.map(({ one }, at) => [one.chunkId, { exact: found[at]?.exact ?? 0 }]))
  const bonus = new Map(first.map(({ one }, at) => [one.chunkId, found[at]?.bonus ?? 0]))
  const most = Math.max(1, ...ranked.map((one) => one.score + (bonus.get(one.chunkId) ?? 0)))
  const having = found.filter(({ exact }) => exact > 0).length
  return {
    ranked: ranked.map((one) => ({ ...one, score: (one.score + (bonus.get(one.chunkId) ?? 0)) / most })).sort(byScore),
    note: `${having} of ${first.length} have some of: ${asked.join(', ')}`,
    parts,
  }
}

/** By a model's scores: the places change, the scores of the places stay, so that they mean the same with and without it. */
const byModel = async (
  ranked: Fused[],
  by: Exclude<keyof typeof rereadMax, 'features'>,
  call: SearchCall,
  readFirst: ReadFirst,
): Promise<Reordered> => {
  const { question, viewer, settings, trace, signal } = call
  const late = AbortSignal.timeout(settings.rerankMs)
  const within = signal ? AbortSignal.any([signal, late]) : late
  const { promise: given, reject } = Promise.withResolvers<never>()
  // A reranker that hears no signal is left behind all the same.
  within.addEventListener('abort', () => reject(within.reason), { once: true })
  given.catch(() => undefined)
  try {
    const first = await Promise.race([readFirst(ranked, rereadMax[by]), given])
    const texts = first.map(({ chunk }) => textOf(chunk))
    const reranking = rerankPassages(question, texts, {
      by,
      viewer,
      signal: within,
      collectionIds: [...new Set(first.map(({ chunk }) => chunk.collectionId))],
      ...(trace ? { trace } : {}),
    })
    reranking.catch(() => undefined)
    const scores = await Promise.race([reranking, given])
    const order = first
      .map(({ one }, at) => ({ one, model: scores[at] ?? 0 }))
      .sort((a, b) => b.model - a.model || byScore(a.one, b.one))
    const places = first.map(({ one }) => one.score)
    const moved = order.map(({ one }, at) => ({ ...one, score: places[at] ?? one.score }))
    const read = new Set(moved.map(({ chunkId }) => chunkId))
    return {
      ranked: [...moved, ...ranked.filter(({ chunkId }) => !read.has(chunkId))],
      note: `${moved.length} put in order by ${by}`,
      parts: new Map(order.map(({ one, model }) => [one.chunkId, { model }])),
    }
  } catch (error) {
    // Fails open: the order of the legs is there, and a search does not wait for a better one.
    signal?.throwIfAborted()
    const why = late.aborted
      ? `took longer than ${settings.rerankMs} ms`
      : error instanceof Error
        ? error.message
        : 'failed'
    return { ranked, note: `${by} ${why}: the mixed order stands`, parts: new Map() }
  }
}

const diversify = async (
  ranked: Fused[],
  most: number,
  readFirst: ReadFirst,
): Promise<{ ranked: Fused[]; left: number }> => {
  const first = await readFirst(ranked, rereadMax.features)
  const counts = new Map<string, number>()
  const kept = first.flatMap(({ one, chunk }) => {
    const count = (counts.get(chunk.documentId) ?? 0) + 1
    counts.set(chunk.documentId, count)
    return count <= most ? [one] : []
  })
  return { ranked: kept, left: first.length - kept.length }
}

/** Of the question as a whole or, where a part of it is answered better, of that part. */
const standingOfLegs = (legs: readonly LegsFound[]): Standing => {
  const all = legs.map(({ lexical, vector }): Standing => {
    const { words, agreement } = standingOf(free(lexical.hits), free(vector.hits), lexical.hits[0]?.whole ?? 0)
    const searched = lexical !== legOff
    return { words: searched ? words : null, agreement: searched && vector.asked ? agreement : null }
  })
  return all.toSorted((a, b) => (b.words ?? 0) - (a.words ?? 0))[0] ?? { words: null, agreement: null }
}

/** Candidates in their order, and how it came to it. Throws when the database does, or the signal's reason. */
export const search = async (call: SearchCall): Promise<Found> => {
  const { settings, viewer, trace } = call
  const readFirst = createReader(viewer)
  const question = call.question.slice(0, questionCharsMax)
  const stages: StageRecord[] = []

  let startedMs = performance.now()
  const parts = settings.rewrite === 'decompose' ? decompose(question) : []
  stages.push({
    stage: 'rewrite',
    on: settings.rewrite !== 'off',
    ms: elapsed(startedMs),
    note: parts.length > 0 ? `also asked: ${parts.join(' · ')}` : 'asked as it is',
    candidates: [],
  })

  const legs = await Promise.all([question, ...parts].map((one) => runLegs(one, call)))
  for (const stage of ['lexical', 'vector', 'graph'] as const)
    stages.push({
      stage,
      on: settings[stage],
      ms: Math.max(...legs.map((one) => one[stage].ms)),
      note: legs[0]?.[stage].note ?? '',
      candidates: joinHits(legs.map((one) => one[stage].hits as Hit[])).map(hitScored),
    })

  startedMs = performance.now()
  const mixed = await Promise.all(legs.map((one) => mix(one, call)))
  const fused = joinParts(mixed.map(({ readable }) => readable))
  const all = joinParts(mixed.map((one) => one.all))
  stages.push({
    stage: 'fuse',
    on: true,
    ms: elapsed(startedMs),
    note: `meaning weighs ${settings.vectorWeight ?? call.encoder.vectorWeight}`,
    candidates: fused.map(scored),
  })

  startedMs = performance.now()
  const span = settings.rerank === 'off' ? undefined : trace?.open('rerank', `rerank: ${settings.rerank}`)
  const reordered =
    settings.rerank === 'off'
      ? { ranked: fused, note: 'switched off', parts: new Map<number, Record<string, number>>() }
      : settings.rerank === 'features'
        ? await byFeatures(fused, call.question, readFirst)
        : await byModel(fused, settings.rerank, call, readFirst)
  span?.set({ note: reordered.note })
  span?.end()
  stages.push({
    stage: 'rerank',
    on: settings.rerank !== 'off',
    ms: elapsed(startedMs),
    note: reordered.note,
    candidates: reordered.ranked.map((one) => ({ ...scored(one), parts: reordered.parts.get(one.chunkId) ?? {} })),
  })

  startedMs = performance.now()
  const most = settings.perDocumentMax
  const spread = most > 0 ? await diversify(reordered.ranked, most, readFirst) : { ranked: reordered.ranked, left: 0 }
  stages.push({
    stage: 'diversify',
    on: most > 0,
    ms: elapsed(startedMs),
    note: most > 0 ? `${spread.left} left out: more than ${most} of their document` : 'switched off',
    candidates: spread.ranked.map(scored),
  })

  const readable = new Set(fused.map(({ chunkId }) => chunkId))
  const near = legs.flatMap(({ vector }) => free(vector.hits).slice(0, 1))
  return {
    ranked: spread.ranked,
    cosine: near.length > 0 ? Math.max(...near.map(({ score }) => score)) : null,
    standing: standingOfLegs(legs),
    wordsOnly: settings.vector && legs.some(({ vector }) => vector.asked === null),
    heldBack: all.slice(0, call.shown).filter(({ chunkId }) => !readable.has(chunkId)).length,
    stages,
  }
}
