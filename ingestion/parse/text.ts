/** Plain text: paragraphs between blank lines; short lines that look like headings are taken for them. */
import { createTextBuilder } from './builder.ts'
import { decodeText } from './decode.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

const headingCharsMax = 80
const numbered = /^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[IVX]{1,5}\.|Chapter \d+|Section \d+|Appendix [A-Z])\s+\p{Lu}/u

const headingLevel = (paragraph: string): number | null => {
  if (paragraph.length > headingCharsMax || paragraph.includes('\n') || /[.!?;,:]$/.test(paragraph)) return null
  if (numbered.test(paragraph))
    return Math.min(4, /^[\d.]+/.exec(paragraph)?.[0].replace(/\.$/, '').split('.').length ?? 1)
  const letters = paragraph.replace(/[^\p{L}]/gu, '')
  return letters.length >= 4 && letters === letters.toUpperCase() && letters !== letters.toLowerCase() ? 1 : null
}

export const readText = (bytes: Uint8Array): string => {
  const text = decodeText(bytes)
  if (text === null) throw new Refusal('wrong-type', 'binary content')
  if (!text.trim()) throw new Refusal('no-text')
  return text
}

/** Lines that were wrapped by a program join again; lines that are short by intention (lists, addresses) stay. */
const unwrap = (paragraph: string): string => {
  const lines = paragraph.split('\n').map((line) => line.trimEnd())
  // A log is one paragraph of more lines than a call takes arguments.
  const longest = lines.reduce((most, line) => Math.max(most, line.length), 0)
  const wrapped = lines.length > 1 && longest >= 55 && lines.slice(0, -1).every((line) => line.length > longest * 0.65)
  const listed = lines.slice(1).some((line) => /^\s*(?:[-*•–]|\d+[.)])\s/.test(line))
  return wrapped && !listed ? lines.map((line) => line.trim()).join(' ') : lines.join('\n')
}

/** What the file is called, if its first line says so: a line by itself, or one that stands out from those below it. */
const titleOf = (paragraph: string): string | null => {
  const [line = ''] = paragraph.split('\n', 1)
  if (line !== paragraph) return headingLevel(line) === null ? null : line
  return line.length <= headingCharsMax && /\p{L}/u.test(line) && !/[.!?;,:]$/.test(line) ? line : null
}

export const parseText = (bytes: Uint8Array): ParsedDocument => {
  const builder = createTextBuilder()
  const [opening = '', ...others] = readText(bytes)
    .split(/\n[ \t]*\n\s*/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
  const title = others.length > 0 ? titleOf(opening) : null
  if (title !== null) builder.add('heading', title, 1)
  for (const text of [
    title === null ? opening : opening.slice(opening.indexOf('\n') + 1 || opening.length),
    ...others,
  ]) {
    const level = headingLevel(text)
    if (level !== null) builder.add('heading', text, title === null ? level : level + 1)
    else builder.add('paragraph', unwrap(text))
  }
  return { kind: 'text', title, ...builder.build(), pages: [] }
}
