/** What every parser hands on: one canonical text, and what its stretches are. All offsets count in UTF-16 code units of `text`. */
import type { PageBox } from '#db/schema/index.ts'

export type DocumentKind = 'pdf' | 'docx' | 'markdown' | 'html' | 'text' | 'csv'

/** `row` is one row of a table, on one line; `list` one item. */
export type BlockKind = 'heading' | 'paragraph' | 'list' | 'row' | 'code'

/** Blocks are in order, do not overlap, and hold all of the text but white space. `level`: 1 for the outermost heading. */
export type Block = { kind: BlockKind; level?: number; start: number; end: number }

/** A page's stretch of the text, and where on the page each run of it stands. */
export type ParsedPage = { page: number; charStart: number; charEnd: number; boxes: PageBox[] }

export type ParsedDocument = {
  kind: DocumentKind
  title: string | null
  text: string
  blocks: Block[]
  /** Empty for formats without pages. */
  pages: ParsedPage[]
  /** What every passage needs to be understood and does not repeat: the column names of a CSV file. */
  context?: string
}
