/** A list of people to invite, as spreadsheets save it: e-mail, role, groups. Pure; every line is read or says what is wrong with it. */
import { CsvError, parse } from 'csv-parse/sync'
import { AppError } from './shared/errors.ts'
import { addressSchema, invitationLinesMax } from './shared/people-contract.ts'
import { type Role, roles } from './shared/viewer.ts'

export type ListLine = { line: number; email: string } & ({ role: Role | null; groups: string[] } | { fault: string })

type Column = 'email' | 'role' | 'groups'
const columnNames: Record<Column, readonly string[]> = {
  email: ['email', 'e-mail', 'mail', 'address', 'email address', 'e-mail address'],
  role: ['role'],
  groups: ['group', 'groups'],
}
const inOrder: readonly Column[] = ['email', 'role', 'groups']
const shownCharsMax = 120

const refuse = (message: string): never => {
  throw new AppError('bad-request', { message })
}

/** What the first line has most of: spreadsheets separate by what their country writes decimals without. */
const delimiterOf = (csv: string): string => {
  const [first = ''] = csv.split(/\r?\n/, 1)
  const counts = [',', ';', '\t'].map((one) => ({ one, count: first.split(one).length }))
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).one
}

/** Where each column stands, when the first line says so; null when it is a person already. */
const headerOf = (cells: readonly string[]): Partial<Record<Column, number>> | null => {
  const words = cells.map((cell) => cell.toLowerCase())
  const places = inOrder.flatMap((column) => {
    const at = words.findIndex((word) => columnNames[column].includes(word))
    return at < 0 ? [] : [[column, at] as const]
  })
  return places.length > 0 && !words.some((word) => word.includes('@')) ? Object.fromEntries(places) : null
}

type CsvRecord = { record: string[]; info: { lines: number } }

const readRecords = (csv: string, delimiter: string): CsvRecord[] => {
  try {
    // The types of the package do not know what `info` does to the result.
    return parse(csv, {
      bom: true,
      delimiter,
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 20_000,
    }) as unknown as CsvRecord[]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = 'lines' in error && typeof error.lines === 'number' ? ` from line ${error.lines} on` : ''
    return refuse(
      `The list cannot be read${line}: a quotation mark is not closed, or stands inside a cell. Nobody was invited.`,
    )
  }
}

/**
 * The lines of a list without its header. Columns are told by the header, else they are e-mail, role, groups; several groups stand in
 * one cell with | between. Throws `bad-request`, in words, for a list that cannot be read as a whole or has too many lines.
 */
export const readInvitationList = (csv: string): ListLine[] => {
  const records = readRecords(csv, delimiterOf(csv))
  const header = headerOf(records[0]?.record ?? [])
  if (header && header.email === undefined) refuse('The list has no column “email”. Name it so in the first line.')
  const people = (header ? records.slice(1) : records).filter(({ record }) => record.some(Boolean))
  if (people.length === 0) refuse('The list is empty. Write one e-mail address a line.')
  if (people.length > invitationLinesMax)
    refuse(
      `The list has ${people.length} lines, and ${invitationLinesMax} are taken at once. Split it. Nobody was invited.`,
    )
  const place = header ?? { email: 0, role: 1, groups: 2 }
  return people.map(({ record, info }) => readLine(record, info.lines, place))
}

const readLine = (record: readonly string[], line: number, place: Partial<Record<Column, number>>): ListLine => {
  const cell = (column: Column): string => record[place[column] ?? -1] ?? ''
  const typed = cell('email')
  const shown = typed.slice(0, shownCharsMax)
  // As a spreadsheet would take it for one when the list is opened again.
  if (record.some((one) => /^[=+\-@\t\r]/.test(one)))
    return { line, email: shown, fault: 'A cell begins like a formula. Write it without =, +, - or @ in front.' }
  const email = addressSchema.safeParse(typed)
  if (!email.success)
    return { line, email: shown, fault: typed ? 'That is no e-mail address.' : 'The e-mail address is missing.' }
  const roleTyped = cell('role').toLowerCase()
  const role = roles.find((one) => one === roleTyped) ?? null
  if (roleTyped && !role)
    return { line, email: email.data, fault: `There is no such role. Write one of: ${roles.join(', ')}.` }
  const groups = cell('groups')
    .split(/[|;]/)
    .map((name) => name.trim())
    .filter(Boolean)
  return { line, email: email.data, role, groups }
}
