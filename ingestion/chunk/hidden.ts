/** Text that a reader of the original does not see stays apart: it may be there to speak to a model behind the reader's back. */
import type { Span } from '#lib/shared/text.ts'
import type { Block, ParsedDocument } from '../parse/parsed-document.ts'
import type { ChunkSpan } from './chunk-draft.ts'

/** In order and without overlap, whatever a parser gave. */
const inOrder = (hidden: readonly Span[]): Span[] => {
  const merged: Span[] = []
  for (const { start, end } of [...hidden].sort((a, b) => a.start - b.start)) {
    const before = merged.at(-1)
    if (end <= start) continue
    if (before && start <= before.end) before.end = Math.max(before.end, end)
    else merged.push({ start, end })
  }
  return merged
}

/** Blocks that touch hidden text name no other passage, as its heading, clause or header of its table: they are taken as code is. */
export const withoutHiddenOutline = (document: ParsedDocument): ParsedDocument => {
  const hidden = inOrder(document.hidden ?? [])
  if (hidden.length === 0) return document
  let at = 0
  const blocks = document.blocks.map((block): Block => {
    while ((hidden[at]?.end ?? Number.POSITIVE_INFINITY) <= block.start) at += 1
    const { start, end } = block
    return (hidden[at]?.start ?? Number.POSITIVE_INFINITY) < end ? { kind: 'code', start, end } : block
  })
  return { ...document, blocks }
}

/** The spans, cut where hidden text begins and ends, and what is hidden marked as such. */
export const cutAtHidden = (
  spans: readonly ChunkSpan[],
  hidden: readonly Span[],
): (ChunkSpan & { flags: string[] })[] => {
  const stretches = inOrder(hidden)
  let at = 0
  return spans.flatMap((span) => {
    const cut: (ChunkSpan & { flags: string[] })[] = []
    let from = span.start
    while ((stretches[at]?.end ?? Number.POSITIVE_INFINITY) <= span.start) at += 1
    for (let next = at; from < span.end; next += 1) {
      const { start, end } = stretches[next] ?? { start: span.end, end: span.end }
      const visibleEnd = Math.min(start, span.end)
      if (visibleEnd > from) cut.push({ ...span, start: from, end: visibleEnd, flags: [] })
      from = Math.max(from, visibleEnd)
      const hiddenEnd = Math.min(end, span.end)
      if (hiddenEnd > from) cut.push({ ...span, start: from, end: hiddenEnd, flags: ['hidden'] })
      from = Math.max(from, hiddenEnd)
    }
    return cut
  })
}
