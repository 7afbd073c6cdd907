/** Two cuttings of one stretch of a document, side by side, level wherever both begin a passage at the same place. */
import type { ChunkPreviewResult, ShownPassage } from '#lib/shared/knowledge-contract.ts'

type TriedPassage = ChunkPreviewResult['passages'][number]
/** `number` counts from 1; `text` is what lies within the stretch. */
export type ShownTrial = TriedPassage & { number: number; text: string }
export type CuttingRow = { start: number; stored: ShownPassage[]; tried: ShownTrial[]; same: boolean }

/** Between passages there is only white space, so that their texts make up the stretch; gaps are filled to keep every offset. */
const stretchOf = (stored: readonly ShownPassage[]): { start: number; end: number; text: string } => {
  const start = stored[0]?.start ?? 0
  let text = ''
  for (const passage of stored) text = `${text.padEnd(passage.start - start, '\n')}${passage.text}`
  return { start, end: start + text.length, text }
}

/** Rows of what is stored and what was tried, over the stretch that `stored` covers. */
export const alignCuttings = (stored: readonly ShownPassage[], tried: readonly TriedPassage[]): CuttingRow[] => {
  const stretch = stretchOf(stored)
  const shown = tried.flatMap((passage, at): ShownTrial[] => {
    const [from, to] = [Math.max(passage.start, stretch.start), Math.min(passage.end, stretch.end)]
    if (from >= to) return []
    return [{ ...passage, number: at + 1, text: stretch.text.slice(from - stretch.start, to - stretch.start) }]
  })
  const storedStarts = new Set(stored.map(({ start }) => start))
  const level = [stretch.start, ...shown.map(({ start }) => start).filter((start) => storedStarts.has(start))]
  const starts = [...new Set(level)].sort((a, b) => a - b)
  return starts.map((start, at) => {
    const end = starts[at + 1] ?? stretch.end
    const inRow = (passage: { start: number }): boolean =>
      Math.max(passage.start, stretch.start) >= start && passage.start < end
    const row = { start, stored: stored.filter(inRow), tried: shown.filter(inRow) }
    const [one, other] = [row.stored[0], row.tried[0]]
    const alone = row.stored.length === 1 && row.tried.length === 1
    return { ...row, same: alone && one?.start === other?.start && one?.end === other?.end }
  })
}
