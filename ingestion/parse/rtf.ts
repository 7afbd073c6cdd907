/**
 * RTF by a reader of its own: groups, paragraphs, tables, headings by outline level, and text in the code page of its font. Pictures,
 * objects and fields' instructions are skipped unread (Rich Text Format Specification 1.9.1).
 */
import { createTextBuilder, type TextBuilder } from './builder.ts'
import { cleanText, oneLine } from './clean-text.ts'
import { cleanLine, metaOf } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

const depthMax = 500

/** Groups that hold no words of the text, or hold them a second time. */
const skipped: ReadonlySet<string> = new Set(
  'colortbl pict sp filetbl header headerl headerr headerf footer footerl footerr footerf ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn nonshppict shprslt nonesttables xe tc rxe objclass objname'.split(
    ' ',
  ),
)
/** Groups that a reader may ignore, but that hold words of the text. */
const keptStarred: ReadonlySet<string> = new Set(['shpinst', 'shptxt', 'nestrow'])

/** What a group's words are for. */
type Role = 'text' | 'skip' | 'fonts' | 'styles' | 'mark' | 'info' | 'title' | 'author' | 'date'
const roles: Readonly<Record<string, Role>> = {
  fonttbl: 'fonts',
  stylesheet: 'styles',
  listtext: 'mark',
  pntext: 'mark',
  info: 'info',
}
const infoRoles: Readonly<Record<string, Role>> = { title: 'title', author: 'author', creatim: 'date', revtim: 'date' }

const signs: Readonly<Record<string, string>> = {
  line: '\n',
  tab: ' ',
  emdash: '—',
  endash: '–',
  emspace: ' ',
  enspace: ' ',
  qmspace: ' ',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  bullet: '•',
  '~': ' ',
  _: '-',
  '\\': '\\',
  '{': '{',
  '}': '}',
}

const codePageOfCharset: Readonly<Record<number, number>> = {
  77: 10_000,
  128: 932,
  129: 949,
  134: 936,
  136: 950,
  161: 1_253,
  162: 1_254,
  163: 1_258,
  177: 1_255,
  178: 1_256,
  186: 1_257,
  204: 1_251,
  222: 874,
  238: 1_250,
}
const encodings: Readonly<Record<number, string>> = {
  866: 'ibm866',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  10000: 'macintosh',
  65001: 'utf-8',
}

const decode = (bytes: readonly number[], codePage: number): string => {
  const encoding =
    encodings[codePage] ?? (codePage >= 1_250 && codePage <= 1_258 ? `windows-${codePage}` : 'windows-1252')
  return new TextDecoder(encoding).decode(Uint8Array.from(bytes))
}

type Day = { year: number; month: number; day: number }

const dayText = ({ year, month, day }: Day): string =>
  [String(year).padStart(4, '0'), ...[month, day].map((one) => String(one).padStart(2, '0'))].join('-')

type Group = { role: Role; codePage: number; fallbackChars: number; hidden: boolean; closes: string }
type Style = { level: number | null; id: number; name: string }

const levelOfName = (name: string): number | null => {
  if (/^title$/i.test(name)) return 1
  const numbered = /^(?:heading|überschrift|titre|título|titolo) ([1-9])$/i.exec(name)
  return numbered ? Number(numbered[1]) : null
}

/** Paragraphs, list items and table rows as their marks come by. */
const createLayout = (builder: TextBuilder) => {
  let line = ''
  let mark: string | null = null
  let level: number | null = null
  let inTable = false
  let cells: string[] = []
  const endRow = (): void => {
    if (cells.some(Boolean)) builder.add('row', cells.join(' | '))
    cells = []
  }
  return {
    write: (text: string): void => {
      line += text
    },
    writeMark: (text: string): void => {
      mark = (mark ?? '') + text
    },
    setLevel: (next: number | null): void => {
      level = next
    },
    enterTable: (): void => {
      inTable = true
    },
    /** Back to a paragraph without properties. */
    reset: (): void => {
      level = null
      inTable = false
    },
    endParagraph: (): void => {
      if (inTable) {
        line += ' '
        return
      }
      endRow()
      const text = cleanText(line)
        .split('\n')
        .map((one) => one.replace(/\s+/g, ' ').trim())
        .join('\n')
        .trim()
      line = ''
      const own = oneLine(mark ?? '')
      if (mark === null || !text) builder.add(level === null ? 'paragraph' : 'heading', text, level ?? undefined)
      else if (level === null)
        builder.add('list', `${/^\p{L}?[\p{L}\d.]*[\d.)]$/u.test(own) ? own : '-'} ${oneLine(text)}`)
      else builder.add('heading', oneLine(`${own} ${text}`), level)
      mark = null
    },
    endCell: (): void => {
      cells.push(oneLine(line).replaceAll('|', '/'))
      line = ''
      mark = null
    },
    endRow,
  }
}

