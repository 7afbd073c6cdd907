/** A picture: what text recognition read of it; before that, one page that waits to be read. */
import { createTextBuilder } from './builder.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { addRecognised, type RecognisedPage } from './recognised.ts'
import { Refusal } from './refusal.ts'

export const parseImage = (recognised: readonly RecognisedPage[]): ParsedDocument => {
  const [read] = recognised
  if (!read) return { kind: 'image', title: null, text: '', blocks: [], pages: [], picturePages: [1] }
  const builder = createTextBuilder()
  const boxes = addRecognised(builder, read.words)
  const { text, blocks } = builder.build()
  if (!text.trim()) throw new Refusal('no-text')
  const first = blocks.find(({ kind }) => kind === 'heading')
  return {
    kind: 'image',
    title: first ? text.slice(first.start, first.end).replaceAll('\n', ' ') : null,
    text,
    blocks,
    pages: [{ page: 1, charStart: 0, charEnd: text.length, boxes }],
  }
}
