/**
 * Contracts, policies and laws: passages by numbered clause. `Article 5`, `§ 3`, `1.`, `1.1`, `(a)` and `(iv)` at the beginning of
 * a line count when they come in order; the numbers above a passage are its heading path. A clause stays whole where it fits;
 * short neighbours of one parent share a passage. A clause's number and title stay in the text, as its words.
 */
import { estimateTokens } from '#lib/shared/text.ts'
import type { Block, ParsedDocument } from '../parse/parsed-document.ts'
import { type Breather, createBreather } from './breather.ts'
import type { ChunkSpan } from './chunk-draft.ts'
import { type Piece, packPieces, pieceOf } from './pack.ts'
import { beginningOf, fitsPath, headingCharsMax, headingText } from './sections.ts'
import type { ChunkSizes } from './sizes.ts'
import { splitOversize } from './split.ts'

type Style = 'named' | 'decimal' | 'letter' | 'roman' | 'bracketed'
/** `numbers`: of a decimal all of them, 4.1.2 as [4, 1, 2]; of the others one. */
type Mark = { style: Style; numbers: number[]; label: string }

const named =
  /^(?:(?:Article|Section|Clause|Rule|Art\.|Sec\.|Artikel|Abschnitt|Artículo|Artigo|Articolo|Статья)\s+(\d{1,4})|§§?\s*(\d{1,4}))[a-z]?\b/i
/** A single number needs its stop: a sentence may begin with one. */
const decimal = /^(?:(\d{1,3}(?:\.\d{1,3}){1,5})[.)]?|(\d{1,3})[.)])\s+(?=\S)/
const chapter = /^(\d{1,3})\s+(?=\p{Lu})/u
const bracketed = /^\(?(?:([ivxl]{1,6})|([a-z])|(\d{1,3}))\)\s+(?=\S)/

const romanDigits: Record<string, number> = { i: 1, v: 5, x: 10, l: 50 }
const romanValue = (text: string): number =>
  [...text].reduce((sum, digit, at) => {
    const value = romanDigits[digit] ?? 0
    return sum + (value < (romanDigits[text[at + 1] ?? ''] ?? 0) ? -value : value)
  }, 0)
const letterValue = (letter: string): number => letter.charCodeAt(0) - 96

/** What a line may begin with; (i) is a letter or a Roman number, which only its place tells. */
const marksOf = (line: string, isHeading: boolean): Mark[] => {
  const byName = named.exec(line)
  if (byName) return [{ style: 'named', numbers: [Number(byName[1] ?? byName[2])], label: byName[0] }]
  const byNumber = decimal.exec(line) ?? (isHeading ? chapter.exec(line) : null)
  if (byNumber) {
    const label = byNumber[1] ?? byNumber[2] ?? ''
    return [{ style: 'decimal', numbers: label.split('.').map(Number), label }]
  }
  const inBrackets = bracketed.exec(line)
  if (!inBrackets) return []
  const [, roman, letter, digits] = inBrackets
  const label = `(${roman ?? letter ?? digits})`
  if (digits) return [{ style: 'bracketed', numbers: [Number(digits)], label }]
  const asLetter: Mark[] =
    (roman ?? letter ?? '').length === 1
      ? [{ style: 'letter', numbers: [letterValue(roman ?? letter ?? '')], label }]
      : []
  return roman ? [...asLetter, { style: 'roman', numbers: [romanValue(roman)], label }] : asLetter
}

type Node = {
  /** Null: a heading without a number, or the document. */
  mark: Mark | null
  level: number
  label: string
  start: number
  /** Where its own words begin that are not in the path: after a title that stands alone. */
  ownStart: number
  end: number
  children: Node[]
}

/** Clauses are skipped in print when they were deleted; more than this is another list. */
const skippedMax = 2

const follows = (number: number, previous: number): boolean => number > previous && number <= previous + 1 + skippedMax

