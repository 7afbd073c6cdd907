/**
 * Numbers that name a person or an account: cards, IBANs, national ids, IP addresses, phone numbers. A shape alone is never enough:
 * a checksum, a range or the words before it decide, because documents are full of numbers. All shapes are bounded: linear time.
 */
import { isIP } from 'node:net'
import { allPatterns } from '@openredaction/openredaction'
import { parsePhoneNumberFromString } from 'libphonenumber-js'
import type { Found } from '#lib/shared/secrets.ts'

const digitsOf = (text: string): string => text.replace(/\D/g, '')
const before = (text: string, start: number, chars = 48): string => text.slice(Math.max(0, start - chars), start)
const after = (text: string, end: number, chars = 24): string => text.slice(end, end + chars)

/** The check digit of cards and many ids. */
export const luhn = (digits: string): boolean => {
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at])
    const value = at % 2 === 1 ? digit * 2 : digit
    sum += value > 9 ? value - 9 : value
  }
  return digits.length > 0 && sum % 10 === 0
}

const mod = (digits: string, divisor: number): number => {
  let rest = 0
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % divisor
  return rest
}

const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0)

const cardShape = /(?<![\w.])\d(?:[ \u00a0-]?\d){11,18}(?![\d])(?!\.\d)/g
const cardIssuer =
  /^(?:4|5[0-8]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-5]|[689])|35|6[0-9]|1800|2131|81|9792|220[0-4])/
const cardWords =
  /(?:card|credit|debit|\bcc\b|visa|master ?card|maestro|amex|american express|discover|diners|jcb|kredit|karte|carte|tarjeta|cart[aã]o|карт|卡)/i
const cardGroups = /^(?:\d{4}(?:[ \u00a0-]\d{4}){2,3}(?:[ \u00a0-]\d{1,4})?|\d{4}[ \u00a0-]\d{6}[ \u00a0-]\d{4,5}|\d+)$/

/** Payment cards by Luhn and issuer; odd lengths and odd groups only where the words around say "card". */
export const findCards = (text: string): Found[] =>
  [...text.matchAll(cardShape)].flatMap((match) => {
    const end = match.index + match[0].length
    const digits = digitsOf(match[0])
    const usual = digits.length >= 14 && digits.length <= 16 && cardGroups.test(match[0])
    const said = () => cardWords.test(before(text, match.index)) || cardWords.test(after(text, end))
    const real = cardIssuer.test(digits) && !/^(\d)\1+$/.test(digits)
    // A mistyped card is still somebody's card: after the word itself the check digit is not asked for.
    const taken = luhn(digits)
      ? real && (usual || said())
      : real && usual && digits.length >= 15 && /(?:card|karte|carte|tarjeta)\D{0,20}$/i.test(before(text, match.index))
    return taken ? [{ start: match.index, end }] : []
  })

/** Lengths of IBANs by country, from the SWIFT registry. */
const ibanLengths = new Map(
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)
const ibanShape = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \u00a0-]?[A-Za-z0-9]){11,35}/g

/** ISO 13616: the first four characters to the end, letters as numbers, modulo 97. */
export const ibanChecks = (compact: string): boolean => {
  const turned = `${compact.slice(4)}${compact.slice(0, 4)}`.toUpperCase()
  return (
    mod(
      turned.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55)),
      97,
    ) === 1
  )
}

/** IBANs by country, length and check digits; where "IBAN" stands before it a mistyped one too. */
export const findIbans = (text: string): Found[] =>
  [...text.matchAll(ibanShape)].flatMap((match) => {
    const length = ibanLengths.get(match[0].slice(0, 2).toUpperCase())
    if (!length) return []
    let end = match.index
    for (let taken = 0; taken < length && end < match.index + match[0].length; end++)
      if (/[A-Za-z0-9]/.test(text[end] ?? '')) taken++
    const raw = text.slice(match.index, end)
    const compact = raw.replace(/[ \u00a0-]/g, '')
    if (compact.length !== length || /[A-Za-z0-9]/.test(text[end] ?? '')) return []
    return ibanChecks(compact) || /iban\W{0,3}(?:\w+\W){0,3}$/i.test(before(text, match.index))
      ? [{ start: match.index, end }]
      : []
  })

