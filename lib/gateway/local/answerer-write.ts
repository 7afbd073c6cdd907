/** The chosen sentences as a short text with `[n]` after each. Nothing is added but marks of layout and one honest line. */
import type { Selection } from './answerer-select.ts'
import type { Cell, Unit } from './answerer-units.ts'

export const notDirectly = 'The documents do not say this directly. The closest passages are:'
/** Of what is only near, little: two places to look at. */
const nearMax = 2
export const nothingToQuote = 'The documents do not say this.'

/** A quoted "[3]" would read as a citation and a stray mark as layout. */
const quotable = (text: string): string =>
  text
    .replace(/\[(\d{1,3}(?:\s*[,–-]\s*\d{1,3})*)\]/g, '($1)')
    .replace(/(?<!\\)([*_`~<])/g, '\\$1')
    .replace(/\s+/g, ' ')

const label = (text: string): string => {
  const words = text.replace(/_/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const sentence = ({ text, n }: Unit): string => `${quotable(text)}${/[.!?…:]["”’)]*$/.test(text) ? '' : '.'} [${n}]`

const cellText = ({ label: name, value }: Cell): string =>
  name ? `**${quotable(label(name))}:** ${quotable(value)}` : quotable(value)

const row = (cells: readonly Cell[], n: number): string =>
  `${cells
    .filter(({ value }) => value)
    .map(cellText)
    .join('; ')}. [${n}]`

const bar = (cells: readonly string[], end = ''): string =>
  `| ${cells.map((cell) => quotable(cell).replace(/\|/g, '\\|')).join(' | ')}${end} |`

const table = (rows: readonly Unit[]): string => {
  const labels = rows[0]?.cells?.map(({ label: name }) => label(name)) ?? []
  return [
    bar(labels),
    `|${labels.map(() => ' --- |').join('')}`,
    ...rows.map(({ cells, n }) =>
      bar(
        (cells ?? []).map(({ value }) => value),
        ` [${n}]`,
      ),
    ),
  ].join('\n')
}

const sameColumns = (rows: readonly Unit[]): boolean => {
  const columns = rows.map(({ cells }) => cells?.map(({ label: name }) => name).join('|') ?? '')
  return columns.every((one) => one === columns[0]) && (rows[0]?.cells?.every(({ label: name }) => name) ?? false)
}

const group = (units: readonly Unit[], alone: boolean): string => {
  if (units[0]?.cells) {
    if (units.length > 1 && sameColumns(units)) return table(units)
    return units.map(({ cells, n }) => `- ${row(cells ?? [], n)}`).join('\n')
  }
  if (units.length > 1 && units.every(({ isListItem }) => isListItem))
    return units.map((unit) => `- ${sentence(unit)}`).join('\n')
  const prose = units.map(sentence).join(' ')
  return alone ? prose : `- ${prose}`
}

/** Bullets that follow each other are one list; everything else stands apart. */
const join = (blocks: readonly string[]): string =>
  blocks.reduce((text, block, i) => {
    const oneList = block.startsWith('- ') && blocks[i - 1]?.startsWith('- ')
    return i === 0 ? block : `${text}${oneList ? '\n' : '\n\n'}${block}`
  }, '')

/** The answer's Markdown. */
export const writeAnswer = ({ groups, direct }: Selection): string => {
  const [first, ...others] = groups
  if (!first) return nothingToQuote
  if (!direct)
    return `${notDirectly}\n\n${join(groups.slice(0, nearMax).map((units) => group(units.slice(0, nearMax), false)))}`
  return join([group(first, true), ...others.map((units) => group(units, others.length === 1))])
}
