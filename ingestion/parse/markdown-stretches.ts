/**
 * Cuts long Markdown where a block begins. The syntax parser takes time with the square of the length (a megabyte: half a minute),
 * and a book in stretches reads the same: fences and comments stay whole, and each stretch is told the link targets it names.
 */

/** A document shorter than this is parsed as it is. */
const stretchChars = 16_000

const definition = /^ {0,3}\[(?!\^)([^\]\n]{1,200})\]:[ \t]*\S.*$/
const footnote = /^ {0,3}\[\^([^\]\s]{1,200})\]:/
const fence = /^ {0,3}(`{3,}|~{3,})(.*)$/
const label = /\[(\^?[^\]\n]{1,200})\]/g
/** Starts a block whatever stands above it. Not a number: "1986. A good year" may be the middle of a sentence. */
const startsBlock = /^(?:#{1,6}|[-*+])[ \t]+\S/

const keyOf = (name: string): string => name.trim().replace(/\s+/g, ' ').toLowerCase()

type Cut = { stretches: string[]; definitions: Map<string, string> }

const cut = (source: string): Cut => {
  const stretches: string[] = []
  const definitions = new Map<string, string>()
  let open: string[] = []
  let length = 0
  let openFence: string | null = null
  let inComment = false
  let afterBlank = true
  for (const line of source.split('\n')) {
    const isOutside = openFence === null && !inComment
    const isBlockStart = startsBlock.test(line) || (afterBlank && /^\S/.test(line))
    if (isOutside && length > stretchChars && isBlockStart) {
      stretches.push(open.join('\n'))
      open = []
      length = 0
    }
    open.push(line)
    length += line.length + 1
    afterBlank = line.trim() === ''
    const [, mark, info = ''] = fence.exec(line) ?? []
    if (mark && !inComment) {
      if (openFence === null) {
        if (mark.startsWith('~') || !info.includes('`')) openFence = mark
      } else if (mark.startsWith(openFence) && info.trim() === '') openFence = null
    }
    if (openFence !== null) continue
    const opens = line.lastIndexOf('<!--')
    const closes = line.lastIndexOf('-->')
    if (opens > closes) inComment = true
    else if (closes >= 0) inComment = false
    const target = definition.exec(line)
    if (target?.[1]) definitions.set(keyOf(target[1]), line)
    const note = footnote.exec(line)
    // The note itself is text and stays where it is; elsewhere only its mark has to be known for one.
    if (note?.[1]) definitions.set(keyOf(`^${note[1]}`), `[^${note[1]}]:`)
  }
  stretches.push(open.join('\n'))
  return { stretches, definitions }
}

/** Stretches of `source` that hold all of its lines in order; short sources are one stretch. */
export const markdownStretches = (source: string): string[] => {
  if (source.length <= stretchChars * 4) return [source]
  const { stretches, definitions } = cut(source)
  return stretches.map((stretch) => {
    const named = new Set([...stretch.matchAll(label)].map(([, name = '']) => keyOf(name)))
    const known = [...named].flatMap((name) => definitions.get(name) ?? [])
    return known.length > 0 ? `${stretch}\n\n${known.join('\n\n')}\n` : stretch
  })
}
