/**
 * What a message wants, before anything is looked up: a small logistic head on the built-in encoder's vector, between two sets of
 * words. Nothing but a confident class whose words fit is taken; all else is `knowledge` and goes through retrieval, where a wrong
 * turn costs a search and not an answer. No model is asked here.
 */
import { formatCost, formatCount } from '#lib/shared/format.ts'
import shippedHead from './local/intent-head.json' with { type: 'json' }

export const intents = [
  'greeting',
  'thanks',
  'help',
  'about',
  'reset-password',
  'my-usage',
  'refuse',
  'knowledge',
] as const
export type Intent = (typeof intents)[number]

/** What `scripts/train-intent.ts` writes. */
export type IntentHead = {
  /** The encoder whose vectors it was trained on; with another it is not used. */
  encoder: string
  /** A class other than `knowledge` is taken from this confidence on. */
  threshold: number
  classes: readonly string[]
  /** A row of weights for each class, as long as a vector. */
  weights: readonly (readonly number[])[]
  bias: readonly number[]
  /** The direction of each class: the mean of its vectors, of length 1. */
  means: readonly (readonly number[])[]
  /** The words that each class was trained on, separated by spaces. */
  words: Readonly<Partial<Record<string, string>>>
}

/** Folded so that accents, case, punctuation and stretched letters make no difference: `Heyyy, Müller!` is `hey muller`. */
export const foldedWords = (text: string): string[] =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/(\p{L})\1{2,}/gu, '$1')
    .match(/[\p{L}\p{N}]+/gu) ?? []

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

const greetings =
  /^(?:(?:hi|hello|hey|hiya|howdy|hallo|hola|bonjour|bonsoir|salut|ciao|moin|servus|coucou|ola|buongiorno|greetings|morning|yo)(?: (?:there|all|everyone|again|hi|hey|hello|moin|team|assistant|bot|footnote|zusammen))?|good (?:morning|afternoon|evening|day)(?: all| everyone)?|guten (?:morgen|tag|abend)(?: zusammen)?|gru(?:ss|ß) gott|buenos dias|buenas(?: tardes| noches)?)$/
const thanking =
  /^(?:(?:ok|okay|great|perfect|cool|super|perfecto|parfait|got it|all good) )?(?:thanks|thank you|thx|ty|thank u|tysm|cheers|danke|danke schon|vielen dank|gracias|muchas gracias|merci|merci beaucoup|grazie|obrigado|obrigada)(?: (?:a lot|so much|very much|again|sehr))?$/
const parting =
  /^(?:(?:good )?bye(?: bye)?|goodbye|good night|see you(?: (?:tomorrow|soon|later))?|(?:auf )?wiedersehen|tschuss|adios|hasta (?:manana|luego)|au revoir)$/
const callingForHelp = /^(?:help(?: me)?(?: please)?|please help(?: me)?|hilfe|ayuda|aide)$/

