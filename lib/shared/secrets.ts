/**
 * Keys, tokens and passwords in text, found by the prefixes vendors give them and by the words that stand before a password. Every
 * pattern begins with a literal and has bounded repeats, so the time is linear in the text whatever the text is.
 */

export type Found = { start: number; end: number }

/**
 * Tokens that say themselves what they are. A token's prefix is literal text; `after` is what must follow it. Public keys
 * (`pk_live_`) are not secrets.
 */
const tokens: readonly { prefix: string; after: string }[] = [
  { prefix: 'sk-', after: '(?:[a-z]{2,12}(?:\\d\\d)?-){0,3}[\\w-]{20,400}' },
  { prefix: 'sk_live_', after: '[A-Za-z0-9]{16,200}' },
  { prefix: 'sk_test_', after: '[A-Za-z0-9]{16,200}' },
  { prefix: 'rk_live_', after: '[A-Za-z0-9]{16,200}' },
  { prefix: 'rk_test_', after: '[A-Za-z0-9]{16,200}' },
  { prefix: 'whsec_', after: '[A-Za-z0-9+/=]{20,200}' },
  { prefix: 'AKIA', after: '[A-Z0-9]{16}(?![A-Za-z0-9])' },
  { prefix: 'ASIA', after: '[A-Z0-9]{16}(?![A-Za-z0-9])' },
  { prefix: 'ghp_', after: '[A-Za-z0-9]{30,255}' },
  { prefix: 'gho_', after: '[A-Za-z0-9]{30,255}' },
  { prefix: 'ghu_', after: '[A-Za-z0-9]{30,255}' },
  { prefix: 'ghs_', after: '[A-Za-z0-9]{30,255}' },
  { prefix: 'ghr_', after: '[A-Za-z0-9]{30,255}' },
  { prefix: 'github_pat_', after: '\\w{30,255}' },
  { prefix: 'glpat-', after: '[\\w.-]{20,255}' },
  { prefix: 'AIza', after: '[\\w-]{35}(?![\\w-])' },
  { prefix: 'ya29.', after: '[\\w-]{20,1000}' },
  { prefix: 'GOCSPX-', after: '[\\w-]{20,100}' },
  { prefix: 'xoxa-', after: '[\\w-]{10,255}' },
  { prefix: 'xoxb-', after: '[\\w-]{10,255}' },
  { prefix: 'xoxe-', after: '[\\w-]{10,255}' },
  { prefix: 'xoxp-', after: '[\\w-]{10,255}' },
  { prefix: 'xoxr-', after: '[\\w-]{10,255}' },
  { prefix: 'xoxs-', after: '[\\w-]{10,255}' },
  { prefix: 'xapp-', after: '[\\w-]{10,255}' },
  { prefix: 'npm_', after: '[A-Za-z0-9]{30,100}' },
  { prefix: 'pypi-', after: '[\\w-]{40,255}' },
  { prefix: 'hf_', after: '[A-Za-z0-9]{30,100}' },
  { prefix: 'gsk_', after: '[A-Za-z0-9]{30,100}' },
  { prefix: 'xai-', after: '[A-Za-z0-9]{40,200}' },
  { prefix: 'dop_v1_', after: '[a-f0-9]{40,100}' },
  { prefix: 'SG.', after: '[\\w-]{16,64}\\.[\\w-]{16,100}' },
  { prefix: 'eyJ', after: '[\\w-]{8,4000}\\.[\\w-]{8,8000}(?:\\.[\\w-]{0,4000}){0,3}' },
]

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
const tokenSource = `(?:${tokens.map(({ prefix, after }) => `${escaped(prefix)}${after}`).join('|')})`

/** A token only begins where a word does: otherwise each letter of a long one would be tried. */
const tokenShape = new RegExp(`(?<![A-Za-z0-9_-])${tokenSource}`, 'g')
const wholeToken = new RegExp(`^${tokenSource}`)

/** How a self-describing secret can begin; what a stream must not let go before it has seen more. */
export const secretPrefixes: readonly string[] = tokens.map(({ prefix }) => prefix)

/** Whether `text` begins with a token that says itself that it is secret. */
export const startsWithSecret = (text: string): boolean => wholeToken.test(text)

const keyBlockBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const keyBlockEnd = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/
const keyBlockBody = /[A-Za-z0-9+/=\s:,.\\-]{0,20000}/y

const schemes = /\b(?:bearer|basic)[ \t]{1,3}([\w.~+/=-]{16,4000})/gi
const urlPassword = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@?#]{0,100}:([^\s/@]{1,200})@/gi
const slackHook = /https:\/\/hooks\.slack\.com\/(services\/[\w/]{20,100})/g

/** Words before a password; a person writes them in their own language. */
const passwordWord =
  'password|passwd|passphrase|passcode|pass[ _-]?word|pwd|pass(?=[ \\t]{0,3}[:=])|passwort|kennwort|mot de passe|contrase(?:ñ|n)a|clave|senha|wachtwoord|has(?:ł|l)o|l(?:ö|o)senord|пароль|密码|密碼|パスワード|비밀번호'
const keyWord =
  '(?:api|access|secret|private|signing|encryption|master|account|shared|auth|client|app|aws|azure|session|refresh|webhook)[ _-]{0,1}(?:(?:secret|access|api|auth)[ _-]{0,1}){0,2}(?:key|token|secret)|secret|token|credential'
