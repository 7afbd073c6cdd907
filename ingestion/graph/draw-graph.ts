/**
 * Things and their relations in the passages of one version, by patterns alone: no model, the same result on every run. In English
 * names, codes, abbreviations, defined terms and relations; in other languages names and codes. What a document writes only where
 * everything has a capital (a heading, the first word of a sentence) is left out. Pure.
 */
import { type EntityKind, entityKinds, foldedWords, foldName, togetherPredicate } from '#lib/shared/graph-contract.ts'
import { type Span, sentences } from '#lib/shared/text.ts'
import type { DrawnGraph, DrawnMention, DrawnRelation, GraphPassage } from './drawn-graph.ts'
import { findEquations, findNames, findTerms } from './find-names.ts'
import { isCoordination, predicateOf, roleBefore } from './find-relations.ts'

/** A name of more words is a sentence with many capitals. */
const nameWordsMax = 8
const nameCharsMax = 80
/** In so few passages of the document a thing may be said to stand with another only for standing beside it. */
const rareFrom = 5
const rareShare = 0.05
/** In a longer list of names each stands with its neighbours at most. */
const listedMax = 5

type Named = Span & {
  passage: GraphPassage
  name: string
  kind: EntityKind
  doubtful: boolean
  common: boolean
  shorter: { name: string; start: number } | null
}
type Sentence = { passage: GraphPassage; span: Span; text: string; english: boolean; names: Named[] }

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')

