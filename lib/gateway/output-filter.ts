/**
 * The last look at an answer's Markdown before a reader gets it: no images, no HTML, links only to allowed origins, and neither the
 * canary of the prompt nor a secret. It works on a stream, and where the stream is cut changes nothing.
 *
 * It does not trust its own reading of Markdown to be the renderer's. What could be read in two ways is written again so that both
 * read the same: a backtick that closes nowhere on its line is escaped, a code block inside a list that ends early is closed, `](`
 * of anything but a checked link is broken, and no definition of a link reference survives.
 */

import { secretPrefixes, startsWithSecret } from '#lib/shared/secrets.ts'
import type { TextFilter } from './redact.ts'

export type OutputVerdict = { canary: boolean; removedLinks: number; removedImages: number; secrets: number }
export type OutputFilter = TextFilter & { verdict: () => OutputVerdict }

type OutputRules = {
  /** A word that only the prompt has. From where it shows on, the whole rest is withheld; empty for none. */
  canary: string
  /** As `https://example.org`. Paths on our own origin (`/…`) and fragments (`#…`) are always allowed. */
  allowedOrigins: readonly string[]
  /** Values that must not show, beside what looks like a key or a token. */
  secrets?: readonly string[]
}

/** Stands where a secret stood; plain text in every reading. */
const withheld = '•••'

const linkTextCharsMax = 300
const destinationCharsMax = 2_000
const codeSpanCharsMax = 500
const tagCharsMax = 300
const infoCharsMax = 200
const tokenCharsMax = 4_000

/** More after `?` or `#` than a page needs to be found. */
const carriedText = /[?#].{40}.*$/s

// The first stage: canary and secrets.

const reversed = (text: string): string => [...text].reverse().join('')
const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base)
  })

/** Base64 of a word depends on where it begins in its text: what is the same for each of the three places. */
const base64Cores = (word: string): string[] =>
  [0, 1, 2].map((shift) => {
    const whole = Buffer.from(`${'\0'.repeat(shift)}${word}`)
      .toString('base64')
      .replace(/=+$/, '')
    return whole.slice(Math.ceil((shift * 4) / 3), -1)
  })

const lettersOf = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** The canary as it is and in the disguises a model can be talked into. */
const needlesOf = (canary: string): string[] => {
  const plain = lettersOf(canary)
  if (!plain) return []
  const long = canary.length >= 8 ? [Buffer.from(canary).toString('hex'), ...base64Cores(canary), rot13(canary)] : []
  return [...new Set([plain, reversed(plain), ...long.map(lettersOf)])].filter((needle) => needle.length >= 4)
}

/** Signs that may stand between the letters of a canary, and how many in a row. */
const betweenMax = 3
const letter = /[\p{L}\p{N}]/u

type Look = 'no' | 'more' | number

/** Where `needle` ends when it begins at `at`, its letters apart by up to three other signs; `more` when the text ends before that is known. */
const lookFor = (needle: string, text: string, at: number): Look => {
  let matched = 0
  let between = 0
  for (let place = at; place < text.length; place++) {
    const char = text[place] ?? ''
    if (char.toLowerCase() === needle[matched]) {
      matched++
      between = 0
      if (matched === needle.length) return place + 1
    } else if (matched === 0 || letter.test(char) || ++between > betweenMax) return 'no'
  }
  return 'more'
}

const isTokenChar = (char: string): boolean => /[\w.+/=-]/.test(char)

type Words = { canary: string; secrets: readonly string[] }
type WordVerdict = { canary: boolean; secrets: number }