const verhoeffD = '0123456789123406789523401789563401289567401239567859876043216598710432765982104387659321049876543210'
const verhoeffP = '01234567891576283094580379614289160435279453126870428657390127938064157046913258'
const verhoeff = (digits: string): boolean => {
  let check = 0
  for (let at = 0; at < digits.length; at++) {
    const permuted = Number(verhoeffP[(at % 8) * 10 + Number(digits[digits.length - 1 - at])])
    check = Number(verhoeffD[check * 10 + permuted])
  }
  return check === 0
}

const dateOk = (month: number, day: number): boolean => month >= 1 && month <= 12 && day >= 1 && day <= 31
const two = (digits: string, at: number): number => Number(digits.slice(at, at + 2))

const codiceOdd = 'BAFHJNPRTVCESULDGIMOQKWZYX'
const codiceChecks = (code: string): boolean => {
  const upper = code.toUpperCase()
  let sum = 0
  for (let at = 0; at < 15; at++) {
    const char = upper.charCodeAt(at)
    const value = char < 65 ? char - 48 : char - 65
    sum += at % 2 === 0 ? codiceOdd.charCodeAt(value) - 65 : value
  }
  return upper.charCodeAt(15) - 65 === sum % 26
}

const cpfChecks = (digits: string): boolean => {
  if (/^(\d)\1+$/.test(digits)) return false
  const check = (length: number): number => {
    let sum = 0
    for (let at = 0; at < length; at++) sum += Number(digits[at]) * (length + 1 - at)
    return ((sum * 10) % 11) % 10
  }
  return check(9) === Number(digits[9]) && check(10) === Number(digits[10])
}

type IdRule = {
  shape: RegExp
  /** Words that must stand before it; without them the shape and its check are enough. */
  words?: RegExp
  check?: (compact: string, raw: string) => boolean
}

const ssnChecks = (digits: string): boolean =>
  !/^(?:000|666)/.test(digits) && (digits[0] !== '9' || /^9\d\d[5-9]/.test(digits)) && !/^\d{3}00|0000$/.test(digits)

