/**
 * From a model's text to what may be shown: `[2]` becomes `[^ORDINAL]` with a citation that names the exact words of the passage
 * which stand behind the claim, and whether they do.
 *
 * Guarantees, however the text is cut into deltas: the result is the same; no marker without a citation; a number that names no
 * passage is taken out and counted; no image and no link is left, only their words; nothing in code is touched but what would
 * read as our marker. Raw HTML is left to the renderer, which shows it as text. Pure: no clock, no randomness, no effects.
 */
import type { Citation, PageRect } from '#lib/shared/chat-contract.ts'
import { findSupport, plainClaim } from '#lib/shared/support.ts'
import { contentWords, sentences } from '#lib/shared/text.ts'
import type { Evidence, Passage } from './evidence.ts'
import { searchedWords } from './relevance.ts'

export type PageBoxes = {
  versionId: string
  page: number
  charStart: number
  charEnd: number
  /** Text runs: start and end in the version's text, then x, y, width, height as fractions of the page. */
  boxes: readonly (readonly [start: number, end: number, x: number, y: number, width: number, height: number])[]
}

export type CiteEvent = { type: 'text'; text: string } | { type: 'citation'; citation: Citation }

type CiteSummary = {
  /** Sentences of the answer that claim something, and those with a citation that supports them. */
  claims: { total: number; supported: number }
  removedMarkers: number
}

export type Citer = {
  /** What can be shown now; holds back only what may become a marker, a link or an image. */
  push(delta: string): CiteEvent[]
  /** What was held back. Calling it again gives nothing. */
  end(): CiteEvent[]
  summary(): CiteSummary
}

/** A marker, link or image that is not complete after so many characters is text. */
const heldCharsMax = 400
const citationsMax = 400
/** "[2-5]" is read as a range up to this length. */
const rangeMax = 10

type Found =
  | { kind: 'marker'; numbers: number[]; length: number }
  | { kind: 'words'; words: string; length: number }
  | { kind: 'wait' }
  | { kind: 'text' }

const wait: Found = { kind: 'wait' }
const plain: Found = { kind: 'text' }

const markerNumbers = (inside: string): number[] | null => {
  const list = inside.replace(/^\s*(?:sources?|passages?|\^)\s*/i, '').trim()
  if (!/^\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*$/.test(list)) return null
  const numbers: number[] = []
  for (const item of list.split(/[,;]/)) {
    const [from = 0, to = from] = item.split(/[–-]/).map((number) => Number(number.replace('^', '')))
    if (to < from || to - from >= rangeMax) return null
    for (let number = from; number <= to; number++) numbers.push(number)
  }
  return numbers
}

/** Reads what begins with `[` or `![`; the same prefix always gives the same answer, so deltas do not matter. */
const readBracket = (head: string): Found => {
  const image = head.startsWith('!')
  if (image && head.length < 2) return wait
  const open = image ? 1 : 0
  if (head[open] !== '[') return plain
  let depth = 0
  let close = -1
  for (let i = open; i < head.length && close < 0; i++) {
    const char = head[i]
    if (char === '\\') i++
    else if (char === '[') depth++
    else if (char === ']' && --depth === 0) close = i
    else if (char === '\n' && head[i + 1] === '\n') return plain
  }
  if (close < 0) return wait
  const inside = head.slice(open + 1, close)
  const numbers = image ? null : markerNumbers(inside)
  if (numbers) return { kind: 'marker', numbers, length: close + 1 }
  const after = head[close + 1]
  if (after === undefined) return wait
  // A reference such as `[words][name]` leads nowhere: definitions are never let through.
  if (after !== '(') return image ? { kind: 'words', words: inside, length: close + 1 } : plain
  let targetDepth = 0
  for (let i = close + 1; i < head.length; i++) {
    const char = head[i]
    if (char === '\\') i++
    else if (char === '(') targetDepth++
    else if (char === ')' && --targetDepth === 0) return { kind: 'words', words: inside, length: i + 1 }
    else if (char === '\n') return plain
  }
  return wait
}

const readLenticular = (head: string): Found => {
  const marker = head.match(/^【([^】\n]{0,40})】/)
  if (!marker) return /^【[^】\n]{0,40}$/.test(head) ? wait : plain
  const numbers = markerNumbers((marker[1] ?? '').replace(/†.*$/, '').replace(/^\d+:(?=\d)/, ''))
  return numbers ? { kind: 'marker', numbers, length: marker[0].length } : plain
}