/** Without one of these the class is not believed, whatever its probability. Matched against folded words. */
const anchors: Readonly<Record<Exclude<Intent, 'knowledge'>, RegExp>> = {
  greeting:
    /\b(hi|hey|hello|hallo|hola|bonjour|bonsoir|salut|moin|servus|ciao|ola|coucou|morning|afternoon|evening|morgen|tag|abend|dias|tardes|buenas|buongiorno|greetings|howdy|hiya|yo|sup|how are you|how s it going|what s (up|new)|how do you do|how was your|welcome|nice to|good to see|pleased to|long time|anyone there|anybody there|are you there|happy|merry|good day|g day|having a|hope you|wie geht|gru\p{L}+ gott|como estas|que tal|ca va)\b/u,
  thanks:
    /\b(thanks|thank|thankss|thx|ty|tysm|ta|danke|dank|gracias|merci|grazie|obrigad[oa]|cheers|appreciate|appreciated|great|perfect|perfecto|parfait|excellent|wonderful|lovely|awesome|amazing|brilliant|impressive|helpful|helped|good (answer|job|work|bot|stuff)|nice work|well done|kudos|best|lifesaver|saved|grateful|owe you|works|solved|bye|goodbye|good night|see you|talk to you|tschuss|wiedersehen|adios|au revoir|have a)\b/,
  help: /\b(help|helps|assist|assistance|assistant|support|you|your|this|here|chat|app|ask|start|begin|menu|commands|instructions|tutorial|examples?|suggest|hilfe|helfen|du|dich|hier|diesen|ayuda|ayudarme|puedes|puedo|esto|aide|aidez|aider|peux|marche)\b/,
  about:
    /\b(you|your|u|yourself|human|person|bot|robot|chatbot|machine|ai|model|llm|gpt|chatgpt|claude|gemini|footnote|du|dich|eres|llamas|creo|es tu|etes vous|t a cree|t appelles|utilises tu|talking to|speaking with|who is this|version)\b/,
  'reset-password':
    /\b(passwords?|pw|pwd|passwort|kennwort|contrasena|mot de passe|login|log in|sign in)\b|passwor[dt]/,
  'my-usage':
    /\b(usage|used?|uses|using|quota|limits?|budget|tokens?|questions?|messages?|requests?|costs?|spend|spent|spending|allowance|left|consumption|verbrauch\p{L}*|fragen|benutzt|uso|usado|preguntas|gastado|consumo|utilisation|utilise|depense)\b/u,
  refuse:
    /\b(bomb\p{L}*|explo(d|s)\p{L}*|tnt|napalm|weapons?|waffe\p{L}*|guns?|rifles?|silencer|poison\p{L}*|vergift\p{L}*|gas|sarin|anthrax|ricin|kill\p{L}*|murder\p{L}*|matar|toten|umbringen|dead body|terror\p{L}*|attack\p{L}*|shoot\p{L}*|hurt|beat|virus|malware|malveillant|schadsoftware|ransomware|keylogger|trojan|steal\p{L}*|stolen|ddos|hack\p{L}*|hacke|pirater|break into|exploits?|phishing|spyware|secretly|stalk\p{L}*|rob|shoplift|pick the lock|forge|fake|counterfeit|launder|drugs?|drug money|meth|cocaine|lsd|illegal|fraud|scam\p{L}*|blackmail|threat\p{L}*|hate|racist|race|inferior|propaganda|suicide|starve|cut myself|sexual|groom|kidnap|smuggle|nude|dox|scare|sabotage|fire|burn|cheat|bribe|without (her|him|them|anyone|getting|being|leaving))\b/u,
}

/** A question about the matter, or about a game, a story or a process of that name, is to be looked up and not refused. */
const aboutTheMatter =
  /^(what (is|are|was|were|does|do|happens|should)|who|when|why|is|are|was|does|did|which|may|explain why|how (is|are|was|were|did|does|should)|how do (we|you)|wer|wann|welche|was|que|qui)\b|\b(polic(y|ies)|guidelines?|handbook|procedure|article|chapter|contract|according|alert|alarm|incident|insurance|law|history|game|gta|minecraft|witcher|chess|checkers|film|movie|play|novel|book|tv|music|laughter|process|job|server process|python|linux|database|weeds|time|protect\p{L}*|prevent\p{L}*|defend\p{L}*|avoid|recogni[sz]e|detect\p{L}*|remove|report|melde|respond|train|friend|help line|hotline|victim)\b/u

/** Words that say nothing about the matter. */
const neutralWords = wordSet(
  `a an the and or but so to of in on at for from with by as is are was be been do does did don t s m ve d ll re have has had i me my mine
  you your it its this that these can could will would should may might please just now here there very really also too again still
  anymore currently current today yet ever some any all what which who how when where why not no yes am im whats hi hey hello want need
  like get got let know tell show give see say ok okay then well um if did if pls remember work works working wrong right use using made
  make ask asked month day week assistant app ich du mein meine meinen bitte ist das der die den ein eine und zu mir wie was habe kann
  heute setze andere andern mochte zuruck el la los las un una mi me por favor es de le les une mon ma mot passe je j ai moi est s il
  vous plait comment veux changer combien hoch viel`.trim(),
)

