/** How two names in one English sentence stand to each other, by the words between them. */

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '))

const auxiliaries = set('is are was were has have had will shall can could may might must should does do did')
/** Verbs that neither `-s` nor `-ed` gives away. */
const irregular = set(
  'led ran run runs held built made sold bought wrote took won left became began met paid sent kept set put got gave found founded grew chose drove spoke taught thought brought report lead manage own use work supply replace approve maintain support include oversee',
)
const prepositions = set('in at of for from by near under to on within via inside behind above below')
/** End in `s` and say nothing of two things. */
const noVerbs = set('as this his its hers theirs ours yours across perhaps always besides towards plus versus less as')
const adverb = /^(?:\p{Ll}+ly|also|now|then|still|often|always|once|again|since|both|each)$/u
const wordsMax = 8
const charsMax = 60

const clean = (words: readonly string[]): string | null => {
  const kept = words.filter(
    (word, at) => !(at === words.length - 1 && /^(?:the|a|an|our|its|their|his|her)$/u.test(word)),
  )
  const text = kept.join(' ')
  return text && text.length <= charsMax ? text : null
}

/** `and`, a comma: two names that stand for the same part of the sentence. */
export const isCoordination = (between: string): boolean =>
  /^(?:,? (?:and|or|&|as well as) (?:the )?|, (?:the )?|\/)$/u.test(between)

/**
 * What the words between two names say of them, in small letters; null when that cannot be told. Before a `firm` name a word in `-s`
 * is taken for a verb; after a single word it may as well be a noun (`Cloud services …`).
 */
export const predicateOf = (between: string, firm = true): string | null => {
  const apposition =
    /^[,–—-]? ?(?:the |an? |our |its |their |his |her )?([\p{L}\p{N} -]+ (?:of|for|at|in|to)) (?:the )?$/u.exec(
      /^[,–—]/u.test(between.trimStart()) ? between.trimStart() : '',
    )
  if (
    apposition?.[1] &&
    !/^(?:while|for|by|and|or|as|where|when|if|including|such|in|at|from|with|to|but|then)\b/iu.test(apposition[1])
  )
    return clean(apposition[1].toLowerCase().split(' '))
  const text = between
    .replace(/^(?:['’]s|['’]|[”"')\]]+)(?= )/u, '')
    .replace(/^(?: [\p{Ll}-]+){0,2},? (?:who|which|that) /u, ' ')
    .trim()
    .toLowerCase()
  if (!text || /[.;:!?()[\]{}“”"|,\n]/u.test(text)) return null
  const words = text.split(/\s+/u)
  while (words.length > 1 && adverb.test(words[0] ?? '')) words.shift()
  const [first = ''] = words
  if (words.length > wordsMax) return null
  if (/^['’]s? /u.test(between)) return /^(?:is|are|was|were)$/u.test(words.at(-1) ?? '') ? clean(words) : null
  if (words.length <= 2 && prepositions.has(first) && (words.length === 1 || words[1] === 'the')) return first
  const isVerb = (word: string): boolean =>
    auxiliaries.has(word) ||
    irregular.has(word) ||
    /^\p{Ll}{3,}ed$/u.test(word) ||
    (firm && /^\p{Ll}{3,}s$/u.test(word) && !noVerbs.has(word))
  if (isVerb(first)) return clean(words)
  // `The H-40 pump replaces …`: the noun belongs to the name.
  const [, second = ''] = words
  return !prepositions.has(first) && words.length > 1 && isVerb(second) ? clean(words.slice(1)) : null
}

/** `The head of X is Y`, read from the words before X: what Y is to X. Null when it is not said so. */
export const roleBefore = (before: string, between: string): string | null => {
  if (!/^ (?:is|are|was|were)(?: the)? $/u.test(between)) return null
  const role = /\b(?:the|an?|our) ((?:[\p{L}-]+ ){1,4}(?:of|for|at|in)) (?:the )?$/iu.exec(before)?.[1]
  return role ? clean(`${between.trim().split(' ')[0]} the ${role.toLowerCase()}`.split(' ')) : null
}