/** A code span: from a run of backticks to the next run of the same length. */
const readCodeSpan = (head: string): Found => {
  const ticks = head.match(/^`+/)?.[0] ?? ''
  if (ticks.length === head.length) return wait
  for (const run of head.slice(ticks.length).matchAll(/`+|\n\n/g)) {
    const end = ticks.length + run.index + run[0].length
    if (run[0] === '\n\n') return plain
    if (run[0].length !== ticks.length) continue
    return end === head.length ? wait : { kind: 'words', words: head.slice(0, end), length: end }
  }
  return wait
}

type Fence = { char: string; length: number }

/** The marks with which a text's first line opens fenced code (CommonMark 4.5): ticks after ticks are code within a line. */
export const fenceOpenedBy = (text: string): string | undefined =>
  text.match(/^ {0,3}(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})/)?.[1]

/** Starts reading an answer to `evidence`; `pages` are the text runs of the pages the passages stand on, where there are any. */
export const createCiter = (evidence: Pick<Evidence, 'passages'>, pages: readonly PageBoxes[] = []): Citer => {
  const byNumber = new Map(evidence.passages.map((passage) => [passage.n, passage]))
  const chips = new Map<string, number>()
  let held = ''
  let events: CiteEvent[] = []
  let ordinals = 0
  let removedMarkers = 0
  let space = ''
  let lineStart = true
  let fence: Fence | null = null
  let ended = false
  /** What was shown, without markers and fenced code, to find claims in. */
  let prose = ''
  /** The last two characters shown: a guard against markers and links that come together from pieces. */
  let tail = ''
  const cited: { at: number; chunkId: string; supported: boolean }[] = []
  let lastMarkerAt = -1
  let lastClaim = ''

  const show = (text: string, kind: 'prose' | 'code' | 'fenced' = 'prose'): void => {
    if (!text) return
    let safe = ''
    for (const char of text) {
      const apart =
        (/[(:]/.test(char) && tail.endsWith(']') && kind === 'prose') || (/\d/.test(char) && tail.endsWith('[^'))
      safe += apart ? ` ${char}` : char
      tail = `${tail}${char}`.slice(-2)
    }
    const last = events.at(-1)
    if (last?.type === 'text') last.text += safe
    else events.push({ type: 'text', text: safe })
    if (kind !== 'fenced') prose += text
  }
  const flushSpace = (): void => {
    show(space, fence ? 'fenced' : 'prose')
    space = ''
  }

  /** The sentence that ends where the marker stands; after an earlier marker in it, the part since then. */
  const claimHere = (): string => {
    if (prose.slice(Math.max(0, lastMarkerAt)).trim() === '' && lastMarkerAt >= 0) return lastClaim
    const before = prose.trimEnd()
    const line = before.slice(before.lastIndexOf('\n') + 1)
    const sentence = sentences(line).at(-1)
    if (!sentence) return ''
    const from = before.length - line.length + sentence.start
    const since = lastMarkerAt > from ? before.slice(lastMarkerAt) : ''
    return plainClaim(contentWords(since).length >= 3 ? since : before.slice(from))
  }

  const cite = (numbers: readonly number[]): void => {
    const known = numbers.map((n) => byNumber.get(n)).filter((passage) => passage !== undefined)
    removedMarkers += numbers.length - known.length
    if (known.length === 0) {
      space = ''
      return
    }
    const claim = claimHere()
    const at = prose.length
    for (const passage of known) {
      const twice = cited.some((one) => one.chunkId === passage.chunkId && prose.slice(one.at).trim() === '')
      if (twice || ordinals >= citationsMax) continue
      flushSpace()
      ordinals += 1
      const n = chips.get(passage.chunkId) ?? chips.size + 1
      chips.set(passage.chunkId, n)
      const citation = toCitation({ passage, claim, ordinal: ordinals, n, pages })
      // The citation comes first, so that a reader never meets a marker that it cannot resolve.
      events.push({ type: 'citation', citation }, { type: 'text', text: `[^${ordinals}]` })
      tail = ']'
      cited.push({ at: prose.length, chunkId: passage.chunkId, supported: citation.supported })
    }
    space = ''
    lastMarkerAt = at
    lastClaim = claim
  }

  const readFence = (head: string, final: boolean): 'wait' | 'none' | { run: string; lead: string } => {
    const [, lead = '', run = ''] = head.match(/^( {0,3})(`{0,99}|~{0,99})/) ?? []
    if (lead.length + run.length === head.length && run.length < 99) return 'wait'
    if (run.length < 3) return 'none'
    // Whether it opens one is known when its line is.
    if (fence === null && !final && !head.includes('\n')) return 'wait'
    return fence !== null || fenceOpenedBy(head) ? { run, lead } : 'none'
  }

  /** Consumes from `held` what is decided; false when more text is needed. */
  const step = (final: boolean): boolean => {
    const head = held.slice(0, heldCharsMax)
    const char = head[0]
    if (char === undefined) return false
    const mustDecide = final || held.length >= heldCharsMax
    const take = (length: number): string => {
      const taken = held.slice(0, length)
      held = held.slice(length)
      return taken
    }

    if (lineStart) {
      const found = readFence(head, mustDecide)
      if (found === 'wait' && !mustDecide) return false
      lineStart = false
      if (typeof found === 'object') {
        const { run, lead } = found
        const marks = run[0] ?? ''
        if (fence === null) {
          fence = { char: marks, length: run.length }
          show(take(lead.length + run.length), 'fenced')
        } else if (fence.char === marks && run.length >= fence.length) {
          show(take(lead.length + run.length), 'fenced')
          fence = null
        }
        return true
      }
    }
    if (char === '\n') {
      flushSpace()
      show(take(1), fence ? 'fenced' : 'prose')
      lineStart = true
      return true
    }
    if (fence) {
      show(take(1), 'fenced')
      return true
    }
    if (char === ' ' || char === '\t') {
      space += take(1)
      return true
    }
    if (char === '\\') {
      if (head.length < 2 && !final) return false
      flushSpace()
      show(take(head[1] === '\n' ? 1 : 2))
      return true
    }
    if (char !== '[' && char !== '!' && char !== '【' && char !== '`') {
      flushSpace()
      show(take(head.match(/^[^\n \t\\[!【`]+/)?.[0].length ?? 1))
      return true
    }
    const found = char === '`' ? readCodeSpan(head) : char === '【' ? readLenticular(head) : readBracket(head)
    if (found.kind === 'wait' && !mustDecide) return false
    if (found.kind === 'marker') {
      take(found.length)
      cite(found.numbers)
    } else if (found.kind === 'words') {
      take(found.length)
      if (char === '`') {
        flushSpace()
        show(found.words, 'code')
      } else held = found.words + held
    } else {
      flushSpace()
      show(take(char === '`' ? (head.match(/^`+/)?.[0].length ?? 1) : 1))
    }
    return true
  }

  const drain = (final: boolean): CiteEvent[] => {
    while (step(final));
    if (final) flushSpace()
    const ready = events
    events = []
    return ready
  }

  return {
    push: (delta) => {
      held += delta
      return drain(false)
    },
    end: () => {
      if (ended) return []
      ended = true
      return drain(true)
    },
    summary: () => ({ claims: countClaims(prose, cited), removedMarkers }),
  }
}

const says =
  'say|state|answer|cover|contain|mention|include|specify|provide|address|describe|give|tell|list|explain|show|name|define'
/** That the sources do not say, in the words that models use for it. */
const remarks: readonly RegExp[] = [
  new RegExp(
    `\\b(?:documents?|sources?|passages?|excerpts?|context)\\b.*\\b(?:do|does|did)(?: not|n['’]t) (?:\\w+ly )?(?:${says})`,
    'i',
  ),
  /\b(?:I|we) (?:could not|couldn['’]t|cannot|can['’]t|did not|didn['’]t|(?:am|are|was|were) (?:not able|unable) to) (?:find|answer|tell|say|determine)\b/i,
  /\b(?:I|we) (?:do not|don['’]t) know\b/i,
  /^The language model declined to answer\b/,
  /\b(?:Dokumente?n?|Quellen?|Unterlagen|Textstellen?)\b.*\b(?:sag|enth[aä]lt|nenn|erwähn|beantwort|behandel|beschreib)\w*\b.*\b(?:nichts|nicht|keine?n?)\b/i,
  /\b(?:documents?|sources?|passages?)\b.*\bn(?:e |['’])(?:di|mentionn|contien|précis|répond|indiqu|abord|trait)\S* (?:pas|rien|aucune?)\b/i,
  /\b(?:documentos?|fuentes?)\b.*\bno (?:dicen?|mencionan?|contienen?|indican?|responden?|especifican?)\b/i,
  /(?:文档|文件|资料|来源|原文).{0,8}(?:没有|并未|未|不)(?:提到|提及|说明|包含|涉及|回答|给出)/,
]
/** What follows is said by itself: "the sources do not say, but it is 500 euros". */
const turns = /[;—:]|,? \b(?:but|however|yet|though|although|aber|jedoch|mais|pero)\b/i

/** Whether a sentence only remarks that the sources do not say: it needs no source, and nobody has to check it. */
export const saysNothingFound = (sentence: string): boolean => {
  if (sentence.length > remarkCharsMax) return false
  const parts = sentence.split(turns).filter((part) => searchedWords(part).length >= 2)
  const isRemark = (part: string): boolean => remarks.some((remark) => remark.test(part))
  return isRemark(sentence) && parts.every((part) => isRemark(part) || denies.test(part) || covers.test(part))
}
/** The halves of a remark in two: "The sources cover leave, but do not say how much". */
const denies = /^\W*(?:they |it )?(?:do|does|did)(?: not|n['’]t)\b/i
const covers =
  /\b(?:documents?|sources?|passages?|excerpts?|context)\b.*\b(?:only )?(?:cover|mention|describe|discuss|speak)s?\b/i
/** As long as it may be: whatever is longer says something. */
const remarkCharsMax = 400

/** Whether a sentence claims anything: a heading, a table's row, a lead-in, a question, the remark that the sources do not say do not. */
export const claimsSomething = (sentence: string): boolean =>
  !/^[#|]|:$|[?？]$/.test(sentence.trim()) && searchedWords(sentence).length >= 2 && !saysNothingFound(sentence)

/** Sentences that claim something or cite. */
const countClaims = (
  prose: string,
  cited: readonly { at: number; supported: boolean }[],
): { total: number; supported: number } => {
  const spans = sentences(prose)
  let total = 0
  let supported = 0
  for (const [i, { start, end }] of spans.entries()) {
    const text = prose.slice(start, end)
    const until = spans[i + 1]?.start ?? Number.POSITIVE_INFINITY
    const own = cited.filter(({ at }) => at > start && at <= until)
    if (own.length === 0 && !claimsSomething(text)) continue
    total += 1
    if (own.some((one) => one.supported)) supported += 1
  }
  return { total, supported }
}

type Cited = { passage: Passage; claim: string; ordinal: number; n: number; pages: readonly PageBoxes[] }

const toCitation = ({ passage, claim, ordinal, n, pages }: Cited): Citation => {
  const around = [passage.title, ...passage.headingPath, passage.context].join('\n')
  const { start, end, supported } = findSupport(claim, { text: passage.text, around })
  const charStart = passage.charStart + start
  const charEnd = passage.charStart + end
  const page = pages.find(
    (one) =>
      one.versionId === passage.versionId &&
      charStart >= one.charStart &&
      charStart < Math.max(one.charEnd, one.charStart + 1),
  )
  return {
    ordinal,
    n,
    documentId: passage.documentId,
    versionId: passage.versionId,
    chunkId: passage.chunkId,
    title: passage.title,
    collection: passage.collection,
    mediaType: passage.mediaType,
    page: page?.page ?? passage.page,
    pages: passage.pages,
    headingPath: [...passage.headingPath],
    quote: passage.text.slice(start, end),
    charStart,
    charEnd,
    rects: page ? quoteRects(page, charStart, charEnd) : [],
    claim,
    supported,
    removed: false,
  }
}

/** Where the quote stands on its page: one rectangle a line, cut to the quoted part of the first and the last run. */
export const quoteRects = (page: PageBoxes, charStart: number, charEnd: number): PageRect[] => {
  const lines: PageRect[] = []
  for (const [start, end, x, y, width, height] of page.boxes) {
    if (end <= charStart || start >= charEnd || end <= start) continue
    const from = Math.max(0, charStart - start) / (end - start)
    const to = (Math.min(end, charEnd) - start) / (end - start)
    const run = { x: x + width * from, y, width: width * (to - from), height }
    const line = lines.at(-1)
    const overlap = line ? Math.min(line.y + line.height, y + height) - Math.max(line.y, y) : 0
    if (line && overlap > Math.min(line.height, height) / 2 && run.x >= line.x) {
      const right = Math.max(line.x + line.width, run.x + run.width)
      const bottom = Math.max(line.y + line.height, y + height)
      line.y = Math.min(line.y, y)
      line.width = right - line.x
      line.height = bottom - line.y
    } else lines.push(run)
  }
  return lines
}
