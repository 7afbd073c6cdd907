/** What people type against what is stored: dollars, shares and times, and forms that are read field by field. */

/** Text that cannot be read as its field wants it; `message` says how to write it. */
export class Unreadable extends Error {
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.name = 'Unreadable'
    this.field = field
  }
}

const microsPerDollar = 1_000_000

/** The number in the text; null when it is empty, undefined when it is none. A comma is no number: it means two things. */
export const parseNumber = (text: string): number | null | undefined => {
  const bare = text.trim().replace(/^\$\s*/, '')
  if (bare === '') return null
  return /^-?\d{1,15}(?:\.\d{1,12})?$/.test(bare) ? Number(bare) : undefined
}

/** Micro-dollars as dollars without an end of zeros: `2.5`, `0.000001`; nothing for no amount. */
export const formatDollars = (micros: number | null): string =>
  micros === null ? '' : (micros / microsPerDollar).toFixed(6).replace(/\.?0+$/, '')

/** A share of one in percent, as a person would write it. */
export const formatPercent = (share: number): string => String(Number((share * 100).toFixed(6)))

/** The fields of a form by their names. Throws `Unreadable` for the first that cannot be read. */
export const readForm = (form: HTMLFormElement) => {
  const data = new FormData(form)
  const text = (name: string): string => {
    const value = data.get(name)
    return typeof value === 'string' ? value : ''
  }
  const number = (name: string): number | null => {
    const value = parseNumber(text(name))
    if (value === undefined) throw new Unreadable(name, 'Write a number, with a point for its fraction: 2.50')
    return value
  }
  const required = (name: string): number => {
    const value = number(name)
    if (value === null) throw new Unreadable(name, 'Enter a number.')
    return value
  }
  const scaled = (value: number, by: number): number => Math.round(value * by * 1e6) / 1e6
  return {
    text,
    number,
    required,
    ticked: (name: string): boolean => data.has(name),
    /** Micro-dollars; null when it is empty. */
    micros: (name: string): number | null => {
      const dollars = number(name)
      return dollars === null ? null : Math.round(dollars * microsPerDollar)
    },
    share: (name: string): number => scaled(required(name), 0.01),
    scaled: (name: string, by: number): number => scaled(required(name), by),
  }
}

/** A share of one as a figure in a report: `83 %`, `2.5 %`; a dash where there is nothing to be a share of. */
export const shareText = (share: number | null): string => {
  if (share === null) return '—'
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return 'under 0.1 %'
  // Almost all is not all.
  const shown = percent < 100 && percent > 99 ? Math.floor(percent * 10) / 10 : percent
  return `${shown.toFixed((shown < 10 && shown > 0) || (shown > 99 && shown < 100) ? 1 : 0)} %`
}