/** Reads RTF. Throws `Refusal`: `wrong-type`, `too-nested`, `no-text`, `too-much-text`. */
export const parseRtf = (bytes: Buffer): ParsedDocument => {
  const source = bytes.toString('latin1')
  if (!/^\s*\{\\rtf/.test(source)) throw new Refusal('wrong-type', 'no RTF header')
  const builder = createTextBuilder()
  const layout = createLayout(builder)
  const stack: Group[] = []
  let group: Group = { role: 'text', codePage: 1_252, fallbackChars: 1, hidden: false, closes: '' }
  let defaultPage = 1_252
  const pageOfFont = new Map<number, number>()
  let font = 0
  const levelOfStyle = new Map<number, number>()
  let style: Style = { level: null, id: 0, name: '' }
  const info = { title: '', author: '' }
  let date: Day = { year: 0, month: 0, day: 0 }
  let pending: number[] = []
  /** Characters that stand for the one that was just given by its number. */
  let toSkip = 0
  let starred = false
  /** Half of a pair waits for the other. */
  let high = ''

  const write = (text: string): void => {
    switch (group.role) {
      case 'text':
        if (!group.hidden) layout.write(text)
        break
      case 'mark':
        layout.writeMark(text)
        break
      case 'styles':
        style.name += text
        break
      case 'title':
      case 'author':
        info[group.role] += text
        break
      default:
    }
  }
  const flush = (): void => {
    if (pending.length === 0) return
    const text = decode(pending, group.codePage)
    pending = []
    write(text)
  }
  const writeByte = (byte: number): void => {
    if (toSkip > 0) toSkip -= 1
    else if (group.role !== 'skip') pending.push(byte)
  }
  const writeNumbered = (value: number): void => {
    const unit = String.fromCharCode(value < 0 ? value + 65_536 : value)
    if (unit >= '\ud800' && unit <= '\udbff') high = unit
    else {
      write(high + unit)
      high = ''
    }
    toSkip = group.fallbackChars
  }
  const endStyle = (): void => {
    const level = style.level ?? levelOfName(oneLine(style.name.replace(/;[\s\S]*$/, '')))
    if (level !== null) levelOfStyle.set(style.id, level)
    style = { level: null, id: 0, name: '' }
  }
  const open = (): void => {
    if (stack.length >= depthMax) throw new Refusal('too-nested', `more than ${depthMax} levels`)
    stack.push(group)
    group = { ...group, closes: '' }
  }
  const close = (): void => {
    if (group.role === 'styles') endStyle()
    const { closes } = group
    group = stack.pop() ?? group
    if (closes) write(closes)
  }
  /** A word that says what its group is for. True when it was one. */
  const destination = (word: string): boolean => {
    const role = group.role === 'info' ? infoRoles[word] : Object.hasOwn(roles, word) ? roles[word] : undefined
    if (group.role === 'skip') return true
    if (role && group.role !== 'styles') group.role = role
    else if (skipped.has(word) || (starred && !keptStarred.has(word))) group.role = 'skip'
    else if (word === 'footnote') {
      write(' (')
      group.closes = ')'
    } else return false
    return true
  }

  const inFonts = (word: string, value: number): void => {
    if (word === 'f') font = value
    const page = word === 'fcharset' ? codePageOfCharset[value] : word === 'cpg' ? value : undefined
    if (page !== undefined) pageOfFont.set(font, page)
  }
  const inStyles = (word: string, value: number): void => {
    if (word === 's') style.id = value
    else if (word === 'outlinelevel' && value < 9) style.level = value + 1
  }
  const inDate = (word: string, value: number): void => {
    if (word === 'yr') date = { ...date, year: value }
    else if (word === 'mo') date = { ...date, month: value }
    else if (word === 'dy') date = { ...date, day: value }
  }
  /** What words do to the text. `value` is null for a word without a number. */
  const acts: Readonly<Record<string, (value: number | null) => void>> = {
    par: layout.endParagraph,
    sect: layout.endParagraph,
    page: layout.endParagraph,
    pard: layout.reset,
    intbl: layout.enterTable,
    cell: layout.endCell,
    row: layout.endRow,
    nestcell: () => layout.write(' '),
    nestrow: () => layout.write(' '),
    s: (value) => layout.setLevel(levelOfStyle.get(value ?? 0) ?? null),
    outlinelevel: (value) => layout.setLevel(value !== null && value < 9 ? value + 1 : null),
    v: (value) => {
      group.hidden = value !== 0
    },
    deleted: (value) => {
      group.hidden = value !== 0
    },
    plain: () => {
      group.hidden = false
      group.codePage = defaultPage
    },
    f: (value) => {
      group.codePage = pageOfFont.get(value ?? 0) ?? defaultPage
    },
  }
  const control = (word: string, value: number | null): void => {
    const sign = Object.hasOwn(signs, word) ? signs[word] : undefined
    if (word === 'u' && value !== null) writeNumbered(value)
    else if (toSkip > 0) toSkip -= 1
    else if (sign !== undefined) write(sign)
    else if (word === 'uc') group.fallbackChars = Math.max(0, value ?? 1)
    else if (word === 'ansicpg' || word === 'mac') {
      defaultPage = word === 'mac' ? 10_000 : (value ?? defaultPage)
      group.codePage = defaultPage
    } else if (!destination(word)) {
      if (group.role === 'fonts') inFonts(word, value ?? 0)
      else if (group.role === 'styles') inStyles(word, value ?? 0)
      else if (group.role === 'date') inDate(word, value ?? 0)
      else if (group.role === 'text' && Object.hasOwn(acts, word)) acts[word]?.(value)
    }
  }

  const wordPattern = /([a-z]{1,32})(-?\d{1,10})? ?/iy
  for (let at = 0; at < source.length; at += 1) {
    const sign = source[at] ?? ''
    if (sign === '{' || sign === '}') {
      flush()
      toSkip = 0
      starred = false
      if (sign === '{') open()
      else close()
    } else if (sign === '\\') {
      const next = source[at + 1] ?? ''
      wordPattern.lastIndex = at + 1
      const word = wordPattern.exec(source)
      if (next === "'") {
        const byte = Number.parseInt(source.slice(at + 2, at + 4), 16)
        if (!Number.isNaN(byte)) writeByte(byte)
        at += 3
      } else if (word) {
        flush()
        at = wordPattern.lastIndex - 1
        const value = word[2] === undefined ? null : Number(word[2])
        if (word[1] === 'bin') at += Math.max(0, value ?? 0)
        else control(word[1] ?? '', value)
        starred = false
      } else {
        flush()
        at += 1
        if (next === '*') starred = true
        // A line end that is written out is a paragraph's.
        else if (next === '\n' || next === '\r') control('par', null)
        else control(next, null)
      }
    } else if (sign !== '\r' && sign !== '\n') writeByte(sign.charCodeAt(0))
  }
  flush()
  layout.reset()
  layout.endParagraph()
  if (builder.length() === 0) throw new Refusal('no-text')
  const { text, blocks } = builder.build()
  const first = blocks.find(({ kind }) => kind === 'heading')
  return {
    kind: 'rtf',
    title: cleanLine(info.title) ?? (first ? text.slice(first.start, first.end) : null),
    text,
    blocks,
    pages: [],
    ...metaOf({ author: info.author, date: dayText(date) }),
  }
}
