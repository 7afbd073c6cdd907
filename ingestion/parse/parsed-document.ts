/** What every parser hands on: one canonical text, and what its stretches are. All offsets count in UTF-16 code units of `text`. */
import type { PageBox } from '#db/schema/index.ts'
import type { Span } from '#lib/shared/text.ts'

export const documentKinds = [
  'pdf',
  'docx',
  'pptx',
  'xlsx',
  'csv',
  'html',
  'markdown',
  'text',
  'code',
  'epub',
  'eml',
  'json',
  'xml',
  'odt',
  'rtf',
  'image',
] as const
export type DocumentKind = (typeof documentKinds)[number]

/** `row` is one row of a table, on one line; `list` one item. */
export type BlockKind = 'heading' | 'paragraph' | 'list' | 'row' | 'code'

/** Blocks are in order, do not overlap, and hold all of the text but white space. `level`: 1 for the outermost heading. */
export type Block = { kind: BlockKind; level?: number; start: number; end: number }

/** A page's (or slide's) stretch of the text, and where on the page each run of it stands. */
export type ParsedPage = { page: number; charStart: number; charEnd: number; boxes: PageBox[] }

export type ParsedDocument = {
  kind: DocumentKind
  title: string | null
  text: string
  blocks: Block[]
  /** Pages or slides; empty for formats without them. */
  pages: ParsedPage[]
  /** What every passage needs to be understood and does not repeat: the column names of a CSV file. */
  context?: string
  /** What the file says of itself. `date` is a day, as 2026-11-21. */
  meta?: { author?: string; date?: string }
  /** Stretches that a reader of the original does not see: in the colour of the paper, off the page, smaller than can be read. */
  hidden?: Span[]
  /** Files inside it that become documents of their own. */
  attachments?: { name: string; bytes: Uint8Array }[]
  /** Pages that are pictures without text, from 1: text recognition reads them later. */
  picturePages?: number[]
  /** Of source code: its language, as `python`. */
  codeLanguage?: string
}