/** So many words may be neither neutral nor known from the class; what names another thing ("of the printer") is not this. */
const strangersMax: Readonly<Record<Exclude<Intent, 'knowledge'>, number>> = {
  greeting: 2,
  thanks: 2,
  help: 1,
  about: 1,
  'reset-password': 0,
  'my-usage': 0,
  refuse: Number.POSITIVE_INFINITY,
}
/** What is longer tells more than a greeting. */
const smallTalkWordsMax = 20

type IntentJudge = (
  text: string,
  vector: Float32Array | null,
  encoderId: string,
) => { intent: Intent; confidence: number }

/**
 * How sure a class is, 0 to 1: its probability alone is high far from everything that was trained on, so the nearness of the vector
 * to the class counts as much. `similarity` is the cosine of the vector and the class's mean.
 */
export const confidenceOf = (probability: number, similarity: number): number =>
  (probability + Math.max(0, similarity)) / 2

const dot = (row: readonly number[], vector: Float32Array): number => {
  let sum = 0
  for (let at = 0; at < vector.length; at += 1) sum += (row[at] ?? 0) * (vector[at] ?? 0)
  return sum
}

/** The probability of each class of `head`; null where the vector does not fit it. */
const probabilities = ({ weights, bias }: IntentHead, vector: Float32Array): number[] | null => {
  if (weights.some((row) => row.length !== vector.length)) return null
  const scores = weights.map((row, label) => dot(row, vector) + (bias[label] ?? 0))
  const highest = Math.max(...scores)
  const raised = scores.map((score) => Math.exp(score - highest))
  const total = raised.reduce((sum, value) => sum + value, 0)
  if (!Number.isFinite(total)) return null
  return raised.map((value) => value / total)
}

const isIntent = (name: string | undefined): name is Intent => intents.some((known) => known === name)

/** A judge over a head of one's own: how training tries one out before it is written. */
export const createIntentJudge = (head: IntentHead): IntentJudge => {
  const known = new Map(Object.entries(head.words).map(([name, words]) => [name, wordSet(words ?? '')]))

  const fits = (intent: Exclude<Intent, 'knowledge'>, words: readonly string[]): boolean => {
    const folded = words.join(' ')
    if (!anchors[intent].test(folded)) return false
    if (intent === 'refuse') return !aboutTheMatter.test(folded)
    if (words.length > smallTalkWordsMax) return false
    const strangers = words.filter((word) => !neutralWords.has(word) && !known.get(intent)?.has(word))
    return strangers.length <= strangersMax[intent]
  }

  return (text, vector, encoderId) => {
    const words = foldedWords(text)
    const folded = words.join(' ')
    if (greetings.test(folded)) return { intent: 'greeting', confidence: 1 }
    if (thanking.test(folded) || parting.test(folded)) return { intent: 'thanks', confidence: 1 }
    if (callingForHelp.test(folded)) return { intent: 'help', confidence: 1 }
    // No vector, or one of another encoder: nothing is known, so it is looked up.
    const found = vector && head.encoder === encoderId ? probabilities(head, vector) : null
    if (!found) return { intent: 'knowledge', confidence: 0 }
    const confidenceIn = (label: number): number =>
      confidenceOf(found[label] ?? 0, vector ? dot(head.means[label] ?? [], vector) : 0)
    const best = found.indexOf(Math.max(...found))
    const confidence = confidenceIn(best)
    const intent = head.classes[best]
    if (!isIntent(intent) || intent === 'knowledge' || confidence < head.threshold || !fits(intent, words))
      return { intent: 'knowledge', confidence: confidenceIn(head.classes.indexOf('knowledge')) }
    return { intent, confidence }
  }
}

/**
 * What the message wants, with the head that comes with the product. `vector` is the encoder's for `text`, `encoderId` the id it
 * came with. `confidence` is 0 to 1 (see `confidenceOf`); for `knowledge` it is low where the text was only not sure enough for
 * anything else, and 0 where nothing could be judged. Never throws.
 */
export const classifyIntent: IntentJudge = createIntentJudge(shippedHead)

