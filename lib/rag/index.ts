/**
 * From a question to evidence: both legs over what the viewer may see, fused, judged, packed.
 *
 * Guarantees: access is decided inside each leg's SQL; vectors of another model are never compared; a missing encoder leaves the
 * words and says so; when nothing relevant is there it says so (`found: false`), so that no model is called on nothing. It does
 * not rewrite the question and does not answer it. Throws when the database does.
 */
import { database } from '#db/client.ts'
import { type FoundChunk, getChunks, type Hit, searchLexical, searchVector } from '#db/queries/search.ts'
import { EncoderUnavailable, embed } from '#lib/gateway/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'
import type { Evidence, Passage } from './evidence.ts'
import { type Fused, fuse, vectorWeight } from './fuse.ts'
import { pack } from './pack.ts'
import { judgeRelevance } from './relevance.ts'

export { type Citer, createCiter } from './cite.ts'
export type { Evidence } from './evidence.ts'

export type Legs = 'lexical' | 'vector' | 'hybrid'
export type RetrieveCall = {
  collectionIds?: readonly string[]
  /** Passages at most. */
  k?: number
  legs?: Legs
  tokensMax?: number
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

/** The fused ranking alone, with the legs' own ranks: what evaluations measure. `degraded` as in `Evidence`. */
export const rank = async (
  question: string,
  viewer: Viewer,
  call: RetrieveCall = {},
): Promise<{ ranked: Fused[]; cosine: number | null; degraded: string | null }> => {
  const { collectionIds = [], legs = 'hybrid', trace, signal } = call
  const { db } = database()
  const scope = { viewer, collectionIds, limit: Math.max(legLimit, call.k ?? 0) }
  const asked = question.slice(0, questionCharsMax)
  let degraded: string | null = null

  const lexicalLeg = async (): Promise<Hit[]> => {
    if (legs === 'vector') return []
    const span = trace?.open('lexical')
    const hits = await searchLexical(db, asked, scope)
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
      const hits = await searchVector(db, { ...scope, vector, model })
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
  return {
    ranked: fuse(lexical, vector),
    cosine: vector[0]?.score ?? null,
    degraded,
  }
}

const toPassage = (chunk: FoundChunk, fused: Fused, n: number): Passage => {
  const { chunkId, ordinal: _, ...rest } = chunk
  return { ...rest, n, chunkId: String(chunkId), score: fused.score, lexical: fused.lexical, vector: fused.vector }
}

/** Evidence for `question` from what `viewer` may see, within `tokensMax` tokens. */
export const retrieve = (question: string, viewer: Viewer, call: RetrieveCall = {}): Promise<Evidence> => {
  const run = async (trace: Tracer | undefined): Promise<Evidence> => {
    const { ranked, cosine, degraded } = await rank(question, viewer, { ...call, ...(trace ? { trace } : {}) })

    const reading = trace?.open('pack')
    const best = ranked.slice(0, readMax)
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
    const passages = packed.map(({ chunk, fused }, index) => toPassage(chunk, fused, index + 1))
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
    return { question, found: relevance.found, passages: relevance.found ? passages : [], nearest, degraded }
  }
  return call.trace ? call.trace.run('retrieve', (_, child) => run(child)) : run(undefined)
}