/** Whether `mark` may come after an open clause, as its next sibling. */
const isSibling = (mark: Mark, open: Mark): boolean => {
  if (mark.style !== open.style || mark.numbers.length !== open.numbers.length) return false
  const last = mark.numbers.length - 1
  return (
    mark.numbers.slice(0, last).every((number, at) => number === open.numbers[at]) &&
    follows(mark.numbers[last] ?? 0, open.numbers[last] ?? 0)
  )
}

/** Whether `mark` goes on counting after `last`, whatever stood between them: articles are counted through all chapters. */
const continues = (mark: Mark, last: Mark): boolean => {
  const depth = mark.numbers.length
  if (depth > last.numbers.length + 1) return false
  if (!mark.numbers.slice(0, depth - 1).every((number, at) => number === last.numbers[at])) return false
  return follows(mark.numbers[depth - 1] ?? 0, last.numbers[depth - 1] ?? 0)
}

const isFirst = ({ numbers }: Mark): boolean => (numbers.at(-1) ?? 0) <= 1

/** Whether `mark` may begin a list below `parent`. */
const isChild = (mark: Mark, parent: Node): boolean => {
  const above = parent.mark
  if (!isFirst(mark)) return false
  if (mark.style === 'named') return above === null
  if (mark.style !== 'decimal') return above !== null
  if (above?.style === 'decimal')
    return (
      mark.numbers.length === above.numbers.length + 1 &&
      above.numbers.every((number, at) => number === mark.numbers[at])
    )
  // Article 5 has 5.1, or 1.
  if (above?.style === 'named') return mark.numbers.length === 1 || mark.numbers[0] === above.numbers[0]
  return above === null && mark.numbers.length <= 2
}

const titleCharsMax = 80

/** The title of a clause when its line says no more; PDF and Word set it as a heading, text files do not. */
const titleOf = (line: string, mark: Mark, isHeading: boolean): string => {
  const words = line.replace(/\s+/g, ' ').trim()
  const title = isHeading || (words.length <= titleCharsMax && !/[.;:,]$/.test(words) && /^\S+\s+\p{Lu}/u.test(words))
  return title ? beginningOf(words, headingCharsMax) : mark.label
}

type Outline = { root: Node; inOrder: number; marked: number; strong: number }

/** The tree of clauses, and how much the document looks like one made of them. */
const readOutline = async ({ text, blocks }: ParsedDocument, breathe: Breather): Promise<Outline> => {
  const root: Node = { mark: null, level: 0, label: '', start: 0, ownStart: 0, end: text.length, children: [] }
  const path: Node[] = [root]
  const outline: Outline = { root, inOrder: 0, marked: 0, strong: 0 }
  const open = (depth: number, node: Omit<Node, 'end' | 'children'>): void => {
    for (const closed of path.splice(depth)) closed.end = node.start
    const made = { ...node, end: text.length, children: [] }
    path.at(-1)?.children.push(made)
    path.push(made)
  }
  const last = new Map<Style, Mark>()
  /** The depth that a clause takes in the open path; null when it is out of order. */
  const placeOf = (mark: Mark): number | null => {
    for (let depth = path.length - 1; depth > 0; depth -= 1) {
      const at = path[depth]
      if (at?.mark && isSibling(mark, at.mark)) return depth
    }
    const below = path.at(-1)
    const counted = mark.style === 'decimal' || mark.style === 'named'
    // A list of letters has no list of letters in it: what begins anew there is something else.
    const nested = !counted && path.some((node) => node.mark?.style === mark.style)
    if (below && !nested && isChild(mark, below)) return path.length
    if (!counted) return null
    const container = path.findLastIndex((node) => node.mark === null)
    const before = last.get(mark.style)
    if (before && continues(mark, before)) return container + 1
    // Numbers begin anew below a heading, as in an annex.
    const heading = path[container]
    return heading && isChild(mark, heading) ? container + 1 : null
  }
  const readLine = (start: number, line: string, block: Block): void => {
    const marks = marksOf(line, block.kind === 'heading')
    if (marks.length > 0) outline.marked += 1
    for (const mark of marks) {
      const depth = placeOf(mark)
      if (depth === null) continue
      last.set(mark.style, mark)
      outline.inOrder += 1
      if (mark.style === 'named' || mark.numbers.length > 1) outline.strong += 1
      const label = titleOf(line, mark, block.kind === 'heading')
      const alone = label !== mark.label && fitsPath(block) && line.length === block.end - start
      open(depth, { mark, level: 0, label, start, ownStart: alone ? block.end : start })
      return
    }
    if (block.kind !== 'heading' || !fitsPath(block) || start !== block.start) return
    const level = block.level ?? 1
    const above = path.findIndex((node, depth) => depth > 0 && (node.mark !== null || node.level >= level))
    open(above < 0 ? path.length : above, {
      mark: null,
      level,
      label: headingText(text, block),
      start,
      ownStart: block.end,
    })
  }
  for (const block of blocks) {
    await breathe()
    if (block.kind === 'row' || block.kind === 'code') continue
    for (const line of text.slice(block.start, block.end).matchAll(/[^\n]+/g)) {
      const indent = line[0].length - line[0].trimStart().length
      readLine(block.start + line.index + indent, line[0].trim(), block)
    }
  }
  return outline
}

