/**
 * Documents with headings: passages follow the outline. A passage never crosses a heading, keeps paragraphs, list items, rows and
 * fences whole where they fit, and knows the headings above it; a table that goes on in the next passage takes its header along.
 */
import { estimateTokens } from '#lib/shared/text.ts'
import type { Block, ParsedDocument } from '../parse/parsed-document.ts'
import type { ChunkSpan } from './chunk-draft.ts'
import type { ChunkSizes } from './sizes.ts'
import { splitOversize } from './split.ts'

type Heading = { level: number; text: string }
type Section = { headingPath: string[]; blocks: Block[] }

const headingCharsMax = 200
const headerCharsMax = 400

/** Blocks under their headings. A heading that nothing stands under is text: it may be all that the page says. */
const sectionsOf = ({ text, blocks }: ParsedDocument): Section[] => {
  const sections: Section[] = []
  const path: Heading[] = []
  let open: Section | null = null
  let waiting: Block | null = null
  const headings = (): string[] => path.map((heading) => heading.text)
  const append = (block: Block): void => {
    open ??= { headingPath: headings(), blocks: [] }
    if (open.blocks.length === 0) sections.push(open)
    open.blocks.push(block)
  }
  for (const block of blocks) {
    if (block.kind !== 'heading') {
      waiting = null
      append(block)
      continue
    }
    const level = block.level ?? 1
    if (waiting && (waiting.level ?? 1) >= level) {
      path.pop()
      open = null
      append(waiting)
    }
    while ((path.at(-1)?.level ?? 0) >= level) path.pop()
    path.push({
      level,
      text: text
        .slice(block.start, block.end)
        .replace(/^#+\s*/, '')
        .replace(/\s+/g, ' ')
        .trim()
        .slice(0, headingCharsMax),
    })
    open = null
    // A paragraph set as a heading does not fit the path: its words are kept as text too.
    if (block.end - block.start > headingCharsMax) {
      waiting = null
      append(block)
    } else waiting = block
  }
  if (waiting) {
    path.pop()
    open = null
    append(waiting)
  }
  return sections
}

type Piece = { start: number; end: number; tokens: number; row: boolean; header: string }

const piecesOf = async (text: string, section: Section, sizes: ChunkSizes): Promise<Piece[]> => {
  const pieces: Piece[] = []
  let header = ''
  let previous: Block['kind'] | null = null
  for (const block of section.blocks) {
    const row = block.kind === 'row'
    if (row && previous !== 'row') header = text.slice(block.start, block.end).trim().slice(0, headerCharsMax)
    previous = block.kind
    for (const { start, end } of await splitOversize(text.slice(block.start, block.end), sizes.tokensMax))
      pieces.push({
        start: block.start + start,
        end: block.start + end,
        tokens: estimateTokens(text.slice(block.start + start, block.start + end)),
        row,
        header: row ? header : '',
      })
  }
  return pieces
}

/** The header of the table that a passage begins in the middle of; nothing when it begins with the header itself. */
const contextOf = (text: string, first: Piece): string => {
  if (!first.row || !first.header) return ''
  return text.slice(first.start, first.end).trim().startsWith(first.header.slice(0, 40)) ? '' : first.header
}

export const chunkProse = async (document: ParsedDocument, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const { text } = document
  const spans: ChunkSpan[] = []
  for (const section of sectionsOf(document)) {
    const own: (ChunkSpan & { tokens: number })[] = []
    let taken: Piece[] = []
    let tokens = 0
    const close = (): void => {
      const [first] = taken
      const last = taken.at(-1)
      if (first && last)
        own.push({
          start: first.start,
          end: last.end,
          headingPath: section.headingPath,
          context: contextOf(text, first),
          tokens,
        })
      taken = []
      tokens = 0
    }
    for (const piece of await piecesOf(text, section, sizes)) {
      if (taken.length > 0 && (tokens >= sizes.targetTokens || tokens + piece.tokens > sizes.tokensMax)) close()
      taken.push(piece)
      tokens += piece.tokens
    }
    close()
    // A short rest says little by itself: it stays with what it follows.
    const rest = own.at(-1)
    const before = own.at(-2)
    if (rest && before && rest.tokens < sizes.targetTokens / 4 && before.tokens + rest.tokens <= sizes.tokensMax) {
      before.end = rest.end
      own.pop()
    }
    spans.push(...own.map(({ tokens: _, ...span }) => span))
  }
  return spans
}