/** Withholds the canary with all that follows, and secrets one by one. */
const createWordFilter = ({ canary, secrets }: Words): TextFilter & { verdict: () => WordVerdict } => {
  const needles = needlesOf(canary)
  const exact = secrets.filter((secret) => secret.length >= 4)
  const firstLetters = new Set(needles.map((needle) => needle[0] ?? ''))
  const firstSigns = new Set([...exact, ...secretPrefixes].map((word) => word[0] ?? ''))
  const verdict: WordVerdict = { canary: false, secrets: 0 }
  let held = ''
  /** The character before `held`: a token begins only where a word does. */
  let last = ''

  /** How far a secret at `at` reaches; `no`, or `more`. */
  const secretAt = (text: string, at: number, before: string, ended: boolean): Look => {
    let undecided = false
    for (const secret of exact) {
      if (text.startsWith(secret, at)) return at + secret.length
      if (!ended && secret.startsWith(text.slice(at))) undecided = true
    }
    if (!/[A-Za-z0-9_-]/.test(before))
      for (const prefix of secretPrefixes) {
        if (!ended && text.length - at < prefix.length && prefix.startsWith(text.slice(at))) undecided = true
        if (!text.startsWith(prefix, at)) continue
        let end = at
        while (end < text.length && end - at < tokenCharsMax && isTokenChar(text[end] ?? '')) end++
        if (end === text.length && !ended && end - at < tokenCharsMax) undecided = true
        else if (startsWithSecret(text.slice(at, end))) return end
      }
    return undecided ? 'more' : 'no'
  }

  const run = (ended: boolean): string => {
    let out = ''
    let at = 0
    let from = 0
    while (at < held.length) {
      const char = held[at] ?? ''
      if (firstLetters.has(char.toLowerCase())) {
        const looks = needles.map((needle) => lookFor(needle, held, at))
        if (looks.some((look) => typeof look === 'number')) {
          verdict.canary = true
          out += held.slice(from, at)
          held = ''
          return out
        }
        if (!ended && looks.includes('more')) break
      }
      if (firstSigns.has(char)) {
        const look = secretAt(held, at, at === 0 ? last : (held[at - 1] ?? ''), ended)
        if (look === 'more') break
        if (look !== 'no') {
          verdict.secrets++
          out += held.slice(from, at) + withheld
          at = look
          from = look
          continue
        }
      }
      at++
    }
    out += held.slice(from, at)
    if (at > 0) last = held[at - 1] ?? ''
    held = held.slice(at)
    return out
  }

  const step = (text: string, ended: boolean): string => {
    if (verdict.canary) return ''
    held += text
    return run(ended)
  }
  return { push: (text) => step(text, false), end: () => step('', true), verdict: () => verdict }
}

// The second stage: Markdown.

