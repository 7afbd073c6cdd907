/** The numbers that Word shows before headings and list items; they stand in no text of the file. */
import { elementAt, elementsOf, type XmlNode } from './xml-tree.ts'

type Level = { format: string; pattern: string; start: number }
type Definition = { counters: string; levels: Map<number, Level>; restarts: ReadonlyMap<number, number> }

export type Numbering = {
  /** What stands before the next paragraph of this list at this level: `-`, `2.`, `1.3`; empty for lists without marks. */
  markOf(listId: string, level: number): string
}

const levelsMax = 9
const valueIn = (node: XmlNode | undefined): string => node?.attributes['w:val'] ?? ''

const romanParts = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
] as const
const romanMax = 3_999

const roman = (value: number): string => {
  let left = value
  let text = ''
  for (const [size, sign] of romanParts)
    while (left >= size) {
      text += sign
      left -= size
    }
  return text
}
/** a to z, then aa to zz, as Word counts. */
const alphabetic = (value: number): string =>
  String.fromCharCode(97 + ((value - 1) % 26)).repeat(Math.min(4, Math.ceil(value / 26)))

const written = (value: number, format: string): string => {
  if (value < 1 || value > romanMax) return String(value)
  if (/Roman$/.test(format)) return format.startsWith('upper') ? roman(value).toUpperCase() : roman(value)
  if (/Letter$/.test(format)) return format.startsWith('upper') ? alphabetic(value).toUpperCase() : alphabetic(value)
  return String(value)
}

const levelsOf = (abstract: XmlNode | undefined): Map<number, Level> =>
  new Map(
    elementsOf(abstract, 'lvl').map((level) => [
      Number(level.attributes['w:ilvl']),
      {
        format: valueIn(elementAt(level, 'numFmt')) || 'decimal',
        pattern: valueIn(elementAt(level, 'lvlText')),
        start: Number(valueIn(elementAt(level, 'start')) || 1),
      },
    ]),
  )

/** `root` is `word/numbering.xml`, if there is one. Counts as it is asked: once for each paragraph, in order. */
export const readNumbering = (root: XmlNode | null): Numbering => {
  const abstracts = new Map(
    elementsOf(root ?? undefined, 'abstractNum').map((node) => [node.attributes['w:abstractNumId'] ?? '', node]),
  )
  const definitions = new Map<string, Definition>()
  for (const list of elementsOf(root ?? undefined, 'num')) {
    const abstractId = valueIn(elementAt(list, 'abstractNumId'))
    const restarts = new Map(
      elementsOf(list, 'lvlOverride').flatMap((override) => {
        const start = elementAt(override, 'startOverride')
        return start ? [[Number(override.attributes['w:ilvl']), Number(valueIn(start) || 1)] as const] : []
      }),
    )
    definitions.set(list.attributes['w:numId'] ?? '', {
      counters: abstractId,
      levels: levelsOf(abstracts.get(abstractId)),
      restarts,
    })
  }
  /** Lists of one abstract definition go on counting where another stopped. */
  const counters = new Map<string, (number | undefined)[]>()
  const begun = new Set<string>()
  return {
    markOf: (listId, level) => {
      const definition = definitions.get(listId)
      const own = definition?.levels.get(level)
      if (!definition || !own || level >= levelsMax) return '-'
      const counts = counters.get(definition.counters) ?? []
      counters.set(definition.counters, counts)
      const restart = begun.has(`${listId}/${level}`) ? undefined : definition.restarts.get(level)
      begun.add(`${listId}/${level}`)
      const before = counts[level]
      counts[level] = restart ?? (before === undefined ? own.start : before + 1)
      counts.length = level + 1
      // A level that was skipped counts as begun.
      for (let above = 0; above < level; above += 1) counts[above] ??= definition.levels.get(above)?.start ?? 1
      if (own.format === 'none') return ''
      if (own.format === 'bullet') return '-'
      return own.pattern.replace(/%(\d)/g, (_, digit: string) => {
        const at = Number(digit) - 1
        const shown = definition.levels.get(at)
        return written(counts[at] ?? shown?.start ?? 1, shown?.format ?? 'decimal')
      })
    },
  }
}
