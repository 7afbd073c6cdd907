/**
 * From a parsed document to passages, by a chunker for its type.
 *
 * Guarantees: passages are in order, do not overlap, together hold all of the document's words, and each is exactly a stretch of
 * its text, so that a citation can point at it.
 */
import { estimateTokens } from '#lib/shared/text.ts'
import type { DocumentKind, ParsedDocument, ParsedPage } from '../parse/parsed-document.ts'
import type { ChunkDraft, ChunkSpan } from './chunk-draft.ts'
import { chunkProse } from './prose.ts'
import { proseSizes, rowSizes } from './sizes.ts'

export type { ChunkDraft } from './chunk-draft.ts'

type Chunker = (document: ParsedDocument) => Promise<ChunkSpan[]>

const byOutline: Chunker = (document) => chunkProse(document, proseSizes)
/** Groups of rows; each row names its columns, so that no header needs to be repeated. */
const byRows: Chunker = (document) => chunkProse(document, rowSizes)

const chunkers: Record<DocumentKind, Chunker> = {
  pdf: byOutline,
  docx: byOutline,
  html: byOutline,
  markdown: byOutline,
  text: byOutline,
  csv: byRows,
}

const pageAt = (pages: readonly ParsedPage[], offset: number): number | null => {
  let low = 0
  let high = pages.length - 1
  let page: number | null = pages[0]?.page ?? null
  while (low <= high) {
    const middle = (low + high) >> 1
    const candidate = pages[middle]
    if (!candidate) break
    if (candidate.charStart <= offset) {
      page = candidate.page
      low = middle + 1
    } else high = middle - 1
  }
  return page
}

/** A span without the white space at its ends; null when there is nothing else. */
const trimmed = (text: string, span: ChunkSpan): ChunkSpan | null => {
  const raw = text.slice(span.start, span.end)
  const lead = raw.length - raw.trimStart().length
  const end = span.start + raw.trimEnd().length
  return end > span.start + lead ? { ...span, start: span.start + lead, end } : null
}

export const chunkDocument = async (document: ParsedDocument): Promise<ChunkDraft[]> => {
  const spans = await chunkers[document.kind](document)
  return spans
    .flatMap((span) => trimmed(document.text, span) ?? [])
    .map(({ start, end, headingPath, context }, ordinal) => {
      const text = document.text.slice(start, end)
      return {
        ordinal,
        text,
        start,
        end,
        headingPath,
        context,
        pageFrom: pageAt(document.pages, start),
        pageTo: pageAt(document.pages, end - 1),
        tokens: estimateTokens(text),
      }
    })
}
