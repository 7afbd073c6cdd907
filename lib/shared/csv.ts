/** Tables as text for spreadsheets (RFC 4180), so that no cell is taken for a formula. */

/** What a spreadsheet takes for the beginning of a formula, also after blanks. */
const formulaStart = /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

const cell = (value: string | number | null): string => {
  if (value === null) return ''
  // A number of ours is a number, also below zero.
  if (typeof value === 'number') return String(value)
  const text = formulaStart.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

/** One line with its end. */
export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(',')}\r\n`
