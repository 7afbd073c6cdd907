/**
 * From a parsed document to passages, by a chunker for its type.
 *
 * Guarantees: passages are in order, do not overlap, together hold all of the document's words (headings in the path of what they
 * stand above), and each is exactly a stretch of its text, so that a citation can point at it. What a reader of the original does
 * not see never shares a passage with what he sees, nor names it. The event loop is not held by a long document.
 */
import { detectLanguage } from '#lib/language.ts'
import { type ChunkStrategy, defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { DocumentKind, ParsedDocument, ParsedPage } from '../parse/parsed-document.ts'
import { createBreather } from './breather.ts'
import type { ChunkDraft, ChunkSpan } from './chunk-draft.ts'
import { chunkClauses } from './clauses.ts'
import { chunkCode } from './code.ts'
import { chunkFixed } from './fixed.ts'
import { cutAtHidden, withoutHiddenOutline } from './hidden.ts'
import { chunkOutline, chunkRows, chunkSlides } from './outline.ts'
import { chunkSemantic, type EmbedTexts } from './semantic.ts'
import { proseSizes, rowSizes, wholeSizes } from './sizes.ts'

export type { ChunkDraft } from './chunk-draft.ts'

type ChunkOptions = {
  /** How running text is cut; slides, rows and code are always cut by their own chunkers. */
  strategy?: ChunkStrategy
  /** The size that a passage is meant to have, in estimated tokens. */
  targetTokens?: number
  /** Needed by `semantic`. Fewer vectors than texts say that there are none now: the outline is followed instead. */
  embed?: EmbedTexts
}

const defaults = defaultGatewaySettings.chunking

/** Raised with every change after which the same document is cut differently. */
const version = 2

type Cutter = 'prose' | 'slides' | 'rows' | 'code'

const cutters: Record<DocumentKind, Cutter> = {
  pdf: 'prose',
  docx: 'prose',
  html: 'prose',
  markdown: 'prose',
  text: 'prose',
  epub: 'prose',
  eml: 'prose',
  xml: 'prose',
  odt: 'prose',
  rtf: 'prose',
  image: 'prose',
  pptx: 'slides',
  csv: 'rows',
  xlsx: 'rows',
  json: 'rows',
  code: 'code',
}

/** The kinds in which contracts and policies come. */
const mayHaveClauses: ReadonlySet<DocumentKind> = new Set(['pdf', 'docx', 'odt', 'rtf', 'text'])

/** The way a document is cut, in short: another one is a reason to index it again. */
export const chunkerId = (
  kind: DocumentKind,
  {
    strategy = defaults.strategy,
    targetTokens = defaults.targetTokens,
  }: Pick<ChunkOptions, 'strategy' | 'targetTokens'> = {},
): string => {
  const cutter = cutters[kind]
  const way = strategy === 'auto' && !mayHaveClauses.has(kind) ? 'outline' : strategy
  return [cutter === 'prose' ? way : cutter, targetTokens, version].join('/')
}

const spansOf = async (document: ParsedDocument, options: ChunkOptions): Promise<ChunkSpan[]> => {
  const { strategy = defaults.strategy, targetTokens = defaults.targetTokens, embed } = options
  const cutter = cutters[document.kind]
  const [prose, whole] = [proseSizes(targetTokens), wholeSizes(targetTokens)]
  if (cutter === 'slides') return chunkSlides(document, whole)
  if (cutter === 'rows') return chunkRows(document, rowSizes(targetTokens))
  if (cutter === 'code') return chunkCode(document, whole)
  if (strategy === 'fixed') return chunkFixed(document, prose)
  const clauses = strategy === 'clauses' || (strategy === 'auto' && mayHaveClauses.has(document.kind))
  const found = clauses ? await chunkClauses(document, whole, { always: strategy === 'clauses' }) : null
  const semantic = strategy === 'semantic' && embed ? await chunkSemantic(document, prose, embed) : null
  return found ?? semantic ?? chunkOutline(document, prose, whole)
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

/** A span without the white space at its ends; null when there is nothing else. The indentation of code is no white space. */
const trimmed = <T extends ChunkSpan>(text: string, kind: DocumentKind, span: T): T | null => {
  const raw = text.slice(span.start, span.end)
  const lead = (kind === 'code' ? /^(?:[ \t]*\r?\n)*/ : /^\s*/).exec(raw)?.[0].length ?? 0
  const end = span.start + raw.trimEnd().length
  return end > span.start + lead ? { ...span, start: span.start + lead, end } : null
}

/** Passages of a document. Never throws for what the document says; what `embed` throws passes through. */
export const chunkDocument = async (document: ParsedDocument, options: ChunkOptions = {}): Promise<ChunkDraft[]> => {
  const { text, kind, pages, hidden = [] } = document
  const breathe = createBreather()
  const documentLanguage = detectLanguage(text)
  const drafts: ChunkDraft[] = []
  for (const span of cutAtHidden(await spansOf(withoutHiddenOutline(document), options), hidden)) {
    await breathe()
    const exact = trimmed(text, kind, span)
    if (!exact) continue
    const { start, end, headingPath, context, flags } = exact
    const said = text.slice(start, end)
    const language = kind === 'code' ? 'und' : detectLanguage(said)
    drafts.push({
      ordinal: drafts.length,
      text: said,
      start,
      end,
      headingPath,
      context,
      pageFrom: pageAt(pages, start),
      pageTo: pageAt(pages, end - 1),
      tokens: estimateTokens(said),
      language: language === 'und' ? documentLanguage : language,
      flags,
    })
  }
  return drafts
}
