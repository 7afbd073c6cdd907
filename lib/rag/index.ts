/**
 * From a question to evidence: both legs over what the viewer may see, fused, judged, packed.
 *
 * Guarantees: access is decided inside each leg's SQL; vectors of another model are never compared; a missing encoder leaves the
 * words and says so; a passage that reads like an order to a model and that nobody released is never among the evidence; when
 * nothing relevant is there it says so (`found: false`), so that no model is called on nothing. It does not rewrite the question
 * and does not answer it. Throws when the database does.
 */
import { database } from '#db/client.ts'
import { type FoundChunk, getChunks, type Hit, searchLexical, searchVector } from '#db/queries/search.ts'
import { EncoderUnavailable, embed, inspect } from '#lib/gateway/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'
import type { Evidence, Passage } from './evidence.ts'
import { type Fused, fuse, vectorWeight } from './fuse.ts'
import { keptRanking } from './kept-passages.ts'
import { pack } from './pack.ts'
import { judgeRelevance } from './relevance.ts'

export { type Citer, createCiter } from './cite.ts'
export type { Evidence } from './evidence.ts'
export { shortened } from './pack.ts'
export { heldPassages, releaseHeld } from './quarantine.ts'

export type Legs = 'lexical' | 'vector' | 'hybrid'
export type RetrieveCall = {
  collectionIds?: readonly string[]
  /** Passages at most. */
  k?: number
  legs?: Legs
  tokensMax?: number
  /** Searches even where the same was found a moment ago. */
  fresh?: boolean
  trace?: Tracer
  signal?: AbortSignal
}

/** What each leg brings to the fusion. */
const legLimit = 60
const passagesMax = 8
const tokensMaxDefault = 3_000
/** Chunks read from the database for one question: more than are packed, since some repeat each other. */
const readMax = 16
const nearestMax = 3
const tracedRanks = 10
/** The legs run on questions of this length at most: what follows is no longer what is asked. */
const questionCharsMax = 2_000

export const lexicalOnly = 'Search by meaning is not available right now; this was found by its words alone.'

const heldWords = (count: number): string =>
  count === 1
    ? '1 passage was left out because it reads like an order to the assistant. An admin can read and release it.'
    : `${count} passages were left out because they read like orders to the assistant. An admin can read and release them.`

/** A leg's hits with the held ones marked; when these crowd the others out, the leg is asked once more for the others alone. */
const withHeld = async (limit: number, search: (withoutHeld: boolean) => Promise<Hit[]>): Promise<Hit[]> => {
  const hits = await search(false)
  const held = hits.filter((hit) => hit.held)
  if (held.length < limit / 2) return hits
  return [...held, ...(await search(true))].sort((a, b) => b.score - a.score || a.chunkId - b.chunkId)
}

const free = (hits: readonly Hit[]): Hit[] => hits.filter(({ held }) => !held)

type Ranked = {
  ranked: Fused[]
  cosine: number | null
  degraded: string | null
  /** Held passages among the first `k` of everything that was found; they are not in `ranked`. */
  heldBack: number
}

/** The fused ranking alone, with the legs' own ranks: what evaluations measure. `degraded` is of the legs alone. */
export const rank = async (question: string, viewer: Viewer, call: RetrieveCall = {}): Promise<Ranked> => {
  const { collectionIds = [], legs = 'hybrid', trace, signal } = call
  const { db } = database()
  const scope = { viewer, collectionIds, limit: Math.max(legLimit, call.k ?? 0) }
  const asked = question.slice(0, questionCharsMax)
  let degraded: string | null = null

  const lexicalLeg = async (): Promise<Hit[]> => {
    if (legs === 'vector') return []
    const span = trace?.open('lexical')
    const hits = await withHeld(scope.limit, (withoutHeld) => searchLexical(db, asked, { ...scope, withoutHeld }))
    span?.label(`lexical, ${hits.length} found`)
    span?.set({ scoring: 'BM25', found: hits.length, top: hits.slice(0, tracedRanks) })
    span?.end()
    return hits
  }
  const vectorLeg = async (): Promise<Hit[]> => {
    if (legs === 'lexical') return []
    const embedding = trace?.open('embed', 'embed query')
    try {
      const { model, vectors } = await embed([asked], { purpose: 'query', ...(signal ? { signal } : {}) })
      embedding?.set({ model })
      embedding?.end()
      const [vector] = vectors
      if (!vector) return []
      const span = trace?.open('vector')
      const hits = await withHeld(scope.limit, (withoutHeld) =>
        searchVector(db, { ...scope, vector, model, withoutHeld }),
      )
      span?.label(`vector, ${hits.length} found`)
      span?.set({ scoring: 'cosine', model, found: hits.length, top: hits.slice(0, tracedRanks) })
      span?.end()
      return hits
    } catch (error) {
      if (!(error instanceof EncoderUnavailable)) throw error
      embedding?.set({ error: error.message })
      embedding?.end('failed')
      degraded = lexicalOnly
      return []
    }
  }

  const [lexical, vector] = await Promise.all([lexicalLeg(), vectorLeg()])
  const heldIds = new Set([...lexical, ...vector].flatMap(({ chunkId, held }) => (held ? [chunkId] : [])))
  const best = heldIds.size === 0 ? [] : fuse(lexical, vector).slice(0, call.k ?? passagesMax)
  return {
    ranked: fuse(free(lexical), free(vector)),
    cosine: free(vector)[0]?.score ?? null,
    degraded,
    heldBack: best.filter(({ chunkId }) => heldIds.has(chunkId)).length,
  }
}

