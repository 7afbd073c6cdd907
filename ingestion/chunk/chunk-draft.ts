/** A passage before it is stored. `text` is exactly the document's text from `start` to `end`. */
export type ChunkDraft = {
  ordinal: number
  text: string
  start: number
  end: number
  /** Headings above it, outermost first; they are not part of the text. Of source code: what it is nested in. */
  headingPath: string[]
  /** What the text does not say itself: the header of a table, the head of a function that began before it. */
  context: string
  pageFrom: number | null
  pageTo: number | null
  tokens: number
  /** ISO 639-1; `und` when it cannot be told. */
  language: string
  /** What a reader should know of it. `hidden`: a reader of the original does not see it. */
  flags: string[]
}

/** What a chunker says of one passage; the rest follows from the document. */
export type ChunkSpan = { start: number; end: number; headingPath: string[]; context: string }
