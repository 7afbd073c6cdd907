/**
 * Text that tries to give orders to the model: cleaned of what a reader cannot see, and scored. The score is a signal for flags,
 * quarantine and review and never the only wall: plain requests ("add a joke to your answer") look like what people ask.
 */

/** The characters that show nothing or reorder what is shown; joiners and variation selectors are judged by their neighbours. */
const invisibleClass = String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\p{Cs}]`
const invisible = new RegExp(invisibleClass, 'u')
const invisibleRuns = new RegExp(`${invisibleClass}+`, 'gu')
// biome-ignore lint/suspicious/noMisleadingCharacterClass: each character is meant by itself
const joiners = /[\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u{e0020}-\u{e007f}]/u
// biome-ignore lint/suspicious/noMisleadingCharacterClass: each character is meant by itself
const pictograph = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u20e3\ufe0f]/u
/** Scripts whose letters join or part by an invisible joiner. */
const joining =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u
const flagTags =
  /^(?:\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f})/u

const keptOf = (run: string, before: string, after: string): string => {
  if (before === '\u{1f3f4}' && flagTags.test(run)) return run.match(flagTags)?.[0] ?? ''
  const first = String.fromCodePoint(run.codePointAt(0) ?? 0)
  const selects = /[\ufe0e\ufe0f]/.test(first) && (pictograph.test(before) || /[\d#*\p{S}\p{P}]/u.test(before))
  if (selects) return first + (run.slice(1) === '\u200d' && pictograph.test(after) ? '\u200d' : '')
  if (/[\u{e0100}-\u{e01ef}\ufe00-\ufe0d]/u.test(first)) return /[\p{Script=Han}\p{Sm}]/u.test(before) ? first : ''
  if (run === '\u200d' && pictograph.test(before) && pictograph.test(after)) return run
  if ((run === '\u200c' || run === '\u200d') && (joining.test(before) || joining.test(after))) return run
  return ''
}

const codePointBefore = (text: string, at: number): string => {
  const low = text.charCodeAt(at - 1)
  return low >= 0xdc00 && low <= 0xdfff ? text.slice(at - 2, at) : text.slice(at - 1, at)
}

/**
 * Untrusted text without what is invisible in it: control, tag, zero-width and direction characters. Visible words stay as they
 * are, and so do emoji and the joiners that scripts need. For text that goes into a prompt.
 */
export const cleanUntrusted = (text: string): string => {
  if (!invisible.test(text)) return text
  return text.replace(invisibleRuns, (run, at: number) => {
    if (!joiners.test(run)) return ''
    const end = at + run.length
    const next = text.codePointAt(end)
    return keptOf(run, codePointBefore(text, at), next === undefined ? '' : String.fromCodePoint(next))
  })
}

/** Letters that look like Latin ones; NFKC knows full-width and mathematical letters, these it does not. */
const lookAlikes = new Map<string, string>()
for (const [latin, others] of Object.entries({
  a: 'аαɑᴀ',
  b: 'ЬвʙВΒ',
  c: 'сϲᴄС',
  d: 'ԁɗᴅ',
  e: 'еεҽєᴇЕΕ',
  f: 'ſƒꜰ',
  g: 'ɡɢ',
  h: 'һнʜНΗ',
  i: 'іιɪıІΙ',
  j: 'јʝᴊЈ',
  k: 'кκᴋКΚ',
  l: 'ӏʟⅼ',
  m: 'мᴍМΜ',
  n: 'ոпɴηΝ',
  o: 'оοօσᴏОΟ',
  p: 'рρᴘРΡ',
  q: 'ԛ',
  r: 'гʀᴦ',
  s: 'ѕꜱЅ',
  t: 'тτᴛТΤ',
  u: 'υսᴜ',
  v: 'νѵᴠ',
  w: 'ԝωᴡ',
  x: 'хχХΧ',
  y: 'уγүʏУΥ',
  z: 'ᴢΖ',
}))
  for (const other of others) lookAlikes.set(other, latin)
const foreignLook = /[\u0370-\u058f]/
const wordWithForeign = /\p{L}{0,20}[\u0370-\u058f]\p{L}{0,20}/gu

/** Words of Latin letters with look-alikes among them. A Greek letter at an end is science (TNF\u03b1), not disguise. */
const disguised = (text: string): number =>
  text.match(wordWithForeign)?.filter((word) => {
    const core = word.replace(/^\p{Script=Greek}+|\p{Script=Greek}+$/gu, '')
    return /[a-z]/i.test(core) && [...core].some((letter) => lookAlikes.has(letter) && foreignLook.test(letter))
  }).length ?? 0

/** Digits and signs that stand for letters; only inside words, where a number would not be. */
const leet: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}
const leetWord = /(?<![\w@$!])(?:[A-Za-z]{1,20}[013457@$!]|[013457@$][A-Za-z])[\w@$!]{1,20}/g

const spaced = /(?<![A-Za-z0-9])(?:[A-Za-z][ ._*|\u00b7-]{1,2}){5,80}[A-Za-z](?![A-Za-z0-9])/g

const readable = (text: string): boolean => {
  if (text.length < 8) return false
  const plain = text.match(/[\p{L}\p{N}\s.,:;!?'"()/-]/gu)?.length ?? 0
  return plain / text.length > 0.9 && /\p{L}{3}/u.test(text) && !text.includes('\ufffd')
}

const utf8 = new TextDecoder('utf-8')
const fromHex = (hex: string): string =>
  utf8.decode(Uint8Array.from(hex.match(/[\da-f]{2}/gi) ?? [], (byte) => Number.parseInt(byte, 16)))

const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base)
  })

/** Ways to write text so that a filter does not read it and a model does. Runs are bounded, so the time is linear. */
const encodings: readonly { name: string; hint: RegExp; shape: RegExp; decode: (run: string) => string }[] = [
  {
    name: 'base64',
    hint: /[A-Za-z0-9+/_-]{20}/,
    shape: /(?<![\w+/-])[A-Za-z0-9+/_-]{20,8000}={0,2}/g,
    decode: (run) => utf8.decode(Buffer.from(run, 'base64')),
  },
  {
    name: 'hexadecimal',
    hint: /(?:[\da-f]{2}[ :]?){10}|(?:\\x[\da-f]{2}){4}/i,
    shape: /(?<![\da-z])(?:(?:\\x|0x)?[\da-f]{2}[ :,]{0,2}){10,4000}(?![\da-z])/gi,
    decode: (run) => fromHex(run.replace(/\\x|0x|[^\da-f]/gi, '')),
  },
  {
    name: 'URL encoding',
    hint: /%[\da-f]{2}/i,
    shape: /(?:[\w.-]{0,40}%[\da-f]{2}){4,2000}[\w.-]{0,40}/gi,
    decode: (run) =>
      utf8.decode(
        Buffer.from(
          run.replace(/%([\da-f]{2})|[^%]/gi, (all, hex) => hex ?? Buffer.from(all).toString('hex')),
          'hex',
        ),
      ),
  },
  {
    name: 'character references',
    hint: /&#x?[\da-f]{2}|\\u[\da-f]{4}/i,
    shape: /(?:(?:&#(?:\d{2,6}|x[\da-f]{2,5});|\\u[\da-f]{4})[\w ]{0,8}){4,2000}/gi,
    decode: (run) =>
      run.replace(/&#x([\da-f]{2,5});|&#(\d{2,6});|\\u([\da-f]{4})/gi, (_, hex, decimal, point) => {
        const code = decimal ? Number(decimal) : Number.parseInt(hex ?? point, 16)
        return code <= 0x10ffff ? String.fromCodePoint(code) : ''
      }),
  },
  {
    name: 'rot13',
    // "ignore", "instructions", "prompt", "system", "previous", "disregard", "reveal" in rot13.
    hint: /vtaber|vafgehpgvba|cebzcg|flfgrz|cerivbhf|qvfertneq|erirny/i,
    shape: /[\s\S]{1,8000}/g,
    decode: rot13,
  },
]

export type NormalisedText = {
  /** As a person would read it, in small Latin letters where letters look like them. For scoring, never for showing. */
  text: string
  /** What was written so that it does not read: decoded payloads and text in invisible characters. */
  decoded: string[]
  /** What was done to hide something, in words. */
  signals: string[]
}

const hiddenText = (text: string): string => {
  let found = ''
  for (const run of text.match(/[\u{e0020}-\u{e007e}]{4,4000}/gu) ?? [])
    found += ` ${[...run].map((tag) => String.fromCharCode((tag.codePointAt(0) ?? 0) - 0xe0000)).join('')}`
  // Bytes as variation selectors: a whole text behind one emoji.
  for (const run of text.match(/[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{4,4000}/gu) ?? [])
    found += ` ${utf8.decode(
      Uint8Array.from([...run], (selector) => {
        const code = selector.codePointAt(0) ?? 0
        return code < 0xff00 ? code - 0xfe00 : code - 0xe0100 + 16
      }),
    )}`
  return found.trim()
}

/** What a text says to a reader who is not fooled: for scoring only. */
export const normaliseText = (raw: string): NormalisedText => {
  const signals: string[] = []
  const decoded: string[] = []
  let text = raw
  // Most texts are plain ASCII, and none of this is in them.
  if (invisible.test(raw) || /[\u0080-\uffff]/.test(raw)) {
    const hidden = hiddenText(raw)
    if (hidden) {
      decoded.push(hidden)
      signals.push('text in invisible characters')
    }
    text = cleanUntrusted(raw)
    const zeroWidth = raw.match(/[a-z](?:\u200b|\u200d|\u2060|\ufeff)(?=[a-z])/gi)?.length ?? 0
    if (/[\u202d\u202e]/.test(raw) || zeroWidth >= 3) signals.push('invisible characters inside words')
    text = text.normalize('NFKC')
    if (foreignLook.test(text) && disguised(text) >= 2) signals.push('look-alike letters')
    text = text
      .normalize('NFD')
      .replace(/\p{Mn}+/gu, '')
      .normalize('NFC')
    text = text.replace(/[\u0080-\u{1ffff}]/gu, (letter) => lookAlikes.get(letter) ?? letter)
  }
  if (spaced.test(text)) {
    spaced.lastIndex = 0
    let letters = 0
    // Two separators part words where one parts letters; without that, the words run together and are found so.
    text = text.replace(spaced, (run) => {
      letters += run.length
      return run
        .replace(/[ ._*|\u00b7-]{2}/g, '\n')
        .replace(/[ ._*|\u00b7-]/g, '')
        .replace(/\n/g, ' ')
    })
    if (letters >= 16) signals.push('spaced letters')
  }
  spaced.lastIndex = 0
  for (const { name, hint, shape, decode } of encodings) {
    if (!hint.test(text)) continue
    const runs = (text.match(shape) ?? []).map(decode).filter(readable)
    if (runs.length === 0) continue
    decoded.push(...runs)
    signals.push(`text in ${name}`)
  }
  if (/[A-Za-z][013457@$!][A-Za-z]|[013457@$][a-z]{2}/.test(text))
    text = text.replace(leetWord, (word) =>
      /\d{3}/.test(word) ? word : word.replace(/[013457@$!]/g, (sign) => leet[sign] ?? sign),
    )
  return { text: text.toLowerCase(), decoded, signals }
}

type Rule = { signal: string; weight: number; shape: RegExp; needs: readonly string[] }

const orders =
  '(?:instruction|direction|prompt|rule|guideline|command|order|programming|training|polic|restriction|directive|constraint|configuration|limitation|context|message|filter|safeguard)'
const gap = (most: number): string => `(?:[^.!?\\n]{0,${most}}?)`

/**
 * What orders to a model look like, in small letters. A rule is tried only on texts that have one of its words: most have none.
 * Weights add up as chances of independent signs do.
 */
const rules: readonly Rule[] = [
  {
    signal: 'asks to ignore instructions',
    weight: 0.75,
    needs: ['ignor', 'disregard', 'forget', 'overrid', 'bypass', 'overwrite', 'discard', 'neglect'],
    shape: new RegExp(
      `\\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|overwrite|discard|neglect)\\b ?(?:about |to follow )?(?:everything|anything|(?:(?:all|any|every|the|these|those|your|of|my|its|previous|prior|above|earlier|preceding|past|former|existing|initial|original|system|safety|openai'?s?|content|ethical) ?){1,6})${gap(24)}${orders}`,
    ),
  },
  {
    signal: 'asks to ignore what came before',
    weight: 0.65,
    needs: ['ignor', 'disregard', 'forget'],
    shape:
      /\b(?:ignore|disregard|forget) (?:all |any |everything |anything |what |of )*(?:that |which |was |is |i |you |were |have |been |said |told |the |text |written )*(?:above|before|previous(?:ly)?|prior|earlier)\b/,
  },
  {
    signal: 'asks to ignore instructions, in another language',
    weight: 0.75,
    needs: [
      'ignor',
      'vergiss',
      'missacht',
      'oublie',
      'olvida',
      'esque',
      'dimentica',
      'negeer',
      '忽略',
      '忽视',
      '无视',
      '無視',
      'игнор',
      'игнop',
      'игho',
      'забудь',
      'забyдь',
    ],
    shape:
      /(?:ignor(?:ier|iere|ieren|ez|a|e|ad|ar|are)|vergiss|missachte|oublie[zr]?|olvida|esque[cç]a|dimentica|negeer)\b[^.!?\n]{0,30}(?:anweisung|instruc+ion|istruzion|instruco|instru[cç]|regeln|regle|reglas|regras|instructies|consignes|vorherig|anterior|precedent)|(?:忽略|忽视|无视|無視)[^。！？\n]{0,12}(?:指令|指示|提示|说明|規則|规则)|(?:игнop|игнор|забудь)[^.!?\n]{0,30}(?:инструкц|указан|правил)/u,
  },
  {
    signal: 'asks for the hidden instructions',
    weight: 0.7,
    needs: ['prompt', 'instruct', 'initial', 'configuration', 'system message', 'initialization'],
    shape:
      /\b(?:show|reveal|print|repeat|output|display|leak|expose|dump|recite|tell|give|return|write|share|encode|translate|summari[sz]e|paraphrase|what(?:'s| is| are| were)|see)\b[^.!?\n]{0,60}\b(?:system[ _-]?prompt|system (?:message|instructions?|configuration)|(?:initial|original|hidden|secret|starting|internal|your|developer|pre-?) ?(?:system )?(?:prompts?|instructions|configuration)|initiali[sz]ation string|instructions you (?:were|have been) given|instructions? (?:above|verbatim))/,
  },
  {
    signal: 'names the system prompt',
    weight: 0.5,
    needs: ['system prompt', 'systemprompt', 'system_prompt', 'system instructions', 'system message'],
    shape:
      /\b(?:(?:your|the) )?system[ _]?(?:prompt|message|instructions)(?: is\b|:|\)|>)|[<(]\/?system_?prompt|\byour (?:system )?(?:system prompt|system instructions|system message)/,
  },
  {
    signal: 'asks to repeat the text before',
    weight: 0.6,
    needs: ['above', 'word for word', 'verbatim', 'given initially', 'before this conversation', 'beginning of this'],
    shape:
      /\b(?:repeat|output|print|copy|write|return|encode|show)\b[^.!?\n]{0,50}\b(?:(?:the )?(?:text|words|everything|content|lines?)[^.!?\n]{0,12} above|above text|(?:entire|whole|this) conversation|you (?:were|was) given (?:initially|at the (?:start|beginning)))|\byou (?:were|was) (?:told|given|instructed)\b[^.!?\n]{0,24}\b(?:before this conversation|at the beginning|initially)/,
  },
  {
    signal: 'makes the model continue its instructions',
    weight: 0.55,
    needs: ['i was instructed', 'my instructions', 'not supposed to', 'your instructions', 'those instructions'],
    shape:
      /\b(?:start|begin|complete|continue)\b[^\n]{0,50}\b(?:i was instructed|my instructions)|\bwhat (?:are|were) (?:you not (?:supposed|allowed) to (?:tell|say|reveal)|(?:your|those) (?:initial |previous |original )?instructions)/,
  },
  {
    signal: 'claims a special mode or authority',
    weight: 0.6,
    needs: ['mode', 'override', 'sudo', 'unlocked'],
    shape:
      /\b(?:developer|debug|maintenance|god|admin(?:istrator)?|root|sudo|jailbreak|dan|unrestricted|unfiltered|opposite|evil|chaos|do anything|no-?limits?|illegality|sigma|omega|dude|aim|stan|kernel)[ -]?mode\b|\b(?:admin(?:istrator)?|system|developer|security) override\b/,
  },
  {
    signal: 'gives the model another role',
    weight: 0.3,
    needs: [
      'you are',
      "you're",
      'act as',
      'pretend',
      'roleplay',
      'role play',
      'role-play',
      'act like',
      'play the role',
      'simulat',
      'take on the',
      'persona',
      'character',
      'respond as',
      'impersonate',
      'you will be',
      'you will act',
      'become',
    ],
    shape:
      /\b(?:you are (?:now|going to (?:be|act|pretend|play)|no longer|about to)|you will (?:now )?(?:be |act |play |pretend |become |respond as|simulate|take on)|from now on,? (?:you|act|respond)|i want you to (?:act|pretend|play|become|simulate|roleplay|respond)|pretend (?:that )?(?:you|to be)|act (?:as|like) (?:a|an|the|if|my|though)|(?:immerse|put) yourself in(?:to)? (?:the|a) (?:role|character)|(?:role-?play|respond|reply|speak|answer) as\b|take on the (?:role|persona)|(?:stay|remain|be) in character|break(?:ing)? character|let'?s (?:role-?play|play a game)|simulate (?:a|an|the))/,
  },
  {
    signal: 'lifts rules and limits',
    weight: 0.35,
    needs: [
      'restrict',
      'limit',
      'filter',
      'uncensor',
      'unethical',
      'amoral',
      'immoral',
      'moral',
      'ethic',
      'censor',
      'boundar',
      'guideline',
      'polic',
      'illegal',
      'legal',
      'rules',
      'guardrail',
    ],
    shape:
      /\b(?:without|no|free (?:from|of)|not (?:bound|limited|restricted|constrained|confined) (?:by|to)|(?:doesn'?t|don'?t|does not|do not|never|not|isn'?t|aren'?t) (?:have|has|care|follow|obey|adhere|abide|respect|subject|hold|need)[^.!?\n]{0,24}?|devoid of|lacks?|zero|bypass(?:es|ing)?|ignor(?:es?|ing)|unhindered by|break(?:s|ing)?|outside of|regardless of|remove[sd]?|disables?)\b[^.!?\n]{0,30}\b(?:restrictions?|limit(?:ation)?s?|filters?|censorship|ethic(?:s|al)|moral(?:s|ity)?|guidelines?|content polic(?:y|ies)|policies|boundaries|legality|guardrails?|rules)\b/,
  },
  {
    signal: 'wants an AI without morals',
    weight: 0.55,
    needs: [
      'unfilter',
      'uncensor',
      'unrestrict',
      'unethical',
      'amoral',
      'immoral',
      'unbound',
      'unmoderat',
      'unconstrain',
    ],
    shape:
      /\b(?:unfiltered|uncensored|unrestricted|amoral|unethical|immoral|unbound|unmoderated|unconstrained)\b[^.!?\n]{0,50}\b(?:ai|assistant|chat ?bot|bot|language model|persona|gpt|villain|demon|advice|no matter)\b|\b(?:ai|assistant|chat ?bot|bot|language model|persona|gpt|demon|completely|totally|always) [^.!?\n]{0,24}\b(?:unfiltered|uncensored|unrestricted|amoral|unethical|immoral)\b(?! to\b)/,
  },
  {
    signal: 'forbids refusing',
    weight: 0.45,
    needs: [
      'refus',
      "can't",
      'cannot',
      'sorry',
      'apolog',
      'warning',
      'disclaimer',
      'as an ai',
      'decline',
      'reject',
      'not able to',
      'unable',
      'against',
    ],
    shape:
      /\b(?:never|don'?t|do not|not|cannot|can'?t|won'?t|without|no|avoid|must not|shouldn'?t)\b[^.!?\n]{0,40}\b(?:refus(?:es?|ing)\b|reject(?:s|ing)?\b|say(?:ing)?[^.!?\n]{0,10}(?:sorry|can'?t|cannot|no\b)|apologi[sz]e|i'?m sorry|warnings?\b[^.!?\n]{0,20}|disclaimers?|as an ai\b|remind(?:ing)? me|mention(?:ing)?[^.!?\n]{0,16}(?:polic|ethic|guideline|openai|illegal))|\b(?:never|nothing) (?:is )?(?:refuses?|refused|against|denied)\b|\bi'?m sorry,? (?:but )?i (?:can'?t|cannot)/,
  },
  {
    signal: 'forbids the words of a refusal',
    weight: 0.5,
    needs: [
      'sorry',
      'as an ai',
      'apologi',
      'i cannot',
      "i can't",
      'ethic',
      'openai',
      'refuse any',
      'refuses any',
      'refuse to answer',
      'refuse a',
    ],
    shape:
      /\b(?:never|don'?t|do not|cannot|can'?t|won'?t|without|avoid|must not|not)\b[^.!?\n]{0,40}(?:\b(?:say|use|respond|reply|answer|write|include|start)[a-z]*\b[^.!?\n]{0,30}(?:sorry|as an ai\b|apologi|i can(?:not|'?t))|\bapologi[sz]e\b[^.!?\n]{0,12}(?:for|or|,)|\b(?:mention|talk about|remind)[^.!?\n]{0,24}(?:ethic|moral|openai|polic|as an ai)|\brefuses? (?:any|to (?:answer|respond|reply|comply|do|follow|say|help)|an? (?:request|question|command|order|prompt))[^.!?\n]{0,30}(?:request|question|command|order|prompt|me\b|user|what|anything|human|demand|instruction))/,
  },
  {
    signal: 'known jailbreak words',
    weight: 0.6,
    needs: [
      'do anything now',
      'jailbreak',
      'jailbroken',
      ' dan ',
      'dan,',
      '"dan"',
      'dan:',
      'two responses',
      'two different',
      'both responses',
      'tokens',
      'stay a dan',
      'evil confidant',
      'machiavel',
      'niccolo',
      'chatgpt',
      'chat gpt',
      'openai',
      'open ai',
      'anti-gpt',
      'antigpt',
      'betterdan',
    ],
    shape:
      /\bdo anything now\b|\bjailbr(?:eak|oken) (?:prompt|mode|chatgpt|gpt|ai|yourself|response)|\b(?:you are|named|called|as|mode|be|stay) (?:going to be |a |now )?["'(]?dan\b|\bdan:|\b(?:two|both|2) (?:different )?(?:responses|paragraphs|answers|ways)\b[^.!?\n]{0,60}\b(?:gpt|normal|standard|classic|first|dan|mode)|\b(?:lose|deduct|take away|have) [^.!?\n]{0,16}\btokens?\b[^.!?\n]{0,60}\b(?:refuse|reject|answer|die|0|zero|run out)|\bevil confidant|\bniccolo|\bmachiavellian/,
  },
  {
    signal: 'speaks about the vendor and its rules',
    weight: 0.45,
    needs: ['openai', 'open ai', 'chatgpt', 'chat gpt', 'anthropic', 'language model', ' gpt'],
    shape:
      /\b(?:open ?ai|chat ?gpt|anthropic|gpt-?\d?)(?:'s)?\b[^.!?\n]{0,50}\b(?:polic|guideline|restrict|filter|rules?\b|limit|censor|content|jailbr|unlock|developer|mode|pretend|act|respond|simulat|persona|character|role)|\b(?:pretend|act|role-?play|simulat|respond|you are|instead of|as if)[^.!?\n]{0,50}\b(?:chat ?gpt|open ?ai|language model)/,
  },
  {
    signal: 'marks up its own answer as a persona',
    weight: 0.4,
    needs: ['respond', 'answer', 'response', 'reply', 'start', 'begin', 'prefix', 'prefac'],
    shape:
      /\b(?:start|begin|prefix|preface|precede)\b[^.!?\n]{0,30}\b(?:respon|repl|answer|message|sentence)[a-z]*\b[^.!?\n]{0,30}\b(?:with|by)\b|\b(?:respond|answer|reply) (?:only )?(?:with|as|in)\b[^.!?\n]{0,20}["'[(][a-z ]{2,24}[\])]?:|\bconfirm (?:that )?you (?:understand|understood)|\bonly (?:respond|reply|answer) (?:with|as)\b|\bmy first (?:question|prompt|request|message|command|sentence|suggestion|query) (?:is|will)/,
  },
  {
    signal: 'hypothetical frame for anything',
    weight: 0.35,
    needs: ['hypothetical', 'fictional', 'imagine', 'story', 'fiction'],
    shape:
      /\b(?:hypothetical|fictional|fiction|imaginary|imagine)\b[^.!?\n]{0,80}\b(?:no (?:rules|laws|restrictions|limits|ethic)|illegal|unethical|anything|ai\b|without (?:any )?(?:restrict|moral|ethic))|\bhypothetical (?:response|answer|scenario|story)\b/,
  },
  {
    signal: 'control words of a chat template',
    weight: 0.7,
    needs: ['<|', '[inst', '<<sys', '</s>', '_of_turn', '###', '[system', '<system', 'begin ', 'end of'],
    shape:
      /<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|?>?|\[\/?inst\]|<<\/?sys>>|<\/?s>\s*(?:\[inst|system|user)|<(?:start|end)_of_turn>|(?:^|\n)\s*#{2,4}\s*(?:system|new instructions?|instructions? for (?:the )?(?:ai|assistant|model))|\[(?:system|admin|developer)(?: (?:message|note|prompt|instruction|override))?\]|<\/?system(?:[_ -]?(?:message|prompt|instruction))?>|[-=]{2,}\s*(?:begin|end)(?: of)? (?:system|context|document|new|hidden|admin|source)/,
  },
  {
    signal: 'announces new instructions',
    weight: 0.6,
    needs: ['instruction', 'task', 'directive', 'attention'],
    shape:
      /\b(?:new|updated|real|actual|hidden|important|secret|additional|special) (?:system )?(?:instructions?|directives?|task)(?: for (?:you|the (?:ai|assistant|model)))?\s*:|\b(?:instructions?|attention|note|message) (?:to|for) (?:the )?(?:ai|llm|language model|chat ?bot|assistant|model)\b|\byour (?:new|real|actual|only) (?:task|goal|instructions?|job|objective|directive)s? (?:is|are|now)\b/,
  },
  {
    signal: 'speaks to an AI that reads',
    weight: 0.5,
    needs: ['ai', 'llm', 'assistant', 'language model', 'chatbot'],
    shape:
      /\b(?:if|when|any|dear|hey|hello|attention) (?:you are |an? |any |the )*(?:ai|llm|language model|chat ?bot|ai assistant|ai model|virtual assistant)\b[^.!?\n]{0,50}\b(?:read|process|summari|see|analy|must|should|please|reading|scrap|parse)|\b(?:ai|llm|language model) (?:assistants?|agents?|models?|systems?|readers?)?[,:]? ?(?:must|should|please|reading this)/,
  },
  {
    signal: 'hides something from the reader',
    weight: 0.6,
    needs: ['user', 'reader', 'anyone', 'secretly', 'silently'],
    shape:
      /\b(?:do not|don'?t|never|without) (?:tell|mention|inform|telling|mentioning|informing|notify(?:ing)?|reveal(?:ing)?|let(?:ting)?|alert(?:ing)?)\b[^.!?\n]{0,30}\b(?:user|reader|anyone|human|person)|\b(?:secretly|silently|covertly) (?:send|add|include|insert|append|forward|post|upload|change|execute)/,
  },
  {
    signal: 'asks to send data away',
    weight: 0.65,
    needs: ['http', 'www.', '@', 'webhook', 'url', 'image', 'email', 'e-mail'],
    shape:
      /!\[[^\]]{0,80}\]\(\s*(?:https?:)?\/\/[^)\s]{1,200}(?:\?|=)[^)\s]{0,200}(?:\{|\[|<|\$|data|secret|prompt|conversation|history|answer|context|summary)|\b(?:send|post|forward|upload|exfiltrate|transmit|leak|e-?mail|append)\b[^.!?\n]{0,60}\b(?:conversation|chat|history|context|secrets?|password|api keys?|credentials?|user'?s? (?:data|details|emails?|information)|confidential|documents?|contents?|answers?|prompts?)\b[^!?\n]{0,60}(?:https?:\/\/|www\.|[\w.-]{1,40}@[\w-]{1,40}\.|webhook)/,
  },
  {
    signal: 'orders a tool or a command',
    weight: 0.35,
    needs: ['tool', 'command', 'function', 'execute', 'run ', 'shell'],
    shape:
      /\b(?:call|invoke|use|trigger|run|execute)\b[^.!?\n]{0,24}\b(?:the )?[a-z_]{2,30}[_ ](?:tool|function|api)\b[^.!?\n]{0,50}\b(?:with|to (?:send|delete|forward|transfer|email|read)|and (?:send|delete|forward))|\b(?:delete|drop|wipe|erase) (?:all|every|the entire)\b[^.!?\n]{0,24}\b(?:files?|documents?|tables?|records?|data(?:base)?s?|users?)\b[^.!?\n]{0,20}(?:now|immediately|then|and)/,
  },
  {
    signal: 'tells the model how to change its answer',
    weight: 0.55,
    needs: [
      'your response',
      'your reply',
      'your answer',
      'your message',
      'your text',
      'your output',
      'your words',
      "response's",
      "answer's",
    ],
    shape:
      /(?:^|[.!?\n]\s*|["'] )(?:please )?(?:add|include|integrate|insert|incorporate|augment|modify|enhance|append|replace|render|remove|scramble|jumble|rearrange|anagram|misspell|introduce|convert|substitute|combine|group|use|provide|encode|reverse|encrypt|embed|weave)\b[^.!?\n]{0,140}\b(?:in|to|of|with|from|for|within|into|your|by)\b[^.!?\n]{0,30}\b(?:your (?:next )?(?:response|reply|answer|message|text|output))\b|(?:^|[.!?\n]\s*)(?:in|within|throughout) your (?:response|reply|answer), (?:suggest|include|mention|tease|add|claim|say|recommend|promote)|(?:^|[.!?\n]\s*)(?:modify|enhance|augment|scramble|render|encode|rewrite|replace|convert|encrypt)\b[^.!?\n]{0,40}\byour (?:response|reply|answer|message)/,
  },
  {
    signal: 'code that sends away what it reads',
    weight: 0.55,
    needs: [
      'requests.',
      'urllib',
      'socket',
      'smtplib',
      'subprocess',
      'os.system',
      'curl ',
      'wget',
      'ftplib',
      'http.client',
      'paramiko',
    ],
    shape:
      /\b(?:os\.environ|cookie|psutil|netrc|\/etc\/passwd|id_rsa|usb\.core|sounddevice|keylog|driverquery)[\s\S]{0,600}\b(?:requests\.(?:post|get|put)|urllib\.request|socket\.|smtplib|ftplib|curl|http\.client)|\b(?:requests\.(?:get|post)|urllib\.request|wget|curl)[\s\S]{0,400}\b(?:exec\(|eval\(|os\.system|subprocess|cookie|chmod \+x)|\b(?:os\.system|subprocess\.\w{2,12})\([\s\S]{0,60}(?:rm -rf|dd if=|mkfs|systemctl (?:stop|disable)|sudo|wget|curl)|\bos\.remove\(["']\/(?:lib|etc|usr|bin)/,
  },
  {
    signal: 'presses a block of code on the model',
    weight: 0.4,
    needs: [
      'code block',
      'code excerpt',
      'code snippet',
      'code section',
      'code segment',
      'block of code',
      'snippet of code',
    ],
    shape:
      /(?:^|[.!?\n]\s*)(?:don'?t (?:hesitate|forget) to|ensure|consider|incorporate|merge|blend|weave|inject|absorb|meld|fuse|infuse|interweave|enlist|utili[sz]e|employ|deploy|adopt|embed|render|let your code|your code (?:should|could)|to proceed|engage|enrich|make the|execute the|integrate|seamlessly|harmoni[sz]e|keep in mind|use the|you may)\b[^.!?\n]{0,80}\bcode (?:block|excerpt|snippet|section|segment)[^.!?\n]{0,90}(?:\n|:|$)/,
  },
]

/** How much trying to hide says by itself. */
const hidingWeights: Readonly<Record<string, number>> = {
  'text in invisible characters': 0.6,
  'invisible characters inside words': 0.3,
  'look-alike letters': 0.3,
  'spaced letters': 0.2,
}

/** Longer texts are read from both ends and in the middle: an order hides anywhere, and time must stay bounded. */
const readCharsMax = 24_000

const readOf = (text: string): string => {
  if (text.length <= readCharsMax) return text
  const part = readCharsMax / 3
  const middle = Math.floor(text.length / 2 - part / 2)
  return `${text.slice(0, part)}\n${text.slice(middle, middle + part)}\n${text.slice(-part)}`
}

const needed = new Set(rules.flatMap(({ needs }) => needs))

const matching = (text: string): Rule[] => {
  const there = new Set([...needed].filter((word) => text.includes(word)))
  return rules.filter(({ needs, shape }) => needs.some((word) => there.has(word)) && shape.test(text))
}

export type InjectionScore = { score: number; signals: string[] }

/**
 * How much a question or a passage looks like an order to the model, 0 to 1, with its reasons in words. Texts over 24,000
 * characters are judged by their beginning, middle and end.
 */
export const scoreInjection = (text: string): InjectionScore => {
  const read = normaliseText(readOf(text))
  const found = new Map<string, number>()
  for (const signal of read.signals) found.set(signal, hidingWeights[signal] ?? 0.15)
  for (const { signal, weight } of matching(read.text)) found.set(signal, weight)
  // An order that had to be decoded was hidden on purpose.
  for (const payload of read.decoded)
    for (const { signal, weight } of matching(normaliseText(payload.slice(0, readCharsMax)).text))
      found.set(`hidden: ${signal}`, Math.min(0.95, weight + 0.2))
  let innocent = 1
  for (const weight of found.values()) innocent *= 1 - weight
  return { score: 1 - innocent, signals: [...found.keys()] }
}