/** Stands for a title that reads like an order: a title goes into every prompt, and no release names it. */
const namelessTitle = 'Untitled document'

/** Titles as a prompt may have them. */
const safeTitles = async (titles: readonly string[], viewer: Viewer): Promise<Map<string, string>> => {
  const unlike = [...new Set(titles)]
  const inspected = await inspect(unlike, viewer)
  // Fail closed: a title that was not looked at has no name.
  return new Map(unlike.map((title, at) => [title, inspected[at]?.held === false ? title : namelessTitle]))
}

const toPassage = (chunk: FoundChunk, fused: Fused, n: number): Passage => {
  const { chunkId, ordinal: _, ...rest } = chunk
  return { ...rest, n, chunkId: String(chunkId), score: fused.score, lexical: fused.lexical, vector: fused.vector }
}

/** Evidence for `question` from what `viewer` may see, within `tokensMax` tokens. */
export const retrieve = (question: string, viewer: Viewer, call: RetrieveCall = {}): Promise<Evidence> => {
  const run = async (trace: Tracer | undefined): Promise<Evidence> => {
    const search = async () => {
      const { ranked, ...rest } = await rank(question, viewer, { ...call, ...(trace ? { trace } : {}) })
      return { ...rest, ranked: ranked.slice(0, readMax) }
    }
    const by = [call.legs ?? 'hybrid', call.k ?? 0]
    const { ranking, kept } = call.fresh
      ? { ranking: await search(), kept: false }
      : await keptRanking({ viewer, question, collectionIds: call.collectionIds ?? [], by }, search)
    const { ranked, cosine, degraded, heldBack } = ranking
    if (kept) trace?.open('search', 'searched a moment ago').end()

    const reading = trace?.open('pack')
    const best = ranked
    const read = new Map(
      (
        await getChunks(
          database().db,
          viewer,
          best.map(({ chunkId }) => chunkId),
        )
      ).map((chunk) => [chunk.chunkId, chunk]),
    )
    const found = best.flatMap((fused) => {
      const chunk = read.get(fused.chunkId)
      return chunk ? [{ fused, chunk, text: chunk.text, tokens: chunk.tokens }] : []
    })
    const packed = pack(found, { tokensMax: call.tokensMax ?? tokensMaxDefault, passagesMax: call.k ?? passagesMax })
    const titles = await safeTitles(
      packed.map(({ chunk }) => chunk.title),
      viewer,
    )
    const passages = packed.map(({ chunk, fused }, index) =>
      toPassage({ ...chunk, title: titles.get(chunk.title) ?? namelessTitle }, fused, index + 1),
    )
    const relevance = judgeRelevance(
      question,
      cosine,
      found
        .slice(0, nearestMax)
        .map(({ chunk }) => [chunk.title, ...chunk.headingPath, chunk.context, chunk.text].join('\n')),
    )
    const tokens = passages.reduce((sum, passage) => sum + passage.tokens, 0)
    reading?.label(relevance.found ? `pack: ${passages.length} passages, ${tokens} tokens` : 'pack: nothing relevant')
    reading?.set({
      ...relevance,
      weight: vectorWeight,
      tokens,
      ...(heldBack > 0 ? { heldBack } : {}),
      passages: passages.map(({ n, title, page, score, lexical, vector, chunkId }) => ({
        n,
        title,
        page,
        score,
        lexical,
        vector,
        chunkId,
      })),
    })
    reading?.end()

    const nearest = [...new Map(found.map(({ chunk }) => [chunk.documentId, chunk])).values()]
      .slice(0, nearestMax)
      .map(({ documentId, versionId, title, page, charStart, charEnd }) => ({
        documentId,
        versionId,
        title,
        page,
        charStart,
        charEnd,
      }))
    return {
      question,
      found: relevance.found,
      passages: relevance.found ? passages : [],
      nearest,
      heldBack,
      degraded: [degraded, heldBack > 0 ? heldWords(heldBack) : null].filter(Boolean).join(' ') || null,
    }
  }
  return call.trace ? call.trace.run('retrieve', (_, child) => run(child)) : run(undefined)
}