const said = '["\'`]{0,1}[ \\t]{0,3}(?::=|=>|[:=：]|(?:is|ist|est|es|war|was)(?=[ \\t]))[ \\t]{0,3}'
// biome-ignore format: one line reads as one pattern
const passwordSaid = new RegExp(`(?<!\\p{L})(?:${passwordWord})${said}(?:"([^"\\n]{3,200})"|'([^'\\n]{3,200})'|([^\\s"'<>]{3,200}))`, 'giu')
// biome-ignore format: one line reads as one pattern
const keySaid = new RegExp(`(?<!\\p{L})(?:${keyWord})${said}["'\`]?([\\w.~+/=:-]{8,4000})`, 'giu')

/** What stands after "password:" in a manual, a form or a program, and is none. */
const noPassword =
  /^(?:required|optional|string|null|undefined|none|true|false|text|varchar|hidden|invalid|incorrect|wrong|expired|changed|reset|policy|protected|must|should|may|the|your|a|an|not|too|never|always|only|at|min|max|unknown|empty|blank|forgot(?:ten)?|n\/a|tbd|example|placeholder|redacted|process|os|env|str|bool|int)\b/i
const masked = /^(?:[*•x._-]{3,}|\[.{0,40}\]?|\{\{?.{0,60}|\$\{?[A-Za-z_]\w{0,60}\}?|%[A-Z_]+%|<.{0,60})$/i

const looksChosen = (value: string): boolean => /[\d\p{S}\p{P}]/u.test(value.replace(/[.,;:!?)\]]+$/, ''))

const isPassword = (value: string, text: string, end: number, quoted: boolean, strict: boolean): boolean => {
  if (masked.test(value)) return false
  if (noPassword.test(value) && !/\d/.test(value)) return false
  if (quoted) return !/\s.*\s/.test(value)
  if (looksChosen(value)) return true
  // A plain word is a password only where nothing follows it; otherwise it is the next word of a sentence.
  return !strict && /^[ \t]*(?:[,;\n]|$)/.test(text.slice(end, end + 4))
}

const isKey = (value: string): boolean =>
  !masked.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value) && !/^\d{1,4}[-./:]/.test(value)

const trimmedEnd = (value: string): number => value.replace(/[.,;:!?)\]}]+$/, '').length || value.length

const keyBlocks = (text: string): Found[] => {
  const found: Found[] = []
  let from = 0
  for (const begin of text.matchAll(keyBlockBegin)) {
    if (begin.index < from) continue
    const bodyStart = begin.index + begin[0].length
    keyBlockBody.lastIndex = bodyStart
    const bodyEnd = bodyStart + (keyBlockBody.exec(text)?.[0].length ?? 0)
    // Near its beginning only: a search through the whole text for every beginning would not be linear.
    const close = text.slice(bodyStart, bodyStart + 20_100).search(keyBlockEnd)
    // A block that is cut off is secret as far as it goes.
    from = close < 0 ? bodyEnd : text.indexOf('-----', bodyStart + close + 5) + 5
    found.push({ start: begin.index, end: from })
  }
  return found
}

/** Where secrets stand in `text`: sorted, without overlap. Only the secret itself, not the words around it. */
export const findSecrets = (text: string): Found[] => {
  const found = text.includes('PRIVATE KEY') ? keyBlocks(text) : []
  const groupOf = (match: RegExpMatchArray, value: string): Found => {
    const start = (match.index ?? 0) + match[0].lastIndexOf(value)
    return { start, end: start + value.length }
  }
  for (const match of text.matchAll(tokenShape))
    found.push({ start: match.index, end: match.index + trimmedEnd(match[0]) })
  for (const match of text.matchAll(schemes)) {
    const value = match[1] ?? ''
    if (/\d/.test(value) || value.length >= 24) found.push(groupOf(match, value.slice(0, trimmedEnd(value))))
  }
  if (text.includes('://'))
    for (const match of text.matchAll(urlPassword)) {
      const end = match.index + match[0].length - 1
      const value = match[1] ?? ''
      if (!masked.test(value)) found.push({ start: end - value.length, end })
    }
  for (const match of text.matchAll(slackHook)) found.push(groupOf(match, match[1] ?? ''))
  for (const match of text.matchAll(passwordSaid)) {
    const quoted = match[1] ?? match[2]
    const raw = quoted ?? match[3] ?? ''
    const value = quoted ?? raw.slice(0, trimmedEnd(raw))
    const at = groupOf(match, raw)
    const spoken = !/[:=：]/.test(match[0].slice(0, match[0].length - raw.length))
    if (isPassword(value, text, at.start + value.length, quoted !== undefined, spoken))
      found.push({ start: at.start, end: at.start + value.length })
  }
  for (const match of text.matchAll(keySaid)) {
    const raw = match[1] ?? ''
    const value = raw.slice(0, trimmedEnd(raw))
    if (value.length >= 8 && isKey(value)) {
      const start = match.index + match[0].length - raw.length
      found.push({ start, end: start + value.length })
    }
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end)
  const merged: Found[] = []
  for (const span of found) {
    const last = merged.at(-1)
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end)
    else merged.push({ ...span })
  }
  return merged
}
