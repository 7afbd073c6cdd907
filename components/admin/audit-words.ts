/** Lines of the audit log as sentences. */
import type { AuditAddress } from '#lib/shared/audit-address.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { AuditRow, ChainVerdict } from '#lib/shared/records-contract.ts'

/** Who did it; a line without an actor is the system's own, or a stranger's who was not let in. */
export const actorInWords = ({ actor, event }: Pick<AuditRow, 'actor' | 'event'>): string => {
  if (actor) return actor.name ?? 'A person who is gone'
  return event === 'sign-in.refused' ? 'A stranger' : 'Footnote itself'
}

/** `mediaType` and `ended_at` as people write them. */
const nameInWords = (name: string): string => {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const valueInWords = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return 'nothing'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return formatCount(value)
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueInWords).join(', ')
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, inner]) => `${nameInWords(name)}: ${valueInWords(inner)}`)
      .join('; ')
  return String(value)
}

/** What a line says beside who, what and when. */
export const detailsInWords = (details: Readonly<Record<string, unknown>>): { name: string; value: string }[] =>
  Object.entries(details).map(([name, value]) => ({ name: nameInWords(name), value: valueInWords(value) }))

/** What the walk over a chain found. */
export const verdictInWords = ({ lines, firstPlace, head, broken }: ChainVerdict): string => {
  if (broken) return `The log is broken. ${broken.words}`
  if (!head || lines === 0) return 'There is no line yet.'
  const from =
    firstPlace !== null && firstPlace > 1
      ? ` Lines before ${formatCount(firstPlace)} were deleted by retention, and the one that follows fits them.`
      : ''
  return `All ${formatCount(lines)} lines are as they were written.${from}`
}

/** The address of the log with this looked for, at its newest line; null takes a part away. */
export const auditQuery = (
  address: AuditAddress,
  changes: { [Part in keyof AuditAddress]?: string | null } = {},
): string => {
  const { before: _, ...rest } = address
  const parts = Object.entries({ ...rest, ...changes }).flatMap(([name, value]) =>
    value ? [[name, String(value)]] : [],
  )
  const query = new URLSearchParams(parts).toString()
  return query ? `?${query}` : ''
}
