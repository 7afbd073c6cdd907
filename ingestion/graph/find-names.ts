/**
 * Proper names, codes and abbreviations in a sentence, by how they are written. A capital at the beginning of a sentence, or in a
 * heading where every word has one, proves nothing: such a name is `doubtful` until the same document writes it in another place.
 */
import type { EntityKind } from '#lib/shared/graph-contract.ts'
import { foldName } from '#lib/shared/graph-contract.ts'

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '))

const token = /\p{L}[\p{L}\p{M}\p{N}]*(?:[-'’./_][\p{L}\p{N}]+)*|\p{N}+(?:[-./_][\p{L}\p{N}]+)*\p{L}*/gu
const capital = /^\p{Lu}/u
const acronym = /^\p{Lu}[\p{Lu}&]{1,7}$/u
const possessive = /['’]s$/u
const codeShape = /^\p{Lu}[\p{Lu}\p{N}]*(?:[-/_.]?[\p{Lu}\p{N}]+)*$/u
const quarter = /^[QH][1-4](?:\b|$)/u
/** Between two words of one name. */
const joint = /^ (?:& )?$/u

const connectors = set('of de del della van von der den di da do dos du la le ibn al')
/** Begin sentences, and are no part of a name there. */
const openers = set(
  'a about after all also although an and any are as at because before below both but by can contact did do does during each either every few for from had has have he her here his how however i if in instead into is it its many may more most must my neither no not now of on once one only or other our please several shall she should since so some such than that the their them then there these they this those though through to under today tomorrow yesterday later soon whatever whoever whichever everyone anyone nobody someone something nothing everything then unless until upon was we were what when where whether which while who whom whose why will with within without you your',
)
/** Written with a capital wherever they stand, and names of nothing. */
const ordinary = set(
  'i monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays january february march april may june july august september october november december spring summer autumn winter christmas easter mr mrs ms dr prof ok yes no note tbd tba faq url pdf',
)
/** A reference inside a document: `Section 4`, `Table B`. */
const references = set(
  'edition release section sections chapter table figure appendix annex article page step part version clause paragraph item example question answer phase week day month year note line level option row column',
)
const honorifics = set('mr mrs ms dr prof herr frau sir madame monsieur señor señora')
const organisationWords = set(
  'gmbh ag inc ltd llc corp corporation company se kg plc bv nv sa oy ab group foundation university institute bank association ministry agency council department team office committee board division unit union society college hospital authority commission partners holding',
)
const placeWords = set(
  'street road avenue square city campus building plant warehouse depot harbour harbor port river island park site hall airport station county district room lake mount valley factory laboratory',
)
const termWords = set(
  'policy agreement act regulation directive standard procedure manual handbook guide plan programme program project protocol contract charter code framework guideline guidelines',
)
/** Every noun has a capital there: one word alone proves nothing. */
const nounsWithCapitals = set('de lb')
/** Connectors that are no article of the next noun there. */
const firmConnectors = set('von van zu')

const roles =
  'head|director|manager|chief|lead|leader|officer|engineer|president|owner|secretary|chair|lawyer|supervisor'
const personAfter = new RegExp(
  `^(?: and \\p{Lu}\\p{Ll}+ \\p{Lu}\\p{Ll}+)?(?:,? who\\b|,? (?:the |our |an? )?(?:\\p{L}+ )?(?:${roles})\\b| (?:is|was) (?:the |our |an? )?(?:\\p{L}+ ){0,2}(?:${roles})\\b| (?:also )?(?:reports?|works?|worked|leads?|led|manages?|managed|heads?|headed|joined|chairs?|chaired|wrote|signed|approved|said|founded|supervises?|looks after)\\b)`,
  'u',
)
const personBefore = new RegExp(
  `\\b(?:(?:led|managed|headed|chaired|written|signed|approved|founded|reviewed|supervised|run) by|reports? to|hired|(?:${roles})\\b[^.,;]{0,40} (?:is|was)) $`,
  'iu',
)
const placeBefore =
  /\b(?:based|located|situated|headquartered|made|built|stored|kept|produced|held|plant|office|warehouse) (?:in|at|near) (?:the )?$/iu

type Token = { text: string; start: number; end: number }

const tokensOf = (sentence: string): Token[] =>
  [...sentence.matchAll(token)].map((match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }))

/** `SEC-014`, `H-40`, `ISO27001`: begins with a capital, has a digit, no small letters. */
const isCode = (text: string): boolean =>
  text.length >= 3 && text.length <= 32 && codeShape.test(text) && /\p{N}/u.test(text) && !quarter.test(text)

const lower = (text: string): string => text.toLowerCase()

/** A list of more names than that is no sentence. */
const namesMax = 40
/** What is looked at on either side of a name. */
const sideChars = 120

const before = (sentence: string, at: number): string => sentence.slice(Math.max(0, at - sideChars), at)

/** Nothing but marks, numbers and brackets before it: where a heading, an item or a quotation begins. */
const beginning = /(?:^|[:|•*_“"(–—-])[^\p{L}]*$/u

/** A stretch of the sentence that may be a name. */
export type FoundName = {
  name: string
  start: number
  end: number
  kind: EntityKind
  /** Stands where everything has a capital. */
  doubtful: boolean
  /** One word in ordinary writing, which may be a common one. */
  common: boolean
  /** The same without the first word, which may only be how the sentence begins. */
  shorter: { name: string; start: number } | null
}

const kindOf = (words: readonly string[], before: string, after: string, titled: boolean): EntityKind => {
  const folded = words.map(lower)
  const last = folded.at(-1) ?? ''
  const [only] = words
  if (words.length === 1 && only !== undefined && isCode(only)) return 'code'
  if (titled) return 'person'
  if (organisationWords.has(last) || folded.some((word) => /^(?:gmbh|inc|ltd|llc|corp|plc)$/u.test(word)))
    return 'organisation'
  if (termWords.has(last)) return 'term'
  if (placeWords.has(last) || (words.length > 1 && placeWords.has(folded[0] ?? ''))) return 'place'
  if (words.length > 1 && /\p{N}/u.test(last)) return acronym.test(only ?? '') ? 'code' : 'product'
  const plain = words.length >= 2 && words.length <= 3 && words.every((word) => /^\p{Lu}\p{Ll}/u.test(word))
  if (plain && (personAfter.test(after) || personBefore.test(before))) return 'person'
  return placeBefore.test(before) ? 'place' : 'name'
}

/** A line that is a heading, or shouts: nearly all of its longer words have a capital, and nothing ends or joins it. */
const provesNothing = (sentence: string, tokens: readonly Token[]): boolean => {
  const words = tokens.filter(({ text }) => /^\p{L}{4}/u.test(text))
  if (words.length > 2 && words.every(({ text }) => text === text.toUpperCase())) return true
  return tokens.length > 1 && !/[.,;:!?|\t]/u.test(sentence) && words.every(({ text }) => capital.test(text))
}

/** The first token after a name that begins at `at`; a name goes on over connectors when a capital follows. */
const endOfRun = (sentence: string, tokens: readonly Token[], at: number, nouns: boolean): number => {
  const gap = (from: number): string => sentence.slice(tokens[from - 1]?.end ?? 0, tokens[from]?.start ?? 0)
  let end = at + 1
  while (end < tokens.length) {
    const [previous, next, later] = [tokens[end - 1], tokens[end], tokens[end + 1]]
    if (!previous || !next || possessive.test(previous.text) || (honorifics.has(lower(next.text)) && end > at)) break
    // `Pumpe H-40`: the noun is none of its name.
    if (nouns && (isCode(next.text) || isCode(previous.text))) break
    // An initial: `J. Brandt`.
    const joined = joint.test(gap(end)) || (gap(end) === '. ' && /^\p{Lu}$/u.test(previous.text))
    if (!joined) break
    if (capital.test(next.text) || /^\p{N}{1,5}\p{Lu}?$/u.test(next.text)) end += 1
    else if (
      (nouns ? firmConnectors : connectors).has(next.text) &&
      later &&
      capital.test(later.text) &&
      joint.test(gap(end + 1))
    )
      end += 2
    else break
  }
  return end
}

/** All that may be a name in `sentence`, in order; offsets count in it. */
export const findNames = (sentence: string, language: string): FoundName[] => {
  const tokens = tokensOf(sentence)
  const anyCase = provesNothing(sentence, tokens)
  const found: FoundName[] = []
  for (let at = 0; at < tokens.length && found.length < namesMax; ) {
    const first = tokens[at]
    if (!first || !capital.test(first.text)) {
      at += 1
      continue
    }
    const until = endOfRun(sentence, tokens, at, nounsWithCapitals.has(language))
    let from = at
    at = until
    let titled = false
    while (from < until && honorifics.has(lower(tokens[from]?.text ?? ''))) {
      from += 1
      titled = true
    }
    const begins = beginning.test(before(sentence, tokens[from]?.start ?? 0))
    const opened = from
    // How a sentence begins is not part of what it speaks of.
    while (from < until && openers.has(lower(tokens[from]?.text ?? ''))) from += 1
    const run = tokens.slice(from, until)
    const [head, next] = run
    const tail = run.at(-1)
    if (!head || !tail || !capital.test(head.text)) continue
    if (run.every(({ text }) => ordinary.has(lower(text)) || /^\p{N}/u.test(text))) continue
    const end = tail.end - (possessive.exec(tail.text)?.[0].length ?? 0)
    const name = sentence.slice(head.start, end)
    const words = name.split(/ (?:& )?/u)
    const single = run.length === 1
    if (references.has(lower(head.text)) && !acronym.test(head.text)) continue
    if (!foldName(name) || (single && name.length < 3 && !acronym.test(name))) continue
    const certain = single && (isCode(name) || (acronym.test(name) && !anyCase))
    if (single && !certain && nounsWithCapitals.has(language)) continue
    const opening = begins && from === opened
    // `Die Pumpe`: a capital for the sentence and one for the noun.
    const article = run.length === 2 && nounsWithCapitals.has(language)
    found.push({
      name,
      start: head.start,
      end,
      kind: kindOf(words, before(sentence, head.start), sentence.slice(end, end + sideChars), titled),
      doubtful: !certain && !titled && (anyCase || (opening && (single || article))),
      common: single && !certain && !titled,
      shorter:
        opening && !article && next && capital.test(next.text)
          ? { name: sentence.slice(next.start, end), start: next.start }
          : null,
    })
  }
  return found
}

const minor = set('of and for the in on a an to')

/**
 * Where the long form begins that `short` stands for, in the text right before its bracket: the words whose first letters spell it.
 * Null when they do not.
 */
const longFormStart = (before: string, short: string): number | null => {
  const letters = lower(short).replaceAll(/[^\p{L}]/gu, '')
  const tokens = tokensOf(before)
  let left = letters.length
  for (let at = tokens.length - 1; at >= 0 && left > 0; at -= 1) {
    const one = tokens[at]
    if (!one) return null
    const initial = lower(one.text)[0]
    if (initial === letters[left - 1]) {
      left -= 1
      if (left === 0) return one.start
    } else if (!minor.has(lower(one.text))) return null
  }
  return null
}

/** One thing under two names, as the document itself says. `own`: the short one is this document's word for it alone. */
export type Equation = { long: string; short: string; own: boolean }

const abbreviated = /\((\p{Lu}[\p{L}&]{1,9})\)/gu
const spelledOut = /(?<![\p{L}\p{N}])(\p{Lu}{2,8}) \(([^()]{4,80})\)/gu
const definition =
  /\((?:the |each,? an? |together,? (?:the )?|hereinafter,? (?:the )?|collectively,? (?:the )?)?[“"]([^”"()]{2,60})[”"]\)/giu

/** Abbreviations in brackets and words that the document defines. */
export const findEquations = (sentence: string): Equation[] => {
  const found: Equation[] = []
  for (const match of sentence.matchAll(abbreviated)) {
    const short = match[1] ?? ''
    const lead = before(sentence, match.index).trimEnd()
    const longStart = longFormStart(lead, short)
    if (longStart !== null) found.push({ long: lead.slice(longStart), short, own: false })
  }
  for (const match of sentence.matchAll(spelledOut)) {
    const [, short = '', long = ''] = match
    if (longFormStart(long, short) === 0) found.push({ long, short, own: false })
  }
  for (const match of sentence.matchAll(definition)) {
    const short = match[1] ?? ''
    const lead = before(sentence, match.index).replace(/[\s,]+$/u, '')
    const named = findNames(lead, 'en').find(({ end }) => end === lead.length)
    found.push({ long: named?.name ?? short, short, own: true })
  }
  return found
}

const meaning = /[“"]([^”"]{2,60})[”"] (?:means|shall mean|refers to|is defined as)\b/giu

/** Words whose meaning the document gives: `“Business Day” means …`. */
export const findTerms = (sentence: string): string[] => [...sentence.matchAll(meaning)].map((match) => match[1] ?? '')
