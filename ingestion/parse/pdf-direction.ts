/** From the order in which letters stand on a page to the order in which they are read. */

/** Of scripts from right to left; U+0640 only stretches an Arabic word and belongs to no script. */
const turningLetter = '[\\p{Script=Hebrew}\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Thaana}\\p{Script=Nko}\\u0640]'
const rightToLeft = new RegExp(turningLetter, 'u')
/** Such letters with the blanks between them. */
const rightToLeftStretch = new RegExp(`${turningLetter}(?:[\\p{M}\\s]*${turningLetter})*\\p{M}*`, 'gu')
const letters = /\p{L}/gu
/** Numbers and words of other scripts keep their order within a line from right to left. */
const leftToRightPart = /[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}\s.,:;/'’%@&+-]*[\p{L}\p{N}%])?/gu
const mirrored: Readonly<Record<string, string>> = { '(': ')', ')': '(', '[': ']', ']': '[', '{': '}', '}': '{' }
/** The share of letters from right to left that makes a whole run one of them (as pdf.js counts). */
const shareMin = 0.3

/** Letters with their marks stay together when the order turns. */
const turned = (text: string): string =>
  (text.match(/\P{M}\p{M}*|\p{M}+/gu) ?? [])
    .reverse()
    .map((cluster) => mirrored[cluster] ?? cluster)
    .join('')

/** The run as it is read, out of the run as it stands from left to right. */
export const toLogicalOrder = (text: string): string => {
  if (!rightToLeft.test(text)) return text
  const all = text.match(letters) ?? []
  const turning = all.filter((letter) => rightToLeft.test(letter)).length
  if (turning < all.length * shareMin) return text.replace(rightToLeftStretch, turned)
  // Everything turns, and what is not from right to left turns back.
  let read = ''
  let from = 0
  const whole = turned(text)
  for (const { index, 0: stretch } of whole.matchAll(rightToLeftStretch)) {
    read += whole.slice(from, index).replace(leftToRightPart, turned) + stretch
    from = index + stretch.length
  }
  return read + whole.slice(from).replace(leftToRightPart, turned)
}
