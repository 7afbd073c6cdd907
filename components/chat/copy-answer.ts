/** An answer as a person would paste it: plain numbers in the text, the sources below as footnotes. */
import type { Citation } from '#lib/shared/chat-contract.ts'
import { withPlainMarkers } from '#lib/shared/chat-contract.ts'
import { placeOf } from './source-label.ts'

const footnote = (citation: Citation): string => {
  if (citation.removed)
    return `[${citation.n}] ${citation.title} (${citation.closed ? 'no longer open to you' : 'deleted since'})`
  const place = placeOf(citation)
  return `[${citation.n}] ${citation.title}${place ? `, ${place}` : ''}: “${citation.quote.replace(/\s+/g, ' ').trim()}”`
}

/** One footnote for each number that the text uses, in order; citations that share a number share the passage. */
export const answerWithFootnotes = (text: string, citations: readonly Citation[]): string => {
  const plain = withPlainMarkers(text, citations).trim()
  const first = new Map<number, Citation>()
  for (const citation of [...citations].sort((a, b) => a.ordinal - b.ordinal))
    if (!first.has(citation.n)) first.set(citation.n, citation)
  if (first.size === 0) return plain
  const notes = [...first.values()].sort((a, b) => a.n - b.n).map(footnote)
  return `${plain}\n\nSources\n${notes.join('\n')}`
}