/** An allowed address as it may be written, or undefined. Only plain addresses are: what needs decoding to be read is refused. */
const allowedAddress = (raw: string, origins: ReadonlySet<string>): string | undefined => {
  if (/^[/#]/.test(raw))
    return /^(?:\/(?![/\\])|#)[\w\-./?=&%#~+,;:@]*$/.test(raw) && !raw.startsWith('//') ? raw : undefined
  if (!/^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:[/?#][^\s<>"'`\\|{}^[\]]*)?$/i.test(raw) || !URL.canParse(raw))
    return undefined
  const url = new URL(raw)
  if (!origins.has(url.origin) || url.username || url.password) return undefined
  return url.href.replace(/\(/g, '%28').replace(/\)/g, '%29')
}

type Parsed = { end: number } | 'more' | 'no'

/** The closing bracket of the one at `open`, on the same line and with code and escapes left out; its place is `end`. */
const closingBracket = (text: string, open: number, ended: boolean): Parsed => {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (at - open > linkTextCharsMax) return 'no'
    const char = text[at]
    if (char === '\n') return 'no'
    if (char === '\\') at++
    else if (char === '[') depth++
    else if (char === ']' && --depth === 0) return { end: at }
  }
  return ended ? 'no' : 'more'
}

/** What stands in the parentheses at `open`: address and, thrown away, title. */
const destination = (text: string, open: number, ended: boolean): { end: number; address: string } | 'more' | 'no' => {
  const limit = Math.min(text.length, open + destinationCharsMax)
  let depth = 0
  let quote = ''
  let angle = false
  for (let at = open; at < limit; at++) {
    const char = text[at] ?? ''
    if (char === '\n') return 'no'
    if (char === '\\') at++
    else if (quote) quote = char === quote ? '' : quote
    else if (angle) angle = char !== '>'
    else if (char === '<') angle = true
    else if ((char === '"' || char === "'") && /\s/.test(text[at - 1] ?? '')) quote = char
    else if (char === '(') depth++
    else if (char === ')' && --depth === 0) {
      const inside = text.slice(open + 1, at).trim()
      const address = inside.match(/^<([^<>]*)>/)?.[1] ?? inside.split(/\s/, 1)[0] ?? ''
      return { end: at + 1, address }
    }
  }
  return ended || text.length >= open + destinationCharsMax ? 'no' : 'more'
}

const namedSigns: Readonly<Record<string, string>> = { colon: ':', sol: '/', period: '.' }

/** One character as a renderer reads it at `at`: an escape or a reference is one character. `undefined` when more text is needed. */
const readChar = (text: string, at: number, ended: boolean): { char: string; end: number } | undefined => {
  const char = text[at]
  if (char === undefined) return undefined
  if (char === '\\') {
    const next = text[at + 1]
    if (next === undefined && !ended) return undefined
    return next && /[:/.\-_]/.test(next) ? { char: next, end: at + 2 } : { char, end: at + 1 }
  }
  if (char === '&') {
    const rest = text.slice(at, at + 12)
    const found = rest.match(/^&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{3,6}));/i)
    if (found) {
      const code = found[1] ? Number(found[1]) : found[2] ? Number.parseInt(found[2], 16) : undefined
      const named = found[3] ? namedSigns[found[3]] : undefined
      const read = named ?? (code !== undefined && code > 31 && code < 127 ? String.fromCharCode(code) : undefined)
      return read ? { char: read, end: at + found[0].length } : { char, end: at + 1 }
    }
    if (!ended && rest.length < 12 && /^&(?:#?|#\d{1,7}|#x[\da-f]{0,6}|[a-z]{0,6})$/i.test(rest)) return undefined
  }
  return { char, end: at + 1 }
}

const linkStarts = ['http://', 'https://', 'www.']

/** Whether a renderer would begin a link at `at`, also where escapes or references hide it; `end` is after the `//` or `www.`. */
const linkStart = (text: string, at: number, ended: boolean): { end: number; start: string } | 'more' | 'no' => {
  let read = ''
  let place = at
  for (;;) {
    const found = linkStarts.find((start) => start === read)
    if (found) return { end: place, start: found }
    if (!linkStarts.some((start) => start.startsWith(read))) return 'no'
    const next = readChar(text, place, ended)
    if (!next) return ended ? 'no' : 'more'
    read += next.char.toLowerCase()
    place = next.end
  }
}

const addressEnd = /[\s<>`|"[\]\u3000-\u303f\uff00-\uffef]/

/** Tags that only shape text and carry nothing; kept inside a line. */
const plainTag = /^<\/?(?:br|sub|sup|kbd|b|i|em|strong|u|s|del|ins|mark|small)\s{0,2}\/?>$/i
const htmlName =
  /^<\/?(?:a|abbr|address|applet|area|article|aside|audio|b|base|bdi|bdo|big|blockquote|body|br|button|canvas|caption|center|cite|code|col|colgroup|data|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|image|img|input|ins|kbd|label|legend|li|link|main|map|mark|marquee|math|menu|meta|meter|nav|noscript|object|ol|optgroup|option|output|p|param|picture|portal|pre|progress|q|s|samp|script|section|select|slot|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|use|var|video|wbr|xmp)(?=[\s/>])/i

/** What a removal must not join: the two sides of an address, of a link, of an escape. */
const joins = /(?:h|ht|htt|https?|https?:|https?:\/|w{1,3}|[\]!\\<&`~#[(]|&#?\w{0,8})$/i

/** What may stand before the first word of a block: quotes, list marks, a footnote's name. Empty and spaces too. */
const blockHead = /^(?:[ \t]|>|[*+-](?=\s|$)|\d{1,9}[.)](?=\s|$)|\[\^[^\]\n]{1,60}\]:)*$/

type Fence = { sign: string; length: number; prefix: string; written: string }

type Counts = { links: number; images: number }

type Line = {
  /** Nothing of the line has been read. */
  fresh: boolean
  /** What has been written on the line, up to 80 characters: whether a block can still begin here. */
  head: string
  /** A code span with a `|` is on it: in a table it is two halves, and a further backtick could pair with one. */
  pipes: boolean
  /** A bracket opened at the head of this line or one before it: `]:` would make a definition. */
  defines: boolean
}

const newLine = (defines: boolean): Line => ({ fresh: true, head: '', pipes: false, defines })

const createMarkdownFilter = (origins: ReadonlySet<string>, counts: Counts): TextFilter => {
  let held = ''
  let fence: Fence | undefined
  /** Inside a code block: the rest of the line is code. */
  let codeLine = false
  let line = newLine(false)
  /** The end of what has been written, to see what a removal would join. */
  let tail = ''
  let removed = false

  const inner = (text: string): string => {
    const filter = createMarkdownFilter(origins, counts)
    // A letter first: the text stands inside a line.
    return (filter.push(`x${text}`) + filter.end()).slice(1)
  }

  const step = (added: string, ended: boolean): string => {
    held += added
    let out = ''
    let at = 0
    const write = (text: string): void => {
      if (!text) return
      const gap = removed && joins.test(tail) && !/^\s/.test(text) ? ' ' : ''
      removed = false
      out += gap + text
      tail = (tail + gap + text).slice(-12)
    }
    /** Writes what is no markup for us, and notes what it does to the line. */
    const plain = (text: string): void => {
      write(text)
      if (line.head.length < 80) line.head += text
    }
    const atHead = (): boolean => blockHead.test(line.head)
    const remove = (): void => {
      removed = true
    }
    const foreign = (address: string): void => {
      counts.links++
      // A long text that is carried along is not shown: it may be what was to be carried off by whoever copies the address.
      const shown = address.replace(carriedText, '')
      // Where a backtick could pair with a stray one, the address loses what makes a renderer link it.
      const bare = shown.replace(/https?:\/\/|www/gi, ' ').trim()
      plain(line.pipes || /(?<!\\)`$/.test(tail) ? ` ${bare}` : `\`${shown}\``)
    }

    /** Reads one piece at `at` and moves on; false when more text is needed first. */
    const codeBlock = (open: Fence): boolean => {
      const lineEnd = held.indexOf('\n', at)
      if (codeLine) {
        const end = lineEnd < 0 ? held.length : lineEnd + 1
        write(held.slice(at, end))
        at = end
        codeLine = lineEnd < 0
        return true
      }
      const rest = held.slice(at, lineEnd < 0 ? undefined : lineEnd)
      const complete = lineEnd >= 0 || ended
      if (!complete && open.prefix.startsWith(rest)) return false
      if (rest.trim() === '') {
        if (!complete) return false
        write(lineEnd < 0 ? '' : '\n')
        at = lineEnd < 0 ? held.length : lineEnd + 1
        return true
      }
      if (!rest.startsWith(open.prefix)) {
        if (!complete && rest.trim() === '') return false
        write(`${open.written}${open.sign.repeat(open.length)}\n`)
        fence = undefined
        line = newLine(false)
        return true
      }
      const content = rest.slice(open.prefix.length)
      const closing = content.match(/^ {0,3}(`+|~+)[ \t]*$/)?.[1]
      const mayClose = /^ {0,3}(?:`*|~*)[ \t]*$/.test(content)
      if (!complete && mayClose) return false
      if (complete && closing?.startsWith(open.sign) && closing.length >= open.length) {
        write(`${open.written}${open.sign.repeat(open.length)}${lineEnd < 0 ? '' : '\n'}`)
        at = lineEnd < 0 ? held.length : lineEnd + 1
        fence = undefined
        line = newLine(false)
        return true
      }
      write(open.written)
      at += open.prefix.length
      codeLine = true
      return true
    }

    /** A code block's first line: true when it was one, false when it is none, undefined when more text is needed. */
    const openFence = (): boolean | undefined => {
      const start = held.slice(at).match(/^([ \t]*)(`{3,}|~{3,})/)
      if (!start) {
        const undecided = /^[ \t]*(?:`{0,2}|~{0,2})$/.test(held.slice(at))
        return undecided && !ended ? undefined : false
      }
      const [opening, prefix = '', run = ''] = start
      if (at + opening.length === held.length && !ended) return undefined
      const lineEnd = held.indexOf('\n', at)
      const infoStart = at + opening.length
      const infoEnd = Math.min(lineEnd < 0 ? held.length : lineEnd, infoStart + infoCharsMax)
      const info = held.slice(infoStart, infoEnd)
      if (run.startsWith('`') && info.includes('`')) return false
      if (lineEnd < 0 && !ended && infoEnd - infoStart < infoCharsMax) return undefined
      // A prefix that could mean indented code is written short, so that it is a fence in every reading.
      const written = prefix.includes('\t') || prefix.length > 3 ? '   ' : prefix
      const whole = infoEnd === lineEnd || infoEnd === held.length
      write(`${written}${run}${whole ? info.trimEnd() : ''}${lineEnd >= 0 || !whole ? '\n' : ''}`)
      fence = { sign: run[0] ?? '`', length: run.length, prefix, written }
      // A first line that is too long is no name of a language: what stands there is code.
      codeLine = !whole
      at = whole ? Math.min(held.length, infoEnd + 1) : infoStart
      return true
    }

    const codeSpan = (): boolean => {
      const run = held.slice(at).match(/^`+/)?.[0] ?? '`'
      const from = at + run.length
      if (from === held.length && !ended) return false
      const lineEnd = held.indexOf('\n', from)
      const limit = Math.min(lineEnd < 0 ? held.length : lineEnd, from + codeSpanCharsMax)
      for (const close of held.slice(from, limit).matchAll(/`+/g)) {
        const end = from + close.index + close[0].length
        // A run at the end of what is there may go on.
        if (end === held.length && !ended) return false
        if (close[0].length !== run.length) continue
        const span = held.slice(at, end)
        // A definition's label is read before code is: it could end inside the span.
        if (line.defines && span.includes(']')) break
        if (span.includes('|') && /\]\(|\]:|<|:\/\/|www\.|!\[|&|\\/i.test(span)) break
        // Right after an address that was written as code, the two runs of backticks would be one.
        plain(/(?<!\\)`$/.test(tail) ? ` ${span}` : span)
        if (span.includes('|')) line.pipes = true
        at = end
        return true
      }
      const known = ended || lineEnd >= 0 || held.length - from > codeSpanCharsMax || limit < held.length
      if (!known) return false
      plain('\\`'.repeat(run.length))
      at = from
      return true
    }

    const image = (): boolean => {
      const close = closingBracket(held, at + 1, ended)
      if (close === 'more') return false
      if (close !== 'no') {
        const next = held[close.end + 1]
        if (next === undefined && !ended) return false
        const after =
          next === '('
            ? destination(held, close.end + 1, ended)
            : next === '['
              ? closingBracket(held, close.end + 1, ended)
              : 'no'
        if (after === 'more') return false
        if (after !== 'no') {
          counts.images++
          remove()
          at = next === '(' ? after.end : after.end + 1
          return true
        }
      }
      // Not readable as an image: whatever it is, it is no image after this.
      plain('\\!')
      at++
      return true
    }

    const bracket = (): boolean => {
      const close = closingBracket(held, at, ended)
      if (close === 'more') return false
      if (close !== 'no') {
        const next = held[close.end + 1]
        if (next === undefined && !ended) return false
        const target = next === '(' ? destination(held, close.end + 1, ended) : 'no'
        if (target === 'more') return false
        if (target !== 'no') {
          const text = inner(held.slice(at + 1, close.end))
          if (text.includes('|')) line.pipes = true
          const address = allowedAddress(target.address, origins)
          at = target.end
          if (address) plain(`[${text}](${address})`)
          else {
            counts.links++
            remove()
            plain(text)
            remove()
          }
          return true
        }
      }
      if (atHead() && !held.startsWith('[^', at)) line.defines = true
      plain('[')
      at++
      return true
    }

    const tag = (): boolean => {
      const next = held[at + 1]
      if (next === undefined && !ended) return false
      if (next === undefined || !/[A-Za-z/!?]/.test(next)) {
        plain('<')
        at++
        return true
      }
      const rest = held.slice(at, at + destinationCharsMax)
      const scheme = /^<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*/.exec(rest)?.[0]
      const limit = scheme ? destinationCharsMax : tagCharsMax
      const close = rest.slice(0, limit).search(/[>\n]|(?<=.)</)
      const possible = scheme || /^<\/?[A-Za-z][\w-]*(?:$|[\s/>.:+])/.test(rest) || /^<\/?$/.test(rest)
      if (close < 0 && possible && !ended && rest.length < limit) return false
      const whole = close >= 0 && rest[close] === '>' ? rest.slice(0, close + 1) : undefined
      if (whole && scheme && scheme.length === whole.length - 1) {
        const raw = whole.slice(1, -1)
        const address = /^https?:/i.test(raw) ? allowedAddress(raw, origins) : undefined
        at += whole.length
        if (address) plain(`<${address}>`)
        else foreign(raw.replace(/[`|]/g, ''))
        return true
      }
      if (whole && plainTag.test(whole) && !atHead()) {
        plain(whole)
        at += whole.length
        return true
      }
      if (whole && htmlName.test(whole)) {
        if (/^<(?:img|image|picture|source|svg|video)\b/i.test(whole)) counts.images++
        else if (/\b(?:src|href|action|data|poster|srcset|background)\s*=/i.test(whole)) counts.links++
        remove()
        at += whole.length
        return true
      }
      // A generic type, a placeholder, a comment: shown as it is written.
      plain('\\<')
      at++
      return true
    }

    /** An address without markup: true when it was one, undefined when more text is needed. */
    const bareAddress = (): boolean | undefined => {
      const start = linkStart(held, at, ended)
      if (start === 'no') return false
      if (start === 'more') return undefined
      let end = start.end
      while (end < held.length && end - start.end < destinationCharsMax && !addressEnd.test(held[end] ?? '')) end++
      const open = end === held.length && end - start.end < destinationCharsMax
      if (open && !ended) return undefined
      let body = held.slice(start.end, end)
      body = body.replace(/[?!.,:;*_~'\]]+$/, '')
      while (body.endsWith(')') && body.split(')').length > body.split('(').length)
        body = body.slice(0, -1).replace(/[?!.,:;*_~'\]]+$/, '')
      const raw = held.slice(at, start.end + body.length)
      const address = raw.toLowerCase().startsWith('http') ? allowedAddress(raw, origins) : undefined
      at += raw.length
      if (address) plain(`<${address}>`)
      else foreign(`${start.start}${body}`)
      return true
    }

    const inline = (): boolean => {
      const char = held[at] ?? ''
      if (char === '\n') {
        const blank = line.head.trim() === ''
        write('\n')
        at++
        line = newLine(line.defines && !blank)
        return true
      }
      if (char === '\\' || char === '&' || /[hHwW]/.test(char)) {
        const address = bareAddress()
        if (address === undefined) return false
        if (address) return true
      }
      if (char === '\\') {
        const next = held[at + 1]
        if (next === undefined && !ended) return false
        const pair = next !== undefined && /[!-/:-@[-`{-~]/.test(next)
        // An address after it may be written as code, and the backslash must not take its backtick.
        plain(pair ? char + next : next === undefined || /[hw]/i.test(next) ? '\\\\' : char)
        at += pair ? 2 : 1
        return true
      }
      if (char === '`') return codeSpan()
      if (char === '[') return bracket()
      if (char === '<') return tag()
      if (char === '!') {
        if (at + 1 === held.length && !ended) return false
        if (held[at + 1] === '[') return image()
      }
      if (char === ']') {
        const next = held[at + 1]
        if (next === undefined && !ended) return false
        const breaks = next === '(' || (next === ':' && line.defines)
        line.defines = false
        plain(breaks ? `]\\${next}` : ']')
        at += breaks ? 2 : 1
        return true
      }
      if (char === '~') {
        const run = held.slice(at).match(/^~+/)?.[0] ?? '~'
        if (at + run.length === held.length && !ended) return false
        plain(run.length > 2 ? '\\~'.repeat(run.length) : run)
        at += run.length
        return true
      }
      let end = at + 1
      while (end < held.length && !/[\n\r\\`![\]<&hHwW~]/.test(held[end] ?? '')) end++
      plain(held.slice(at, end))
      at = end
      return true
    }

    while (at < held.length) {
      if (fence) {
        if (!codeBlock(fence)) break
        continue
      }
      if (line.fresh) {
        const opened = openFence()
        if (opened === undefined) break
        if (opened) continue
        line.fresh = false
      }
      if (!inline()) break
    }
    held = held.slice(at)
    return out
  }
  return { push: (text) => step(text, false), end: () => step('', true) }
}

/**
 * Line ends as one sign, also where the two halves of one come apart, and no byte order marks: a renderer drops one that comes
 * first, and what follows it would then begin a line.
 */
const createLineEnds = (): TextFilter => {
  let held = false
  return {
    push: (text) => {
      const all = (held ? '\r' : '') + text.replace(/\ufeff/g, '')
      if (!all) return ''
      held = all.endsWith('\r')
      return (held ? all.slice(0, -1) : all).replace(/\r\n?/g, '\n')
    },
    end: () => (held ? '\n' : ''),
  }
}

/**
 * A filter over one answer. Plain text flows at once; what may be the beginning of a link, a tag, a code span or a secret waits
 * until it is one or is not, each up to a bound. Words are looked at twice, before and after the markup is put right, because
 * taking markup away joins what it parted. After the canary nothing more comes out: the caller should hold back the answer.
 */
export const createOutputFilter = ({ canary, allowedOrigins, secrets = [] }: OutputRules): OutputFilter => {
  const counts: Counts = { links: 0, images: 0 }
  const origins = new Set(allowedOrigins.flatMap((origin) => (URL.canParse(origin) ? [new URL(origin).origin] : [])))
  const before = createWordFilter({ canary, secrets })
  const after = createWordFilter({ canary, secrets })
  const stages: TextFilter[] = [createLineEnds(), before, createMarkdownFilter(origins, counts), after]
  return {
    push: (text) => stages.reduce((passed, stage) => stage.push(passed), text),
    end: () => stages.reduce((passed, stage) => stage.push(passed) + stage.end(), ''),
    verdict: () => ({
      canary: before.verdict().canary || after.verdict().canary,
      removedLinks: counts.links,
      removedImages: counts.images,
      secrets: before.verdict().secrets + after.verdict().secrets,
    }),
  }
}
