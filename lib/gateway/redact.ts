/**
 * Personal data and secrets, replaced by placeholders before a text leaves, and put back in what comes back. Pure: what is found
 * depends on the text alone. A key or a number that is hidden behind invisible characters is not found: pass text through
 * `cleanUntrusted` first.
 */
import type { RedactionAct, SensitiveKind } from '#lib/shared/gateway-settings.ts'
import { type Found, findSecrets } from '#lib/shared/secrets.ts'
import { findCards, findIbans, findIps, findNationalIds, findPhones } from './redact-numbers.ts'
import { findAddresses, findEmails, findPeople } from './redact-people.ts'

export type RedactionActs = Readonly<Record<SensitiveKind, RedactionAct>>
/** One finding; `start` and `end` count in the text as it came. */
export type Sensitive = { kind: SensitiveKind; start: number; end: number; act: RedactionAct }

export type Redaction = {
  text: string
  found: Sensitive[]
  /** Kinds that policy does not let out at all. Their values are replaced in `text` too, should a caller send it all the same. */
  blocked: SensitiveKind[]
  /** Placeholder to value, over all calls of this redactor. Secrets are not in it. */
  placeholders: ReadonlyMap<string, string>
}

export type Redactor = { redact: (text: string) => Redaction }

/**
 * The order in which kinds are looked for; what one has found, the next ones do not see. Names and addresses are looked for only
 * where policy does something with them: they cost the most and are sure the least. An allowed secret hides nothing in it.
 */
const finders: readonly { kind: SensitiveKind; find: (text: string) => Found[]; onlyWhenActedOn: boolean }[] = [
  { kind: 'secret', find: findSecrets, onlyWhenActedOn: true },
  { kind: 'email', find: findEmails, onlyWhenActedOn: false },
  { kind: 'iban', find: findIbans, onlyWhenActedOn: false },
  { kind: 'card', find: findCards, onlyWhenActedOn: false },
  { kind: 'national-id', find: findNationalIds, onlyWhenActedOn: false },
  { kind: 'ip', find: findIps, onlyWhenActedOn: false },
  { kind: 'phone', find: findPhones, onlyWhenActedOn: false },
  { kind: 'address', find: findAddresses, onlyWhenActedOn: true },
  { kind: 'person', find: findPeople, onlyWhenActedOn: true },
]

const labelOf = (kind: SensitiveKind): string => kind.toUpperCase().replaceAll('-', '_')

/** Marks what has been found already: a private-use character, which no finder takes for part of anything. */
const taken = '\ue000'

const blank = (text: string, spans: readonly Found[]): string => {
  let at = 0
  const parts: string[] = []
  for (const { start, end } of spans) {
    parts.push(text.slice(at, start), taken.repeat(end - start))
    at = end
  }
  parts.push(text.slice(at))
  return parts.join('')
}

const withoutOverlap = (spans: readonly Found[]): Found[] => {
  const kept: Found[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end)
    else kept.push({ ...span })
  }
  return kept
}

/** What is sensitive in `text` under `acts`, in the order of the text, without overlap. Linear in the length of the text. */
export const findSensitive = (text: string, acts: RedactionActs): Sensitive[] => {
  let rest = text
  const found: Sensitive[] = []
  for (const { kind, find, onlyWhenActedOn } of finders) {
    const act = acts[kind]
    if (onlyWhenActedOn && act === 'allow') continue
    // A pattern may reach over something found before; then that something keeps its place.
    const spans = withoutOverlap(find(rest)).filter(({ start, end }) => !rest.slice(start, end).includes(taken))
    if (spans.length === 0) continue
    for (const span of spans) found.push({ kind, ...span, act })
    rest = blank(rest, spans)
  }
  return found.sort((a, b) => a.start - b.start)
}

/** One value, however it is written: grouping and case do not make it another. */
const sameness = (kind: string, value: string): string =>
  kind === 'secret' || kind === 'person' || kind === 'address' || kind === 'text'
    ? value
    : value.toLowerCase().replace(kind === 'email' || kind === 'ip' ? /\s/g : /[\s().\u2010-\u2013/-]/g, '')

