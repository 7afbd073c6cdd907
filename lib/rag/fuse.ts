/**
 * Legs into one ranking. Each leg gives a share between 0 and 1 that does not depend on how many hits were asked for:
 *
 * - words: BM25 as a part of what the best hit has, or of what a passage with all of the question's terms would have, if nothing
 *   comes near that. So the only hit of one common word gets little, and a hit of a whole code gets all.
 * - meaning: the cosine on a scale from what unlike passages have to what the nearest has. It is asked of every candidate, also of
 *   those that only their words found: unlike min-max over what a leg returned, nobody gets nothing for not being in a list.
 *
 * Mixed with a fixed weight. On the development sets (`npm run eval:retrieval`) one weight between .55 and .6 serves encoders whose
 * cosines begin at 0 and those whose begin at .7, and the mix beats each leg, min-max over the lists and reciprocal rank fusion.
 */

export type Leg = readonly { chunkId: number; score: number }[]
type Rank = { rank: number; score: number }
export type Fused = {
  chunkId: number
  score: number
  lexical: Rank | null
  vector: Rank | null
  graph: Rank | null
  /** What the score is made of, each between 0 and 1. */
  shares: { words: number; meaning: number; graph: number }
}

export type FuseOptions = {
  /** Share of the vector leg in the mix. */
  weight?: number
  /** What a passage with all of the question's terms would have in the lexical leg. */
  whole?: number
  /** Cosines of candidates that the vector leg did not return. */
  cosines?: ReadonlyMap<number, number>
  graph?: Leg
}

/** Of the vector leg, where neither the settings nor the encoder say another. */
const defaultWeight = 0.56
/** Of the graph leg beside the two others together. */
const graphWeight = 0.25
/** Unlike passages of an encoder whose cosines begin at 0 have about this much all the same. */
const unlikeCosine = 0.1

const ranksOf = (leg: Leg): Map<number, Rank> =>
  new Map(leg.map(({ chunkId, score }, index) => [chunkId, { rank: index + 1, score }]))

const bestOf = (leg: Leg): number => leg.reduce((best, { score }) => Math.max(best, score), 0)

/** A part of `whole`, between 0 and 1. */
const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0)

/** Cosines as shares: 0 for what is like nothing, 1 for the nearest. */
const meaningOf = (vector: Leg, cosines: ReadonlyMap<number, number>): ((chunkId: number) => number) => {
  const known = new Map([...cosines, ...vector.map(({ chunkId, score }): [number, number] => [chunkId, score])])
  const values = [...known.values()]
  const unlike = Math.max(0, (Math.min(...values) - unlikeCosine) / (1 - unlikeCosine))
  const nearest = Math.max(...values)
  return (chunkId) => share((known.get(chunkId) ?? unlike) - unlike, nearest - unlike)
}

/** All chunks of the legs, best first; the scores are between 0 and 1, ties go to the smaller id. One leg alone keeps its order. */
export const fuse = (lexical: Leg, vector: Leg, options: FuseOptions = {}): Fused[] => {
  const { weight = defaultWeight, whole = 0, cosines = new Map(), graph = [] } = options
  const ranks = { lexical: ranksOf(lexical), vector: ranksOf(vector), graph: ranksOf(graph) }
  const most = Math.max(whole, bestOf(lexical))
  const mostOfGraph = bestOf(graph)
  const meaning = meaningOf(vector, cosines)
  // With one leg alone its order stands; the weight would only scale it.
  const [wordsWeight, vectorWeight] =
    vector.length === 0 ? [1, 0] : lexical.length === 0 ? [0, 1] : [1 - weight, weight]
  const all = graph.length === 0 ? 1 : 1 + graphWeight
  return [...new Set([...ranks.lexical.keys(), ...ranks.vector.keys(), ...ranks.graph.keys()])]
    .map((chunkId): Fused => {
      const shares = {
        words: share(ranks.lexical.get(chunkId)?.score ?? 0, most),
        meaning: vector.length === 0 ? 0 : meaning(chunkId),
        graph: share(ranks.graph.get(chunkId)?.score ?? 0, mostOfGraph),
      }
      return {
        chunkId,
        score: (wordsWeight * shares.words + vectorWeight * shares.meaning + graphWeight * shares.graph) / all,
        lexical: ranks.lexical.get(chunkId) ?? null,
        vector: ranks.vector.get(chunkId) ?? null,
        graph: ranks.graph.get(chunkId) ?? null,
        shares,
      }
    })
    .sort((a, b) => b.score - a.score || a.chunkId - b.chunkId)
}
