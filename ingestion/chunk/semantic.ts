/**
 * Passages by meaning: inside each section of the outline, windows of three sentences are embedded, and a passage ends where the
 * next window is furthest from the one before. How far is far enough follows from the document: as many cuts as make passages of
 * the wanted size (Kamradt's percentile, chosen for the size).
 */
import type { ParsedDocument } from '../parse/parsed-document.ts'
import { createBreather } from './breather.ts'
import type { ChunkSpan } from './chunk-draft.ts'
import { type Piece, packPieces } from './pack.ts'
import { sectionsOf } from './sections.ts'
import { sentencePieces } from './sentence-pieces.ts'
import type { ChunkSizes } from './sizes.ts'

/** Unit vectors of texts. Fewer than texts: the encoder cannot be used now. */
export type EmbedTexts = (texts: string[]) => Promise<Float32Array[]>

const batchWindows = 32

type Unit = Piece & { section: number /** From the window before, 0 (the same) to 2. */; distance: number }

const cosine = (a: Float32Array, b: Float32Array): number => {
  let sum = 0
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0)
  return sum
}

/** Sets the distances; false when the encoder gave no vectors. */
const measure = async (text: string, units: Unit[], embed: EmbedTexts): Promise<boolean> => {
  const window = (at: number): string => {
    const section = units[at]?.section
    return [units[at - 1], units[at], units[at + 1]]
      .filter((unit) => unit !== undefined && unit.section === section)
      .map((unit) => (unit ? text.slice(unit.start, unit.end) : ''))
      .join(' ')
  }
  let before: Float32Array | null = null
  for (let from = 0; from < units.length; from += batchWindows) {
    const batch = units.slice(from, from + batchWindows)
    const vectors = await embed(batch.map((_, at) => window(from + at)))
    if (vectors.length < batch.length) return false
    for (const [at, unit] of batch.entries()) {
      const vector = vectors[at]
      if (!vector) return false
      unit.distance = before ? 1 - cosine(before, vector) : 0
      before = vector
    }
  }
  return true
}

/** The distance that as many windows pass as there should be passages. */
const farEnough = (units: readonly Unit[], { targetTokens }: ChunkSizes): number => {
  const tokens = units.reduce((sum, unit) => sum + unit.tokens, 0)
  const cuts = Math.round(tokens / targetTokens)
  const distances = units.map(({ distance }) => distance).sort((a, b) => b - a)
  return distances[cuts] ?? 0
}

/** Null when the encoder gave no vectors: the caller cuts by other signs. */
export const chunkSemantic = async (
  document: ParsedDocument,
  sizes: ChunkSizes,
  embed: EmbedTexts,
): Promise<ChunkSpan[] | null> => {
  const { text } = document
  const breathe = createBreather()
  const sections = sectionsOf(document)
  const units: Unit[] = []
  for (const [section, { blocks }] of sections.entries())
    for (const piece of await sentencePieces(text, blocks, sizes.tokensMax, breathe))
      units.push({ ...piece, section, distance: 0 })
  if (!(await measure(text, units, embed))) return null
  const threshold = farEnough(units, sizes)
  const shortest = sizes.targetTokens / 4
  const bySection = Map.groupBy(units, ({ section }) => section)
  return sections.flatMap(({ headingPath }, section) => {
    const own = bySection.get(section) ?? []
    const far = new Set<Piece>(own.filter(({ distance }) => distance > threshold))
    const bounds = { ...sizes, targetTokens: sizes.tokensMax }
    return packPieces(own, bounds, (piece, tokens) => tokens >= shortest && far.has(piece)).map(({ start, end }) => ({
      start,
      end,
      headingPath,
      context: '',
    }))
  })
}