const ownShape = /\[(?:SECRET|EMAIL|IBAN|CARD|NATIONAL_ID|IP|PHONE|ADDRESS|PERSON|TEXT)_\d{1,6}\]/g

/**
 * Replaces what `acts` says for all texts of one request: the same value has the same placeholder in each of them. Text that
 * looks like a placeholder when it comes is itself replaced, so that nobody can have another's value put in its place.
 */
export const createRedactor = (acts: RedactionActs): Redactor => {
  const byValue = new Map<string, string>()
  const counts = new Map<string, number>()
  const placeholders = new Map<string, string>()

  const placeholderFor = (kind: SensitiveKind | 'text', value: string): string => {
    const key = `${kind} ${sameness(kind, value)}`
    const known = byValue.get(key)
    if (known) return known
    const label = kind === 'text' ? 'TEXT' : labelOf(kind)
    const n = (counts.get(label) ?? 0) + 1
    counts.set(label, n)
    const placeholder = `[${label}_${n}]`
    byValue.set(key, placeholder)
    if (kind !== 'secret') placeholders.set(placeholder, value)
    return placeholder
  }

  const redact = (text: string): Redaction => {
    const found = findSensitive(text, acts)
    const replaced: { start: number; end: number; kind: SensitiveKind | 'text' }[] = found.filter(
      ({ act }) => act !== 'allow',
    )
    // What is replaced anyway is blanked first, so that nothing is replaced twice.
    for (const { index, 0: own } of blank(text, replaced).matchAll(ownShape))
      replaced.push({ start: index, end: index + own.length, kind: 'text' })
    replaced.sort((a, b) => a.start - b.start)
    const parts: string[] = []
    let at = 0
    for (const { kind, start, end } of replaced) {
      parts.push(text.slice(at, start), placeholderFor(kind, text.slice(start, end)))
      at = end
    }
    parts.push(text.slice(at))
    const blocked = [...new Set(found.filter(({ act }) => act === 'block').map(({ kind }) => kind))]
    return { text: parts.join(''), found, blocked, placeholders }
  }
  return { redact }
}

/** One text on its own; see `createRedactor` for the texts of a request. */
export const redact = (text: string, acts: RedactionActs): Redaction => createRedactor(acts).redact(text)

/** A stream's transformer: what can be let go now, and at the end what is left. */
export type TextFilter = { push: (text: string) => string; end: () => string }

/** The beginning of a placeholder at the end of a text, with the escapes that models write in Markdown. */
const openEnd = /\\?(?:\[(?:[A-Z](?:[A-Z]|\\?_){0,14}\d{0,6}\\?)?)?$/
const placeholderShape = /\\?\[([A-Z](?:[A-Z]|\\?_){0,14}\d{1,6})\\?\]/g

/**
 * Puts values back into a stream, wherever it is cut. With `restore` false they stay placeholders. Secrets are never put back,
 * and a placeholder that the model made up stays as it is.
 */
export const createRestorer = (
  placeholders: ReadonlyMap<string, string>,
  { restore }: { restore: boolean },
): TextFilter => {
  let held = ''
  const valueFor = (whole: string, name: string): string => {
    const placeholder = `[${name.replaceAll('\\', '')}]`
    const own = placeholder.startsWith('[TEXT_')
    if ((!restore && !own) || placeholder.startsWith('[SECRET_')) return whole
    return placeholders.get(placeholder) ?? whole
  }
  const put = (text: string): string => text.replace(placeholderShape, valueFor)
  return {
    push: (text) => {
      const all = held + text
      const cut = all.search(openEnd)
      held = cut < 0 ? '' : all.slice(cut)
      return put(cut < 0 ? all : all.slice(0, cut))
    },
    end: () => {
      const rest = put(held)
      held = ''
      return rest
    },
  }
}
