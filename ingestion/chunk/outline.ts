/**
 * Documents with headings: passages follow the outline. A passage never crosses a heading and keeps paragraphs, list items,
 * fences and tables whole where they fit; a table that goes on in the next passage takes its header along.
 */
import type { Block, ParsedDocument } from '../parse/parsed-document.ts'
import { type Breather, createBreather } from './breather.ts'
import type { ChunkSpan } from './chunk-draft.ts'
import { type Piece, packPieces, pieceOf } from './pack.ts'
import { beginningOf, fitsPath, headingText, type Section, sectionsOf } from './sections.ts'
import type { ChunkSizes } from './sizes.ts'
import { splitOversize } from './split.ts'

const headerCharsMax = 400

/** A block's own pieces: one, unless it is larger than a passage may be. */
const blockPieces = async (text: string, { start, end }: Block, tokensMax: number, context = ''): Promise<Piece[]> =>
  (await splitOversize(text.slice(start, end), tokensMax)).map((part) =>
    pieceOf(text, start + part.start, start + part.end, context),
  )

/** A table's rows: one piece when they fit a passage, else row by row, each of which knows the header. */
const tablePieces = async (text: string, rows: readonly Block[], tokensMax: number): Promise<Piece[]> => {
  const [header] = rows
  const last = rows.at(-1)
  if (!header || !last) return []
  const whole = last.end - header.start <= tokensMax * 4 ? pieceOf(text, header.start, last.end) : null
  if (whole && whole.tokens <= tokensMax) return [whole]
  const context = beginningOf(text.slice(header.start, header.end).trim(), headerCharsMax)
  const pieces: Piece[] = []
  for (const row of rows) pieces.push(...(await blockPieces(text, row, tokensMax, row === header ? '' : context)))
  return pieces
}

/** Tables and fences may be as large as `wholeTokensMax`, all else as `tokensMax`. */
const piecesOf = async (
  text: string,
  blocks: readonly Block[],
  { tokensMax, wholeTokensMax }: { tokensMax: number; wholeTokensMax: number },
  breathe: Breather,
): Promise<Piece[]> => {
  const pieces: Piece[] = []
  let rows: Block[] = []
  const endTable = async (): Promise<void> => {
    pieces.push(...(await tablePieces(text, rows, wholeTokensMax)))
    rows = []
  }
  for (const block of blocks) {
    await breathe()
    if (block.kind === 'row') rows.push(block)
    else {
      await endTable()
      pieces.push(...(await blockPieces(text, block, block.kind === 'code' ? wholeTokensMax : tokensMax)))
    }
  }
  await endTable()
  return pieces
}

export const chunkOutline = async (
  document: ParsedDocument,
  sizes: ChunkSizes,
  whole: ChunkSizes,
): Promise<ChunkSpan[]> => {
  const { text } = document
  const bounds = { tokensMax: sizes.tokensMax, wholeTokensMax: whole.tokensMax }
  const breathe = createBreather()
  const spans: ChunkSpan[] = []
  for (const { headingPath, blocks } of sectionsOf(document))
    for (const { start, end, context } of packPieces(await piecesOf(text, blocks, bounds, breathe), sizes))
      spans.push({ start, end, headingPath, context })
  return spans
}

/**
 * Spreadsheets and records: groups of rows under the name of their sheet. A row says the names of its columns itself, so that the
 * first row is no header.
 */
export const chunkRows = async (document: ParsedDocument, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const { text, context: header = '' } = document
  const breathe = createBreather()
  const spans: ChunkSpan[] = []
  for (const { headingPath, blocks } of sectionsOf(document)) {
    const pieces: Piece[] = []
    for (const block of blocks) {
      await breathe()
      pieces.push(...(await blockPieces(text, block, sizes.tokensMax)))
    }
    for (const { start, end } of packPieces(pieces, sizes)) {
      const [firstColumn = ''] = header.split(', ', 1)
      const named = text.slice(start, end).includes(`${firstColumn}: `)
      spans.push({ start, end, headingPath, context: named ? '' : beginningOf(header, headerCharsMax) })
    }
  }
  return spans
}

/** A slide's title as its path, when more than the title stands on it. */
const titledSlide = (text: string, blocks: readonly Block[]): Section => {
  const [title, ...others] = blocks
  return title?.kind === 'heading' && fitsPath(title) && others.length > 0
    ? { headingPath: [headingText(text, title)], blocks: others }
    : { headingPath: [], blocks: [...blocks] }
}

/** Presentations: a passage a slide with its notes, under its title; a slide larger than a passage may be is cut between blocks. */
export const chunkSlides = async (document: ParsedDocument, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const { text, blocks, pages } = document
  if (pages.length === 0) return chunkOutline(document, sizes, sizes)
  const { tokensMax } = sizes
  const bounds = { tokensMax, wholeTokensMax: tokensMax }
  const breathe = createBreather()
  const spans: ChunkSpan[] = []
  let from = 0
  // What stands after the last slide is one more.
  for (const slideEnd of [...pages.map(({ charEnd }) => charEnd), text.length]) {
    let to = from
    while ((blocks[to]?.start ?? slideEnd) < slideEnd) to += 1
    const slide = titledSlide(text, blocks.slice(from, to))
    from = to
    for (const { start, end, context } of packPieces(await piecesOf(text, slide.blocks, bounds, breathe), {
      targetTokens: tokensMax,
      tokensMax,
    }))
      spans.push({ start, end, headingPath: slide.headingPath, context })
  }
  return spans
}
