/** What a person changed in a text, word by word. Pure; for sentences and answers, not for books. */
export type Change = { kind: 'same' | 'added' | 'removed'; text: string }

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })
/** A marker is one word: `[^3]` is changed as a whole. */
const markers = /(\[\^\d{1,4}\])/

const wordsOf = (text: string): string[] =>
  text
    .split(markers)
    .flatMap((part, at) => (at % 2 ? [part] : [...segmenter.segment(part)].map(({ segment }) => segment)))

/** Cells of the table below; a longer stretch is compared by its lines, and where that is too much, as a whole. */
const cellsMax = 6_000_000

/** Lengths of the longest common subsequence of what follows each pair of places. */
const commonTable = (before: readonly string[], after: readonly string[]): { at: (i: number, j: number) => number } => {
  const width = after.length + 1
  const table = new Uint32Array((before.length + 1) * width)
  const at = (i: number, j: number): number => table[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      table[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  return { at }
}

const compare = (before: readonly string[], after: readonly string[]): Change[] => {
  const changes: Change[] = []
  const push = (kind: Change['kind'], text: string | undefined): void => {
    if (text) changes.push({ kind, text })
  }
  if (before.length * after.length > cellsMax) {
    push('removed', before.join(''))
    push('added', after.join(''))
    return changes
  }
  const common = commonTable(before, after)
  let [i, j] = [0, 0]
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      push('same', before[i])
      i += 1
      j += 1
    } else if (common.at(i + 1, j) >= common.at(i, j + 1)) push('removed', before[i++])
    else push('added', after[j++])
  }
  push('removed', before.slice(i).join(''))
  push('added', after.slice(j).join(''))
  return changes
}

/** Between two changes what is removed stands before what is added, and a space that both share belongs to both: phrases stay whole. */
const gathered = (changes: readonly Change[]): Change[] => {
  const out: Change[] = []
  let [removed, added] = ['', '']
  const flush = (): void => {
    if (removed) out.push({ kind: 'removed', text: removed })
    if (added) out.push({ kind: 'added', text: added })
    removed = ''
    added = ''
  }
  changes.forEach((change, at) => {
    if (change.kind === 'removed') removed += change.text
    else if (change.kind === 'added') added += change.text
    else if (removed && added && !change.text.trim() && at + 1 < changes.length && changes[at + 1]?.kind !== 'same') {
      removed += change.text
      added += change.text
    } else {
      flush()
      const last = out.at(-1)
      if (last?.kind === 'same') last.text += change.text
      else out.push({ ...change })
    }
  })
  flush()
  return out
}

/**
 * The way from `before` to `after`. What is `same` or `removed` makes up `before`, what is `same` or `added` makes up `after`.
 */
export const wordDiff = (before: string, after: string): Change[] => {
  const cut = before.length * after.length > cellsMax * 8 ? (text: string) => text.split(/(?<=\n)/) : wordsOf
  const [one, other] = [cut(before), cut(after)]
  let head = 0
  while (head < one.length && head < other.length && one[head] === other[head]) head += 1
  let tail = 0
  while (tail < Math.min(one.length, other.length) - head && one.at(-1 - tail) === other.at(-1 - tail)) tail += 1
  const same = (words: readonly string[]): Change[] => (words.length ? [{ kind: 'same', text: words.join('') }] : [])
  return gathered([
    ...same(one.slice(0, head)),
    ...compare(one.slice(head, one.length - tail), other.slice(head, other.length - tail)),
    ...same(one.slice(one.length - tail)),
  ])
}