const strongMin = 8
const inOrderShareMin = 0.75
/** A clause every so many characters; a report with numbered chapters has far fewer. */
const charsPerClauseMax = 1_500

const cutTree = async (
  document: ParsedDocument,
  root: Node,
  sizes: ChunkSizes,
  breathe: Breather,
): Promise<ChunkSpan[]> => {
  const { text } = document
  const spans: ChunkSpan[] = []
  const fits = ({ start, end }: { start: number; end: number }, tokensMax: number): boolean =>
    end - start <= tokensMax * 4 && estimateTokens(text.slice(start, end)) <= tokensMax
  const add = (pieces: readonly Piece[], headingPath: string[]): void => {
    for (const { start, end } of packPieces(pieces, sizes)) spans.push({ start, end, headingPath, context: '' })
  }
  const cut = async (node: Node, above: string[]): Promise<void> => {
    await breathe()
    const path = node.label ? [...above, node.label] : above
    const [first] = node.children
    const ownEnd = first?.start ?? node.end
    // A title with nothing below it is text.
    const start = node.ownStart < node.end && text.slice(node.ownStart, node.end).trim() ? node.ownStart : node.start
    // The words before its first clause: a preamble, or the sentence that the list completes.
    let together: Piece[] = []
    let single: Node | null = null
    const end = (): void => {
      add(together, single ? [...path, single.label] : path)
      together = []
      single = null
    }
    if (start < ownEnd && text.slice(start, ownEnd).trim())
      for (const part of await splitOversize(text.slice(start, ownEnd), sizes.tokensMax))
        together.push(pieceOf(text, start + part.start, start + part.end))
    // The sentence that a list completes stays with it; what stands before a first clause does not.
    if (node.mark === null) end()
    for (const child of node.children) {
      if (!fits(child, sizes.tokensMax) || child.mark === null) {
        end()
        await cut(child, path)
        continue
      }
      const tokens = together.reduce((sum, piece) => sum + piece.tokens, 0)
      const piece = pieceOf(text, child.start, child.end)
      if (together.length > 0 && (tokens >= sizes.targetTokens || tokens + piece.tokens > sizes.tokensMax)) end()
      single = together.length === 0 ? child : null
      together.push(piece)
    }
    end()
  }
  await cut(root, [])
  return spans
}

/** Null when the document does not look like one made of numbered clauses, unless `always`. */
export const chunkClauses = async (
  document: ParsedDocument,
  sizes: ChunkSizes,
  { always }: { always: boolean },
): Promise<ChunkSpan[] | null> => {
  const breathe = createBreather()
  const { root, inOrder, marked, strong } = await readOutline(document, breathe)
  const looksLikeIt =
    strong >= strongMin && inOrder >= marked * inOrderShareMin && document.text.length <= inOrder * charsPerClauseMax
  return looksLikeIt || (always && inOrder > 0) ? cutTree(document, root, sizes, breathe) : null
}
