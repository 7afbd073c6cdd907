/** The legs of a search: each finds candidates in its own way, over what the viewer may see, and says how it went. */
import { database, type Executor } from '#db/client.ts'
import { searchGraph } from '#db/queries/graph.ts'
import { type Hit, type LexicalHit, type Scope, searchLexical, searchVector } from '#db/queries/search.ts'
import { readAs } from '#db/visibility.ts'
import { EncoderUnavailable, embed, type WorkspaceEncoder } from '#lib/gateway/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'

export type LegScope = Omit<Scope, 'withoutHeld' | 'viewer'> & { viewer: Viewer }
type Watched = { trace?: Tracer | undefined; signal?: AbortSignal | undefined }

/** What a leg found, how long it took, and a word on it. */
export type LegResult<Found extends Hit = Hit> = { hits: Found[]; ms: number; note: string }
export type VectorResult = LegResult & {
  /** Null when there was no encoder, or the question may go to none. */
  asked: { vector: Float32Array; model: string } | null
}

const tracedRanks = 10

export const legOff = { hits: [], ms: 0, note: 'switched off' }

/** A leg's hits with the held ones marked; when these crowd the others out, the leg is asked once more for the others alone. */
const withHeld = <Found extends Hit, Asked extends LegScope>(
  scope: Asked,
  search: (db: Executor, scope: Asked & { withoutHeld: boolean }) => Promise<Found[]>,
): Promise<Found[]> =>
  readAs(database(), scope.viewer, async (db, viewer) => {
    const hits = await search(db, { ...scope, viewer, withoutHeld: false })
    const held = hits.filter((hit) => hit.held)
    if (held.length < scope.limit / 2) return hits
    const others = await search(db, { ...scope, viewer, withoutHeld: true })
    return [...held, ...others].sort((a, b) => b.score - a.score || a.chunkId - b.chunkId)
  })

const traced = async <Found extends Hit>(
  { trace, name, about }: { trace: Tracer | undefined; name: string; about: Record<string, unknown> },
  search: () => Promise<Found[]>,
): Promise<LegResult<Found>> => {
  const startedMs = performance.now()
  const span = trace?.open(name)
  const hits = await search()
  span?.label(`${name}, ${hits.length} found`)
  span?.set({ ...about, found: hits.length, top: hits.slice(0, tracedRanks) })
  span?.end()
  const held = hits.filter((hit) => hit.held).length
  const note = [`${hits.length} found`, ...(held > 0 ? [`${held} of them held back`] : [])].join(', ')
  return { hits, ms: performance.now() - startedMs, note }
}

export const lexicalLeg = (question: string, scope: LegScope, { trace }: Watched): Promise<LegResult<LexicalHit>> =>
  traced({ trace, name: 'lexical', about: { scoring: 'BM25' } }, () =>
    withHeld(scope, (db, asked) => searchLexical(db, question, asked)),
  )

export const graphLeg = (question: string, scope: LegScope, { trace }: Watched): Promise<LegResult> =>
  traced({ trace, name: 'graph', about: { scoring: 'one step' } }, () =>
    readAs(database(), scope.viewer, (db, viewer) => searchGraph(db, question, { ...scope, viewer })),
  )

/** Never throws for want of an encoder: `asked` is null then, and the note says why. */
export const vectorLeg = async (
  question: string,
  scope: LegScope & { encoder: WorkspaceEncoder; efSearch: number | null },
  { trace, signal }: Watched,
): Promise<VectorResult> => {
  const { encoder, ...search } = scope
  const { viewer } = search
  const startedMs = performance.now()
  const none = (note: string): VectorResult => ({ hits: [], ms: performance.now() - startedMs, note, asked: null })
  const span = trace?.open('embed', 'embed query')
  try {
    const { workspaceId, userId } = viewer
    const { model, vectors } = await embed([question], {
      purpose: 'query',
      model: encoder.name,
      workspaceId,
      userId,
      signal,
    })
    span?.set({ model })
    // Vectors of another build of the model are not compared with.
    const [vector] = model === encoder.id ? vectors : []
    span?.end(vector ? 'ok' : 'failed')
    if (!vector)
      return none(
        model === encoder.id ? 'the question may go to no provider' : `${model} is not what the index was made by`,
      )
    const found = await traced({ trace, name: 'vector', about: { scoring: 'cosine', model } }, () =>
      withHeld({ ...search, vector, model }, searchVector),
    )
    return { ...found, ms: performance.now() - startedMs, asked: { vector, model } }
  } catch (error) {
    if (!(error instanceof EncoderUnavailable)) throw error
    span?.set({ error: error.message })
    span?.end('failed')
    return none(error.message)
  }
}
