/** What the stages of a search did, for people: their candidates with where they are from and how far each moved. */
import { database } from '#db/client.ts'
import { listShownChunks, type ShownChunk } from '#db/queries/search.ts'
import { readAs } from '#db/visibility.ts'
import { type StageName, type StageReport, stageNames } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { StageRecord } from './stages.ts'

/** Candidates of a stage that a person looks at, and how much of each. */
const shownMax = 20
const shownChars = 320
/** Each reorders what the one before left; the legs begin from nothing. */
const inTurn: readonly StageName[] = ['fuse', 'rerank', 'diversify', 'expand', 'pack']

/** Places in the stage before; null where there is none. */
const placesBefore = (records: readonly StageRecord[], name: StageName): Map<number, number> | null => {
  const at = inTurn.indexOf(name)
  const before = records.find(({ stage }) => at > 0 && stage === inTurn[at - 1])
  return before ? new Map(before.candidates.map(({ chunkId }, index) => [chunkId, index])) : null
}

const reportOf = (
  { candidates, ...record }: StageRecord,
  { before, shown }: { before: Map<number, number> | null; shown: ReadonlyMap<number, ShownChunk> },
): StageReport => ({
  ...record,
  candidates: candidates.slice(0, shownMax).flatMap(({ chunkId, score, parts }, index) => {
    const chunk = shown.get(chunkId)
    if (!chunk) return []
    const { held, ...about } = chunk
    const place = before?.get(chunkId)
    return [
      {
        ...about,
        chunkId: String(chunkId),
        rank: index + 1,
        score,
        moved: place === undefined ? null : place - index,
        parts: held ? { ...parts, held: 1 } : parts,
      },
    ]
  }),
})

/** The stages in their order. A passage that no model may read is among them, marked: `parts.held` is 1. */
export const reportStages = async (records: readonly StageRecord[], viewer: Viewer): Promise<StageReport[]> => {
  const wanted = new Set(
    records.flatMap(({ candidates }) => candidates.slice(0, shownMax).map(({ chunkId }) => chunkId)),
  )
  const found = await readAs(database(), viewer, (db, reader) => listShownChunks(db, reader, [...wanted], shownChars))
  const shown = new Map(found.map((chunk) => [chunk.chunkId, chunk]))
  return stageNames.flatMap((name) => {
    const record = records.find(({ stage }) => stage === name)
    return record ? [reportOf(record, { before: placesBefore(records, name), shown })] : []
  })
}
