/** The outline of a document: its blocks under their headings. */
import type { Block, ParsedDocument } from '../parse/parsed-document.ts'

export type Section = { headingPath: string[]; blocks: Block[] }

type Heading = { level: number; text: string }

/** Longer headings are paragraphs that someone set as a heading. */
export const headingCharsMax = 200

/** The beginning of a text, for a path or a context; never half a character, which a database refuses. */
export const beginningOf = (text: string, charsMax: number): string =>
  text.slice(0, charsMax).replace(/[\uD800-\uDBFF]$/, '')

/** A heading's words on one line, without the marks that some formats keep. */
export const headingText = (text: string, { start, end }: Pick<Block, 'start' | 'end'>): string =>
  beginningOf(
    text
      .slice(start, end)
      .replace(/^#+\s*/, '')
      .replace(/\s+/g, ' ')
      .trim(),
    headingCharsMax,
  )

/** A paragraph set as a heading does not fit the path: its words stay text. */
export const fitsPath = ({ start, end }: Pick<Block, 'start' | 'end'>): boolean => end - start <= headingCharsMax

/** The heading of a table of contents: what follows in smaller type is the first chapter, and not a part of it. */
const ofContents =
  /^(?:(?:table of )?contents|inhalt(?:sverzeichnis|sübersicht)?|sommaire|table des matières|índice|indice|sommario|inhoud(?:sopgave)?)$/iu

/** Blocks under their headings. A heading that nothing stands under is text: it may be all that the page says. */
export const sectionsOf = ({ text, blocks }: ParsedDocument): Section[] => {
  const sections: Section[] = []
  const path: Heading[] = []
  let open: Section | null = null
  let waiting: Block | null = null
  const append = (block: Block): void => {
    open ??= { headingPath: path.map((heading) => heading.text), blocks: [] }
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
    const before = path.at(-1)
    const ended = before !== undefined && (before.level >= level || ofContents.test(before.text))
    if (ended) path.pop()
    if (ended && waiting) {
      open = null
      append(waiting)
    }
    while ((path.at(-1)?.level ?? 0) >= level) path.pop()
    path.push({ level, text: headingText(text, block) })
    open = null
    if (fitsPath(block)) waiting = block
    else {
      waiting = null
      append(block)
    }
  }
  if (waiting) {
    path.pop()
    open = null
    append(waiting)
  }
  return sections
}
