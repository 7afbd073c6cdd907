/** Widens evidence: what stands right beside the best passages in their sections, as passages of their own, where there is room. */
import { database } from '#db/client.ts'
import { type FoundChunk, getNeighbours } from '#db/queries/search.ts'
import { readAs } from '#db/visibility.ts'
import type { Reader } from '#lib/shared/viewer.ts'

type Item = {
  chunk: FoundChunk
  text: string
  tokens: number
  fused: {
    score: number
    lexical: { rank: number; score: number } | null
    vector: { rank: number; score: number } | null
  }
}

/** So many of the best bring neighbours, and so many come in all: more would cost tokens for less. */
const anchorsMax = 2
const neighboursMax = 2
/** A neighbour answers nothing by itself: it is worth a part of what it stands beside. */
const neighbourShare = 0.5

/** The passages with their neighbours behind all that were found. Nothing that was found is left out for a neighbour. */
export const expand = async (
  packed: readonly Item[],
  { viewer, tokensMax }: { viewer: Reader; tokensMax: number },
): Promise<Item[]> => {
  let room = tokensMax - packed.reduce((sum, { tokens }) => sum + tokens, 0)
  const anchors = packed.slice(0, anchorsMax)
  const known = new Set(packed.map(({ chunk }) => chunk.chunkId))
  if (room <= 0 || anchors.length === 0) return [...packed]
  const beside = anchors.map(({ chunk }) => chunk)
  const found = await readAs(database(), viewer, (db, reader) => getNeighbours(db, reader, beside))
  const added: Item[] = []
  // What follows says more often what "this" was than what stands before.
  for (const { chunk: anchor, fused } of anchors)
    for (const ordinal of [anchor.ordinal + 1, anchor.ordinal - 1]) {
      const chunk = found.find((one) => one.versionId === anchor.versionId && one.ordinal === ordinal)
      const sameSection = chunk && chunk.headingPath.join('\n') === anchor.headingPath.join('\n')
      if (!sameSection || known.has(chunk.chunkId) || chunk.tokens > room || added.length >= neighboursMax) continue
      known.add(chunk.chunkId)
      room -= chunk.tokens
      const score = fused.score * neighbourShare
      added.push({ chunk, text: chunk.text, tokens: chunk.tokens, fused: { score, lexical: null, vector: null } })
    }
  return [...packed, ...added]
}