/** Where any of `phrases` stands in `text` as whole words, whatever the case; the longest where several do. */
const locate = (text: string, phrases: readonly string[]): (Span & { phrase: string })[] => {
  const byFold = new Map(phrases.map((phrase) => [foldName(phrase), phrase]))
  const alternatives = [...byFold]
    .filter(([fold]) => fold)
    .sort(([a], [b]) => b.length - a.length)
    .map(([, phrase]) => phrase.trim().split(/\s+/u).map(escaped).join('\\s+'))
  if (alternatives.length === 0) return []
  const any = new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives.join('|')})(?![\\p{L}\\p{N}])`, 'giu')
  return [...text.matchAll(any)].flatMap((match) => {
    const phrase = byFold.get(foldName(match[0]))
    return phrase === undefined ? [] : [{ phrase, start: match.index, end: match.index + match[0].length }]
  })
}

const usable = (name: string): boolean => {
  const words = foldedWords(name)
  return words.length > 0 && words.length <= nameWordsMax && name.length <= nameCharsMax
}

const readSentences = (passages: readonly GraphPassage[]): Sentence[] =>
  passages.flatMap((passage) =>
    sentences(passage.text).map((span) => {
      const text = passage.text.slice(span.start, span.end)
      const names = findNames(text, passage.language)
        .filter(({ name }) => usable(name))
        .map((name) => ({ ...name, passage }))
      return { passage, span, text, english: passage.language === 'en', names }
    }),
  )

const stem = (word: string): string => word.toLowerCase().replace(/e?s$/u, '')

/** Names that the document proves somewhere, and the words that it also writes small. */
const evidenceOf = (read: readonly Sentence[]) => {
  const proven = new Set<string>()
  const lasts = new Set<string>()
  const small = new Set<string>()
  for (const { text, names } of read) {
    for (const { name, doubtful, shorter } of names) {
      if (doubtful || shorter) continue
      proven.add(foldName(name))
      // A last name may begin a sentence.
      lasts.add(foldName(name.split(' ').at(-1) ?? ''))
    }
    for (const word of text.match(/(?<![\p{L}\p{N}])\p{Ll}[\p{L}\p{M}]+/gu) ?? []) small.add(stem(word))
  }
  return { proven, lasts, small }
}

/** What a doubtful name is taken for: itself where it is proven, else the part that does not begin the sentence, else nothing. */
const settle = (found: Named, { proven, lasts, small }: ReturnType<typeof evidenceOf>): Named | null => {
  if (found.common && small.has(stem(found.name))) return null
  const known = proven.has(foldName(found.name)) || (found.common && lasts.has(foldName(found.name)))
  const { shorter } = found
  if (shorter && !known) {
    const [first = ''] = found.name.split(/\s/u)
    const cut = { ...found, name: shorter.name, start: shorter.start }
    if (proven.has(foldName(shorter.name)) || small.has(stem(first)))
      return found.doubtful && !proven.has(foldName(shorter.name)) ? null : cut
  }
  return found.doubtful && !known ? null : found
}

/** The names of the document: which key each folded name leads to, and what stands for it everywhere. */
const createRegister = () => {
  const keys = new Map<string, string>()
  const votes = new Map<string, Map<EntityKind, number>>()
  const names = new Map<string, string>()
  const aliases = new Map<string, Set<string>>()

  const key = (name: string): string => {
    const fold = foldName(name)
    return keys.get(fold) ?? fold
  }
  return {
    key,
    /** `short` leads to `long` from now on; everywhere, unless it is this document's own word. */
    equate: (long: string, short: string, own: boolean): void => {
      const [target, fold] = [key(long), foldName(short)]
      if (!fold || keys.has(fold) || fold === target) return
      keys.set(fold, target)
      if (!own) aliases.set(target, (aliases.get(target) ?? new Set()).add(fold))
    },
    /** Counts a mention; its key. */
    note: (name: string, kind: EntityKind): string => {
      const noted = key(name)
      // A thing is shown by the name that its key is made of.
      if (!names.has(noted) || foldName(name) === noted) names.set(noted, name.replaceAll(/\s+/gu, ' '))
      const counted = votes.get(noted) ?? new Map<EntityKind, number>()
      votes.set(noted, counted.set(kind, (counted.get(kind) ?? 0) + 1))
      return noted
    },
    entities: (): DrawnGraph['entities'] =>
      [...names].map(([noted, name]) => {
        const [best] = [...(votes.get(noted) ?? [])]
          .filter(([kind]) => kind !== 'name' && (kind !== 'code' || !votes.get(noted)?.has('product')))
          .sort(([a, n], [b, m]) => m - n || entityKinds.indexOf(a) - entityKinds.indexOf(b))
        return { key: noted, name, kind: best?.[0] ?? 'name', aliases: [noted, ...(aliases.get(noted) ?? [])] }
      }),
  }
}
type Register = ReturnType<typeof createRegister>

/**
 * A person's last name alone, where the document has one person of it, is this document's way to call them; the code at the end of
 * one product's name is its name everywhere.
 */
const equateTails = (register: Register, names: readonly Named[]): void => {
  const byTail = new Map<string, { key: string; name: string }[]>()
  const people = new Set<string>()
  for (const { name, kind } of names) {
    const [tail, key] = [name.split(' ').at(-1) ?? '', register.key(name)]
    if (kind === 'person') people.add(key)
    if (tail === name) continue
    const known = byTail.get(tail) ?? []
    if (!known.some((one) => one.key === key)) byTail.set(tail, [...known, { key, name }])
  }
  for (const [tail, [only, ...others]] of byTail) {
    if (!only || others.length > 0) continue
    if (/\p{N}/u.test(tail)) {
      if (/\p{Lu}/u.test(tail)) register.equate(only.name, tail, false)
    } else if (people.has(only.key) || people.has(register.key(tail))) register.equate(only.name, tail, true)
  }
}

type Placed = Span & { key: string; kind: EntityKind }

const isFirm = ({ key, kind }: Placed): boolean => kind !== 'name' || key.includes(' ')

const drop = (names: readonly Named[]): Named[] => {
  const kept: Named[] = []
  for (const name of [...names].sort((a, b) => a.start - b.start || b.end - a.end))
    if (name.start >= (kept.at(-1)?.end ?? 0)) kept.push(name)
  return kept
}

/** Relations of one sentence; `earlier` is who `he` or `she` at its beginning means. */
const relate = (
  text: string,
  placed: readonly Placed[],
  earlier: string | null,
  isRare: (key: string) => boolean,
): Omit<DrawnRelation, 'chunkId'>[] => {
  const found: Omit<DrawnRelation, 'chunkId'>[] = []
  const said = new Set<string>()
  const add = (fromKey: string, toKey: string, predicate: string): void => {
    if (fromKey === toKey) return
    said.add([fromKey, toKey].sort().join('\n'))
    found.push({ fromKey, toKey, predicate })
  }
  // Names that stand for the same part of the sentence: `A and B lead C and D`.
  const groups: Placed[][] = []
  for (const one of placed) {
    const previous = groups.at(-1)?.at(-1)
    if (previous && isCoordination(text.slice(previous.end, one.start))) groups.at(-1)?.push(one)
    else groups.push([one])
  }
  const [first] = placed
  const pronoun = /^(?:He|She|They)(?= )/u.exec(text)?.[0]
  if (pronoun && earlier !== null && first) {
    const predicate = predicateOf(text.slice(pronoun.length, first.start), true)
    if (predicate) for (const { key } of groups[0] ?? []) add(earlier, key, predicate)
  }
  for (const [at, group] of groups.entries()) {
    const [next, last] = [groups[at + 1], group.at(-1)]
    const [head] = next ?? []
    if (!next || !head || !last) continue
    const between = text.slice(last.end, head.start)
    const role = group[0] ? roleBefore(text.slice(0, group[0].start), between) : null
    const predicate = role ?? predicateOf(between, isFirm(last))
    if (!predicate) continue
    for (const from of group)
      for (const to of next) {
        if (role) add(to.key, from.key, role)
        else add(from.key, to.key, predicate)
      }
  }
  for (const group of groups) for (const a of group) for (const b of group) said.add([a.key, b.key].sort().join('\n'))
  const keys = [...new Set(placed.map(({ key }) => key))]
  const near = keys.length <= listedMax ? keys.length : 1
  for (const [at, from] of keys.entries())
    for (const to of keys.slice(at + 1, at + 1 + near))
      if (!said.has([from, to].sort().join('\n')) && isRare(from) && isRare(to)) add(from, to, togetherPredicate)
  return found
}

/**
 * Draws the graph of a version's passages. `phrases` are things that somebody else has found in it, as a model does; they count
 * where the text has them word for word.
 */
export const drawGraph = (passages: readonly GraphPassage[], phrases: readonly string[] = []): DrawnGraph => {
  const read = readSentences(passages)
  const evidence = evidenceOf(read)
  const register = createRegister()
  const terms = new Map<string, string>(phrases.filter(usable).map((phrase) => [foldName(phrase), phrase]))
  const defined = new Set(terms.keys())
  for (const { text, english } of read) {
    if (!english) continue
    for (const { long, short, own } of findEquations(text)) {
      if (!usable(long) || !usable(short)) continue
      register.equate(long, short, own)
      terms.set(foldName(long), long)
      if (!own) evidence.proven.add(foldName(short))
    }
    for (const name of findTerms(text)) {
      if (!usable(name)) continue
      terms.set(foldName(name), name)
      defined.add(foldName(name))
    }
  }
  const wanted = [...terms.values()]
  for (const sentence of read) {
    const { passage, text, names } = sentence
    const settled = names.flatMap((name) => settle(name, evidence) ?? [])
    const located = locate(text, wanted).map(
      ({ phrase, start, end }): Named => ({
        passage,
        name: phrase,
        start,
        end,
        kind: 'term',
        doubtful: false,
        common: false,
        shorter: null,
      }),
    )
    // What patterns know the kind of stays; of two that overlap the longer one counts.
    const rest = located.filter((one) => !settled.some(({ start, end }) => start <= one.start && end >= one.end))
    sentence.names = drop([...settled, ...rest])
  }
  equateTails(
    register,
    read.flatMap(({ names }) => names),
  )

  const mentions: DrawnMention[] = []
  const placedOf = read.map(({ passage, span, names }) =>
    names.map(({ name, kind, start, end }): Placed => {
      const key = register.note(name, kind === 'name' && defined.has(foldName(name)) ? 'term' : kind)
      const from = passage.start + span.start
      mentions.push({ key, chunkId: passage.chunkId, start: from + start, end: from + end })
      return { key, kind, start, end }
    }),
  )
  const passagesOf = new Map<string, Set<number>>()
  for (const { key, chunkId } of mentions) passagesOf.set(key, (passagesOf.get(key) ?? new Set()).add(chunkId))
  const rareMax = Math.max(rareFrom, passages.length * rareShare)
  const isRare = (key: string): boolean => (passagesOf.get(key)?.size ?? 0) <= rareMax

  const entities = register.entities()
  const kinds = new Map(entities.map(({ key, kind }) => [key, kind]))
  const relations = new Map<string, DrawnRelation>()
  let earlier: { chunkId: number; key: string | null } | null = null
  for (const [at, { passage, text, english }] of read.entries()) {
    const placed = placedOf[at] ?? []
    if (!english) continue
    const person = earlier?.chunkId === passage.chunkId ? earlier.key : null
    for (const relation of relate(text, placed, person, isRare))
      relations.set(JSON.stringify([relation.fromKey, relation.toKey, relation.predicate, passage.chunkId]), {
        ...relation,
        chunkId: passage.chunkId,
      })
    // With two people in a sentence nobody can tell who `she` is.
    const people = new Set(placed.filter(({ key }) => kinds.get(key) === 'person').map(({ key }) => key))
    const [someone] = people
    earlier = { chunkId: passage.chunkId, key: people.size === 1 && someone !== undefined ? someone : null }
  }
  return { entities, mentions, relations: [...relations.values()] }
}
