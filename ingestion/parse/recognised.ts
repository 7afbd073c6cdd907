/** Recognised words as text with their places, the way a parser of the format would have given it. */
import type { PageBox, RecognisedWord } from '#db/schema/index.ts'
import type { createTextBuilder } from './builder.ts'

/** Words of a page as text recognition read them. */
export type RecognisedPage = { page: number; words: RecognisedWord[] }

type Line = { text: string; words: { at: number; word: RecognisedWord }[]; top: number; height: number }

/** A gap between two lines of more than this share of a line begins a paragraph. */
const paragraphGap = 0.75
const headingRatio = 1.35
const headingCharsMax = 120

const linesOf = (words: readonly RecognisedWord[]): Line[] => {
  const lines = new Map<number, Line>()
  for (const word of words) {
    const [text, , y, , height, at] = word
    const line = lines.get(at) ?? { text: '', words: [], top: y, height: 0 }
    const begins = line.text ? line.text.length + 1 : 0
    line.text = line.text ? `${line.text} ${text}` : text
    line.words.push({ at: begins, word })
    line.top = Math.min(line.top, y)
    line.height = Math.max(line.height, height)
    lines.set(at, line)
  }
  return [...lines.values()]
}

const medianHeight = (lines: readonly Line[]): number =>
  lines.map(({ height }) => height).sort((a, b) => a - b)[Math.floor(lines.length / 2)] ?? 0

/** Adds a page's words to the text as headings and paragraphs; returns where each word stands, in the text and on the page. */
export const addRecognised = (
  builder: ReturnType<typeof createTextBuilder>,
  words: readonly RecognisedWord[],
): PageBox[] => {
  const lines = linesOf(words)
  const usual = medianHeight(lines)
  const boxes: PageBox[] = []
  const isHeading = ({ text, height }: Line): boolean =>
    height >= usual * headingRatio && text.length <= headingCharsMax && /\p{L}{3}/u.test(text)

  let open: Line[] = []
  const close = (): void => {
    const [first] = open
    if (!first) return
    const heading = open.length === 1 && isHeading(first)
    const added = builder.add(
      heading ? 'heading' : 'paragraph',
      open.map(({ text }) => text).join('\n'),
      heading ? 2 : undefined,
    )
    let from = added?.start ?? 0
    for (const line of open) {
      for (const {
        at,
        word: [text, x, y, width, height],
      } of line.words)
        if (added) boxes.push([from + at, from + at + text.length, x, y, width, height])
      from += line.text.length + 1
    }
    open = []
  }
  for (const line of lines) {
    const last = open.at(-1)
    const gap = last ? line.top - (last.top + last.height) : 0
    if (
      last &&
      (gap > Math.max(usual, last.height) * paragraphGap || gap < -usual || isHeading(line) || isHeading(last))
    )
      close()
    open.push(line)
  }
  close()
  return boxes
}
