export type MarkedPiece = { start: number; text: string; marked: boolean }

/** Cuts a text at every place where `words` stand, in any case. The pieces together are the text. */
export const markWords = (text: string, words: string): MarkedPiece[] => {
  const wanted = words.trim()
  if (!wanted) return [{ start: 0, text, marked: false }]
  const pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu')
  const pieces: MarkedPiece[] = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (index > end) pieces.push({ start: end, text: text.slice(end, index), marked: false })
    pieces.push({ start: index, text: found, marked: true })
    end = index + found.length
  }
  if (end < text.length) pieces.push({ start: end, text: text.slice(end), marked: false })
  return pieces
}