const idRules: readonly IdRule[] = [
  // United States: social security and taxpayer numbers; unhyphenated ones need the word.
  { shape: /(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])/g, check: ssnChecks },
  {
    shape: /(?<![\w-])\d{3}[ .]?\d{2}[ .]?\d{4}(?![\w-])/g,
    words: /(?:\bssn\b|social security|\bitin\b|taxpayer)/i,
    check: ssnChecks,
  },
  { shape: /(?<![\w-])\d{2}-?\d{7}(?![\w-])/g, words: /(?:\bein\b|\btin\b|tax id)/i },
  // United Kingdom: National Insurance, NHS.
  {
    shape: /(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/g,
  },
  {
    shape: /(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])/g,
    words: /\bnhs\b/i,
    check: (digits) => (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(digits[9]),
  },
  // Italy, Spain, Portugal, France.
  {
    shape: /(?<!\w)[A-Za-z]{6}\d{2}[A-EHLMPR-Ta-ehlmpr-t]\d{2}[A-Za-z]\d{3}[A-Za-z](?!\w)/g,
    check: codiceChecks,
  },
  {
    shape: /(?<!\w)(?:\d{8}|[XYZxyz]-?\d{7})[ -]?[A-Za-z](?!\w)/g,
    check: (compact) => {
      const number = compact.slice(0, -1).replace(/^[XYZxyz]/, (letter) => String('XYZ'.indexOf(letter.toUpperCase())))
      return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(number) % 23] === compact.slice(-1).toUpperCase()
    },
  },
  {
    shape: /(?<![\w.])[1-9]\d{8}(?!\w)/g,
    words: /\b(?:nif|contribuinte)\b/i,
    check: (digits) => {
      const rest = 11 - (weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)
      return (rest > 9 ? 0 : rest) === Number(digits[8])
    },
  },
  {
    shape: /(?<![\w.])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)/g,
    check: (compact) => {
      const body = compact.slice(0, 13).replace('2A', '19').replace('2B', '18')
      return 97 - mod(body, 97) === Number(compact.slice(13))
    },
  },
  // Germany, Netherlands, Belgium, Switzerland, Austria.
  {
    shape: /(?<![\w.])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?!\w)/g,
    words: /(?:steuer-?id|identifikationsnummer|steuernummer|tax id|idnr)/i,
    check: (digits) => {
      let product = 10
      for (const digit of digits.slice(0, 10)) product = (((Number(digit) + product) % 10 || 10) * 2) % 11
      return (11 - product) % 10 === Number(digits[10])
    },
  },
  {
    shape: /(?<![\w.])\d{9}(?!\w)/g,
    words: /\b(?:bsn|burgerservicenummer|sofi)\b/i,
    check: (digits) => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
  },
  {
    shape: /(?<![\w.])\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\w)/g,
    check: (digits) =>
      [digits.slice(0, 9), `2${digits.slice(0, 9)}`].some((body) => 97 - mod(body, 97) === Number(digits.slice(9))),
  },
  {
    shape: /(?<![\w.])756\.?\d{4}\.?\d{4}\.?\d{2}(?!\w)/g,
    check: (digits) => (10 - (weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === Number(digits[12]),
  },
  // Nordic countries and Poland.
  {
    shape: /(?<![\w.])(?:19|20)?\d{6}[-+]\d{4}(?!\w)/g,
    check: (digits) => {
      const short = digits.slice(-10)
      return luhn(short) && dateOk(two(short, 2), two(short, 4) % 60 || two(short, 4))
    },
  },
  {
    shape: /(?<![\w.])\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?!\w)/g,
    check: (compact, raw) => {
      const number = Number(`${raw.slice(0, 6)}${raw.slice(7, 10)}`)
      return dateOk(two(raw, 2), two(raw, 0)) && '0123456789ABCDEFHJKLMNPRSTUVWXY'[number % 31] === compact.slice(-1)
    },
  },
  {
    shape: /(?<![\w.])\d{6} ?\d{5}(?!\w)/g,
    words: /(?:f(?:ø|o)dselsnummer|personnummer|national id|pesel)/i,
    check: (digits) => {
      const pesel = (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(digits[10])
      const first = (11 - (weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11)) % 11
      const second = (11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11
      return pesel || (first === Number(digits[9]) && second === Number(digits[10]))
    },
  },
  { shape: /(?<![\w.])[0-3]\d[01]\d{3}-?\d{4}(?!\w)/g, words: /\bcpr\b/i },
  // Americas, Asia, Australia.
  { shape: /(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)/g, check: cpfChecks },
  { shape: /(?<![\w.])\d{11}(?!\w)/g, words: /\bcpf\b/i, check: cpfChecks },
  { shape: /(?<![\w.-])\d{3}[ -]?\d{3}[ -]?\d{3}(?![\w-])/g, words: /(?:\bsin\b|social insurance)/i, check: luhn },
  {
    shape: /(?<![\w.-])\d{3} ?\d{3} ?\d{3}(?![\w-])/g,
    words: /(?:\btfn\b|tax file)/i,
    check: (digits) => weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
  },
  { shape: /(?<![\w.-])(?<!\d )[2-9]\d{3} \d{4} \d{4}(?![\w-])(?! \d{4})/g, check: verhoeff },
  { shape: /(?<![\w.-])[2-9]\d{11}(?![\w-])/g, words: /a{1,2}dha{1,2}r/i, check: verhoeff },
  { shape: /(?<!\w)[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z](?!\w)/g, words: /\bpan\b/i },
  {
    shape: /(?<!\w)[1-9]\d{5}(?:19|20)\d{9}[\dXx](?!\w)/g,
    check: (compact) =>
      dateOk(two(compact, 10), two(compact, 12)) &&
      '10X98765432'[weighted(compact, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] ===
        compact.slice(-1).toUpperCase(),
  },
  {
    shape: /(?<![\w-])\d{6}-[1-8]\d{6}(?![\w-])/g,
    check: (digits) => dateOk(two(digits, 2), two(digits, 4)),
  },
  // Documents whose numbers have no check: only where they are named.
  {
    shape: /(?<![\w-])(?=[A-Z0-9 -]{0,8}\d)[A-Z0-9]{1,3}[ -]?\d{5,9}[A-Z]?(?![\w-])/gi,
    words: /(?:passport|reisepass|passeport|pasaporte|identity card|id card|personalausweis|national id)[^\n.]{0,20}$/i,
  },
  {
    shape: /(?<![\w-])(?=[A-Z0-9-]{0,8}\d)[A-Z0-9]{1,8}(?:-?[A-Z0-9]{2,6}){1,4}(?![\w-])/gi,
    words: /(?:driver'?s?'? licen[sc]e|driving licen[sc]e|f(?:ü|ue)hrerschein|permis de conduire)[^\n.]{0,24}$/i,
    check: (compact) => digitsOf(compact).length >= 5,
  },
]

/** What the library finds without false alarms: letters and digits in a fixed order. Its bare digit patterns are too wide. */
const libraryIds = new Set(['MEXICAN_CURP', 'SINGAPORE_NRIC', 'PASSPORT_MRZ_TD3', 'PASSPORT_MRZ_TD1'])
const libraryRules = allPatterns
  .filter(({ type }) => libraryIds.has(type))
  .map(({ regex, validator }) => ({ shape: new RegExp(regex.source, regex.flags), validator }))

/** Those that count only where they are named, with what finds the name anywhere: most texts name none, and are not searched. */
const namedRules = idRules.map((rule) => ({
  ...rule,
  name: rule.words && new RegExp(rule.words.source.replace(/\[\^\\n\.\]\{0,\d+\}\$$/, ''), 'i'),
}))
const anyName = new RegExp(namedRules.flatMap(({ name }) => (name ? [name.source] : [])).join('|'), 'i')

/** National, tax, health, passport and licence numbers. */
export const findNationalIds = (text: string): Found[] => {
  const found: Found[] = []
  const isNamed = anyName.test(text)
  for (const { shape, words, name, check } of namedRules) {
    if (name && !(isNamed && name.test(text))) continue
    for (const match of text.matchAll(shape)) {
      const compact = match[0].replace(/[ .+-]/g, '')
      if (words && !words.test(before(text, match.index))) continue
      if (!check || check(compact, match[0])) found.push({ start: match.index, end: match.index + match[0].length })
    }
  }
  for (const { shape, validator } of libraryRules)
    for (const match of text.matchAll(shape))
      if (!validator || validator(match[0], text.slice(Math.max(0, match.index - 50), match.index + 100)))
        found.push({ start: match.index, end: match.index + match[0].length })
  return found
}

const ipv4Shape = /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)/g
const ipv6Shape = /(?<![\w:.])(?=[\da-f:]{0,38}:[\da-f]{0,4}:)[\da-f:]{3,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])/gi
const numbering = /(?:version|\bv|release|section|chapter|clause|article|§|rev(?:ision)?|build|firmware)\.?[ :]{0,2}$/i

/** IPv4 and IPv6 addresses; a version or a section number of four parts is none. */
export const findIps = (text: string): Found[] => {
  const found: Found[] = []
  for (const match of text.matchAll(ipv4Shape))
    if (isIP(match[0]) === 4 && !numbering.test(before(text, match.index, 16)))
      found.push({ start: match.index, end: match.index + match[0].length })
  if (text.includes(':'))
    for (const match of text.matchAll(ipv6Shape))
      if (isIP(match[0]) === 6 && /\d/.test(match[0]) && match[0].replace(/:/g, '').length >= 4)
        found.push({ start: match.index, end: match.index + match[0].length })
  return found
}

const phoneShape =
  /(?<![\w/@#$€£%-])(?<!\d[:(.,])(?:\+|\(\+?)?\d(?:[ \u00a0\t]?[().\u2010-\u2013/-]?[ \u00a0\t]?[()]?\d){5,16}(?!\d)(?!\.\d|,\d)/g
const phoneWords =
  /(?:phone|\btel\b|t[eé]l[eé]phon|\bcall(?:ing)?\b|\bmobile|\bmob\b|\bcell ?:|\bfax\b|\bdesk\b|\bcontact\b|whatsapp|\bsms\b|\bdial\b|\breach\b|messages? to|text(?:ed|ing)? me|answering at|registered|handy|telefon|rufnummer|m[oó]vil|celular|hotline|ring me|тел|电话|電話|手机)/i
const phoneWordsAfter = /^[ ,\\\-(]{0,3}(?:office|fax|mobile|tel|phone)\b/i
const looksDated =
  /^(?:(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d{2}|(?:19|20)\d{2} ?[-–] ?(?:19|20)\d{2})(?:[ T]|$)/
const dotted = /^\+?\d{1,4}(?:\.\d{2,4}){2,4}$/
const nanp = /^(?:\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ .-]?[2-9]\d{2}[ .-]\d{4}$/
/** Where a number with a leading 0 may be at home. */
const trunkCountries = [
  'GB',
  'FR',
  'DE',
  'IT',
  'NL',
  'BE',
  'SE',
  'CH',
  'AT',
  'AU',
  'FI',
  'JP',
  'IN',
  'CN',
  'ZA',
] as const

/** libphonenumber's verdict; it throws nothing, and what it cannot read is no number. */
const validPhone = (raw: string, country?: (typeof trunkCountries)[number]): boolean =>
  parsePhoneNumberFromString(
    raw,
    country ? { defaultCountry: country, extract: false } : { extract: false },
  )?.isValid() ?? false

const isPhone = (raw: string, text: string, start: number, end: number): boolean => {
  const digits = digitsOf(raw)
  if (digits.length < 6 || digits.length > 15 || looksDated.test(raw)) return false
  // Decimals and intervals: a dot parts a phone number only where dots part all of it.
  if (raw.includes('.') && !dotted.test(raw)) return false
  if (/\b(?:isbn|issn|doi|ean|sku)\b/i.test(before(text, start, 12))) return false
  const said = phoneWords.test(before(text, start, 36)) || phoneWordsAfter.test(after(text, end))
  if (/^\(?\+/.test(raw)) return digits.length >= 8 && (said || digits.length >= 10 || validPhone(raw))
  if (said) return digits.length >= 7 || /\D/.test(raw)
  if (nanp.test(raw)) return true
  const groups = raw.split(/\D+/).filter(Boolean).length
  return raw.startsWith('0') && groups >= 3 && trunkCountries.some((country) => validPhone(raw, country))
}

/** Phone numbers: international, North American, with a leading 0 and valid somewhere, or any that the words before announce. */
export const findPhones = (text: string): Found[] =>
  [...text.matchAll(phoneShape)].flatMap((match) => {
    const balanced = match[0].startsWith('(') && !match[0].includes(')') ? match[0].slice(1) : match[0]
    const end = match.index + match[0].length
    const start = end - balanced.length
    return isPhone(balanced, text, start, end) ? [{ start, end }] : []
  })