/** One person's use, as counted in SQL. Money in micro-dollars; null: no limit, or a cost that is not known. */
export type UsageFacts = {
  questionsToday: number
  questionsMonth: number
  costDayMicros: number | null
  costMonthMicros: number | null
  limitDayMicros: number | null
  limitMonthMicros: number | null
}

export type ReplyFacts = {
  /** The model that answers, as a person may read it. */
  modelName: string
  /** Collections that this person may ask about. */
  collections: readonly string[]
  /** Questions that this workspace can answer. */
  examples: readonly string[]
  /** The signed-in person's address, for the administrator's command. */
  email: string
  /** Null: could not be counted. */
  usage: UsageFacts | null
}

/** A name from settings, as words and never as Markdown. */
const plain = (name: string): string => name.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>#|!~]/g, '\\$&')

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

/** So many names or examples are read; more are skipped. */
const shownMax = 4

const whatCanBeAsked = ({ collections, examples }: ReplyFacts): string => {
  const shown = collections.slice(0, shownMax).map(plain)
  const more = collections.length - shown.length
  const names = more > 0 ? `${shown.join(', ')} and ${more} more` : listed(shown)
  const where =
    shown.length > 0
      ? `You can ask about what is in ${names}.`
      : 'There are no documents for you to ask about yet. Add some, or ask an administrator for access.'
  const list = examples.slice(0, shownMax).map((example) => `- ${plain(example)}`)
  return list.length > 0 ? `${where} For example:\n\n${list.join('\n')}` : where
}

const spent = (what: string, costMicros: number | null, limitMicros: number | null): string => {
  const cost = costMicros === null ? 'at a cost that is not known' : `for ${formatCost(costMicros)}`
  if (limitMicros === null) return `${what}, ${cost}, with no limit on your spending`
  if (costMicros === null) return `${what}, ${cost}, of a limit of ${formatCost(limitMicros)}`
  const left = formatCost(Math.max(0, limitMicros - costMicros))
  return `${what}, ${cost} of ${formatCost(limitMicros)}; ${left} left`
}

const counted = (questions: number): string => `${formatCount(questions)} ${questions === 1 ? 'question' : 'questions'}`

const usageReply = (usage: UsageFacts | null): string =>
  usage === null
    ? 'Your use could not be counted just now. Please try again in a moment.'
    : [
        'This is what you have used (days and months in UTC):',
        '',
        `- ${spent(`Today: ${counted(usage.questionsToday)}`, usage.costDayMicros, usage.limitDayMicros)}.`,
        `- ${spent(`This month: ${counted(usage.questionsMonth)}`, usage.costMonthMicros, usage.limitMonthMicros)}.`,
      ].join('\n')

/**
 * The answer that needs no model, in Markdown; null for `knowledge`, which is looked up. The same intent and facts give the same
 * words.
 */
export const deterministicReply = (intent: Intent, facts: ReplyFacts): string | null => {
  switch (intent) {
    case 'greeting':
      return `Hello! I look things up in your documents and show the passage behind every claim. ${whatCanBeAsked(facts)}`
    case 'thanks':
      return 'Glad to help. I am here whenever you have another question.'
    case 'help':
      return [
        'I answer questions from your documents. Every claim carries a number; open it to read the exact passage it rests on. Where no document answers a question, I say so.',
        whatCanBeAsked(facts),
      ].join('\n\n')
    case 'about':
      return `I am Footnote, an AI assistant and not a person. Answers are written by ${plain(facts.modelName)} from the passages that I find in your documents. I can be wrong, so every claim links to the passage it rests on: please check what matters.`
    case 'reset-password':
      return [
        'I cannot change passwords, and nobody can read your present one. Ask an administrator of this installation: on its server, this command sets a new password and shows it once (with the embedded database, while Footnote is stopped):',
        ['```sh', `npm run account -- ${facts.email}`, '```'].join('\n'),
        'For the password of another system, ask again and name that system.',
      ].join('\n\n')
    case 'my-usage':
      return usageReply(facts.usage)
    case 'refuse':
      return 'I cannot help with something that may hurt people or break the law. If you want to know what your documents say on the subject, ask for that: for example, “What does our policy say about …?”'
    case 'knowledge':
      return null
  }
}
