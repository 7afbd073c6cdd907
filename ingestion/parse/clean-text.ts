/** Characters that no text should hold, whoever decoded it: escapes such as `\u0000` and `&#1;` bring back what a decoder has removed. */
const controls = /(?![\t\n])\p{Cc}|\u00ad/gu

/** `text` with `\n` as its only line end, without control characters and soft hyphens, and with half surrogate pairs replaced. */
export const cleanText = (text: string): string => text.replace(/\r\n?/g, '\n').replace(controls, '').toWellFormed()

/** The same on one line: runs of white space become one space. */
export const oneLine = (text: string): string => cleanText(text.replace(/\s+/g, ' ')).trim()
