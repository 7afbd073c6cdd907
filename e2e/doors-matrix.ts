/** The expected verdicts of `doors-matrix.txt`, read. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const askers = ['anonymous', 'member', 'reviewer', 'admin', 'owner', 'outsider', 'suspended'] as const
export type Asker = (typeof askers)[number]

/** Whose id is in the path or in the body; `-` for doors without one. */
const idKinds = ['-', 'own', 'foreign', 'missing', 'malformed'] as const
export type IdKind = (typeof idKinds)[number]

const kinds = ['page', 'route', 'action'] as const
export type DoorKind = (typeof kinds)[number]

export type Row = {
  kind: DoorKind
  /** `/admin/documents`, `POST /api/chat`, `app/(chat)/actions.ts renameChatAction`. */
  name: string
  id: IdKind
  /** An HTTP status; `in` for a way to the sign-in page. */
  verdicts: Readonly<Record<Asker, string>>
}
export type OpenDoor = { kind: DoorKind; name: string; reason: string }

export const doorKey = ({ kind, name }: { kind: DoorKind; name: string }): string => `${kind} ${name}`

const isOneOf = <Word extends string>(words: readonly Word[], word: string | undefined): word is Word =>
  word !== undefined && (words as readonly string[]).includes(word)

const parseLine = (line: string): Row | OpenDoor => {
  const [, kind, rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
  if (!isOneOf(kinds, kind)) throw new Error(`What kind of door is this? ${line}`)
  const [name = '', reason] = rest.split(/\s+open:\s+/)
  if (reason) return { kind, name: name.trim(), reason }
  const words = rest.split(/\s+/)
  const cells = words.splice(-askers.length)
  const id = words.pop()
  const complete = cells.length === askers.length && cells.every((cell) => /^(\d{3}|in)$/.test(cell))
  if (!isOneOf(idKinds, id) || !complete) throw new Error(`A door needs an id and ${askers.length} verdicts: ${line}`)
  const verdicts = Object.fromEntries(askers.map((asker, at) => [asker, cells[at] ?? ''])) as Record<Asker, string>
  return { kind, name: words.join(' '), id, verdicts }
}

const lines = readFileSync(join(import.meta.dirname, 'doors-matrix.txt'), 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map(parseLine)

export const matrix: readonly Row[] = lines.filter((line): line is Row => 'verdicts' in line)
/** Doors that are open to everybody or keep themselves, each with its reason. */
export const openDoors: readonly OpenDoor[] = lines.filter((line): line is OpenDoor => 'reason' in line)
