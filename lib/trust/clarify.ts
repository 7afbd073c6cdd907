/**
 * When a question is too short to say which of several things it asks about, a question back with choices. Pure.
 *
 * Guarantees: rather null than a needless question. It asks back only when all of this holds: the question has few words of its own and
 * no code, number or quoted phrase; two or more passages are about equally good and each has all of those words; and their headings name
 * different kinds of it, or they stand under one heading about it in different documents or parts of one. A passage that is about the
 * matter in general answers it, and nothing is asked. A choice is a whole question that stands alone; it takes from a heading or a title only what reads
 * like a name, for it will be asked in the person's own voice.
 */
import type { Evidence } from '#lib/rag/index.ts'
import { supportWords } from '#lib/shared/support.ts'

type Passage = Evidence['passages'][number]

export type Choice = {
  /** What it is about: a heading, or a document's title. */
  label: string
  /** To be asked instead. */
  question: string
  /** The passage that it came from. */
  n: number
  documentId: string
}
export type Clarification = { question: string; choices: Choice[] }

/** More words than these say which of several things is meant. */
const ownWordsMost = 3
/** As good as the best: this part of its score at least. */
const nearlyEqual = 0.75
const choicesMost = 4
const labelCharsMost = 60
const labelWordsMost = 8

/** Words that ask without saying about what. */
const askingWords = new Set(
  supportWords(
    'long short much many often quickly soon far high old big must need get take have make give find know tell say explain describe mean work use apply happen please about information details rule policy',
  ),
)

const ownWords = (question: string): string[] =>
  [...new Set(supportWords(question))].filter((word) => !askingWords.has(word))

const saysExactly = (question: string): boolean => /\p{N}|["“”„«»「」`]/u.test(question)

/** A heading without its number, where it reads like a name and like nothing else. */
const nameIn = (heading: string | undefined): string | null => {
  const name = (heading ?? '')
    .replace(/^\s*(?:[§#]\s*)?(?:\p{N}+(?:\.\p{N}+)*[.)]?|[A-Z][.)])\s+/u, '')
    .replace(/\s+/g, ' ')
    .trim()
  const reads = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} '’&,/():-]|\.(?=\p{N}))*$/u.test(name)
  return reads && name.length <= labelCharsMost && name.split(' ').length <= labelWordsMost ? name : null
}

type Named = { passage: Passage; label: string }

const within = (some: readonly string[], all: readonly string[]): boolean => some.every((word) => all.includes(word))

/** Each thing once: "Applying for parental leave" is about parental leave. */
const onePerThing = (named: readonly Named[]): Named[] => {
  const kept: Named[] = []
  for (const one of named) {
    const words = supportWords(one.label)
    const isKnown = ({ label }: Named): boolean =>
      within(supportWords(label), words) || within(words, supportWords(label))
    if (!kept.some(isKnown)) kept.push(one)
  }
  return kept
}

/**
 * Passages whose own heading names a kind of what is asked about: "Parental leave" for "leave". None where one is about all of it, or
 * the best is about none of them.
 */
const byHeading = (passages: readonly Passage[], own: readonly string[]): Named[] => {
  const named: Named[] = []
  for (const [at, passage] of passages.entries()) {
    const label = nameIn(passage.headingPath.at(-1))
    const words = supportWords(label ?? '')
    const isAbout = own.some((word) => words.includes(word))
    if (!label || !isAbout) {
      if (at === 0) return []
      continue
    }
    const isAll = words.every((word) => own.includes(word) || askingWords.has(word))
    if (isAll) return []
    named.push({ passage, label })
  }
  return onePerThing(named)
}

/** Passages under one heading that is what is asked about, of different documents or parts of one: two manuals, two versions. */
const byPlace = (passages: readonly Passage[], own: readonly string[]): Named[] => {
  const headings = new Set(passages.map(({ headingPath }) => supportWords(nameIn(headingPath.at(-1)) ?? '').join(' ')))
  const [heading = ''] = headings
  if (headings.size !== 1 || !own.some((word) => heading.split(' ').includes(word))) return []
  const titles = new Set(passages.map(({ title }) => title))
  const named = passages.map((passage) => ({
    passage,
    label: nameIn(titles.size > 1 ? passage.title : passage.headingPath.at(-2)),
  }))
  const known = named.flatMap(({ passage, label }) => (label ? [{ passage, label }] : []))
  return known.length === named.length ? onePerThing(known) : []
}

/** "leave" in "How long is leave?" becomes "parental leave"; what cannot be put in its place stands behind the question. */
const askedAbout = (question: string, label: string): string => {
  const bare = question.trim().replace(/[?.!\s]+$/u, '')
  const last = label.split(' ').at(-1) ?? ''
  const place = bare.toLowerCase().lastIndexOf(last.toLowerCase())
  const [before, behind] = [bare.slice(0, place), bare.slice(place + last.length)]
  const standsAlone = place > 0 && /[^\p{L}\p{N}]$/u.test(before) && !/^[\p{L}\p{N}]/u.test(behind)
  // Capitals inside a name are its own; the first is the heading's.
  const name = /^\p{Lu}\p{Ll}*(?:[ -]|$)/u.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label
  return standsAlone && last.length > 2 ? `${before}${name}${behind}?` : `${bare} (${label})?`
}

/** The question back, or null: the question is clear, or nothing shows that it is not. */
export const clarify = (
  question: string,
  { found, passages }: Pick<Evidence, 'found' | 'passages'>,
): Clarification | null => {
  // A follow-up has the conversation to say what it means.
  if (!found || question.trim().includes('\n') || saysExactly(question)) return null
  const own = ownWords(question)
  if (own.length === 0 || own.length > ownWordsMost) return null
  const best = Math.max(0, ...passages.map(({ score }) => score))
  const candidates = passages.filter(({ score, title, headingPath, context, text }) => {
    const words = new Set(supportWords([title, ...headingPath, context, text].join('\n')))
    return score > 0 && score >= nearlyEqual * best && own.every((word) => words.has(word))
  })
  const headed = byHeading(candidates, own)
  const named = headed.length > 1 ? headed : byPlace(candidates, own)
  if (named.length < 2) return null
  const choices = named.slice(0, choicesMost).map(({ passage, label }) => ({
    label,
    question: askedAbout(question, label),
    n: passage.n,
    documentId: passage.documentId,
  }))
  return { question: 'That could be about more than one thing. Which one do you mean?', choices }
}
