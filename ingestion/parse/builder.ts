/** Puts a canonical text together block by block, keeping the offsets: blocks stand apart by a blank line, rows by a line end. */
import type { Block, BlockKind } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

/** More text than this is not one document; every stage after this holds it in memory. */
export const textCharsMax = 20_000_000

export type TextBuilder = {
  /** Adds a block; one that is only white space is left out. Returns its offsets. */
  add(kind: BlockKind, text: string, level?: number): { start: number; end: number } | null
  build(): { text: string; blocks: Block[] }
  readonly length: () => number
}

const tight: ReadonlySet<BlockKind> = new Set(['row', 'list'])

export const createTextBuilder = (): TextBuilder => {
  const parts: string[] = []
  const blocks: Block[] = []
  let length = 0
  return {
    add: (kind, raw, level) => {
      // Half a surrogate pair would be refused by the database; its replacement is as long.
      const text = (kind === 'code' ? raw.replace(/\s+$/, '') : raw.trim()).toWellFormed()
      if (!text.trim()) return null
      const previous = blocks.at(-1)
      const gap = previous ? (previous.kind === kind && tight.has(kind) ? '\n' : '\n\n') : ''
      parts.push(gap, text)
      const start = length + gap.length
      const end = start + text.length
      length = end
      if (length > textCharsMax) throw new Refusal('too-much-text', `${length} characters`)
      blocks.push({ kind, ...(level === undefined ? {} : { level }), start, end })
      return { start, end }
    },
    build: () => ({ text: parts.join(''), blocks }),
    length: () => length,
  }
}
