/**
 * What two questions must have in common before the answer to one may be given to the other, however near their vectors are. An
 * encoder hears little of a number, a negation or a direction, and these are where a near question has another answer.
 *
 * The guards know English. Where a question is not certainly English they say `language`, so that no answer is given unguarded.
 */

/** In what two questions differ. */
export type Difference =
  | 'language'
  | 'numbers'
  | 'dates'
  | 'units'
  | 'negation'
  | 'question-word'
  | 'opposites'
  | 'names'
  | 'order'
  | 'context'

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '))
const table = (lines: string): ReadonlyMap<string, string> =>
  new Map(
    lines
      .trim()
      .split('\n')
      .flatMap((line) => {
        const all = line.trim().split(' ')
        return all.map((word): [string, string] => [word, all[0] ?? word])
      }),
  )

/** The form under which two questions are the same question word for word: letters' case, space and the last mark do not count. */
export const normalisedQuestion = (question: string): string =>
  question
    .normalize('NFKC')
    .replace(/[‘’ʼ]/g, "'")
    .replace(/[“”]/g, '"')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/[\s.?!…。？！]+$/u, '')
    .trim()

type Token = { text: string; word: string; first: boolean }
type Read = { text: string; tokens: Token[]; bag: ReadonlySet<string> }

const contractions: readonly [RegExp, string][] = [
  [/\b(can)'?t\b/gi, '$1 not'],
  [/\b(can)not\b/gi, '$1 not'],
  [/\bwon'?t\b/gi, 'will not'],
  [/\bshan't\b/gi, 'shall not'],
  [/n't\b/gi, ' not'],
  [/\b(do|does|did|is|are|was|were|has|have|had|should|would|could|must)nt\b/gi, '$1 not'],
  [/'(?:s|re|ve|ll|d|m)\b/gi, ''],
]

const read = (question: string): Read => {
  let text = question
    .normalize('NFKC')
    .replace(/[‘’ʼ]/g, "'")
    // 10,000 is one number, and so is 10 000.
    .replace(/(\d)[, ](?=\d{3}(?:\D|$))/g, '$1')
  for (const [pattern, replacement] of contractions) text = text.replace(pattern, replacement)
  const tokens: Token[] = []
  let first = true
  for (const [piece] of text.matchAll(/[\p{L}\p{N}\p{M}]+(?:[.'_/+#-]+[\p{L}\p{N}\p{M}]+)*[+#]*|[.?!:;"“”$€£¥₹%°]/gu)) {
    if (/^[.?!:;"“”]$/.test(piece)) {
      first = true
      continue
    }
    tokens.push({ text: piece, word: piece.toLowerCase(), first })
    first = false
  }
  return { text, tokens, bag: new Set(tokens.map(({ word }) => word)) }
}

const equalBags = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && [...a].sort().join('\n') === [...b].sort().join('\n')

/** Without the plural, lightly. */
const stem = (word: string): string =>
  word.length > 3 ? word.replace(/(?:'s|s')$/, '').replace(/([^s])s$/, '$1') : word

// --- Language

const english = words(
  'a an and any are as at be been best better between by can could did do does for from get good had has have how i if in into is it its like make many me mean most much my no not of on one or our should so than that the their there these they this to us use was way we were what when where which who whom whose why will with would you your',
)
/** Frequent words of languages in Latin script that English does not have. */
const foreign = words(
  'der das und ist nicht ein eine wie wann wo warum welche welcher gibt sind wird werden mit für auf dem den von zu le la les des est et une pour dans que qui quel quelle quels comment pourquoi où combien sont il el los las por para con como cómo qué cuál cuándo dónde quién cuánto está del una che cosa come perché dove quando quanto sono della degli qual quais onde porque são não uma os de het een wat hoe waarom wanneer zijn en på och är hur vad jak co je kde kdy czy jest nasıl nedir ne bir ve',
)

const isEnglish = ({ text, tokens }: Read): boolean => {
  if (/[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}\p{Script=Greek}]/u.test(text)) return false
  let own = 0
  let other = 0
  for (const { word } of tokens) {
    if (english.has(word)) own += 1
    else if (foreign.has(word)) other += 1
  }
  return own > 0 && own > other
}

// --- Numbers, dates, units

const numberWords = table(`
0 zero
2 two both twice double
3 three thrice triple
4 four
5 five
6 six
7 seven
8 eight
9 nine
10 ten
11 eleven
12 twelve dozen
13 thirteen
14 fourteen
15 fifteen
16 sixteen
17 seventeen
18 eighteen
19 nineteen
20 twenty
30 thirty
40 forty
50 fifty
60 sixty
70 seventy
80 eighty
90 ninety
100 hundred
1000 thousand k
1000000 million mn lakh
1000000000 billion bn crore
1/2 half
1/4 quarter
#1 first 1st primary
#2 second 2nd secondary
#3 third 3rd tertiary
#4 fourth 4th
#5 fifth 5th
#last last final latest
`)

/** Numbers in any place of a word, so that `iphone7`, `v2.1` and `7th` count; a comma or a full stop between digits stays. */
const numbersOf = ({ tokens }: Read): string[] =>
  tokens.flatMap(({ word }) => {
    const known = numberWords.get(word)
    if (known && !/^\d+$/.test(word)) return [known]
    return (word.match(/\d+(?:[.,/]\d+)*/g) ?? []).map((digits) => digits.replace(/^0+(?=\d)/, ''))
  })

const dateWords = table(`
january jan
february feb
april apr
june jun
july jul
august aug
september sep sept
october oct
november nov
december dec
monday mon
tuesday tue
wednesday wed
thursday thu
friday fri
saturday sat
sunday sun
today tonight nowadays
yesterday
tomorrow
morning
noon midday
evening
midnight
weekend weekends
weekly week weeks
daily day days
monthly month months
yearly year years annual annually
hourly hour hours
minute minutes
quarterly
decade decades
century centuries
spring
summer
autumn fall
winter
previous prior
next upcoming
current currently present
`)
const datesOf = ({ tokens }: Read): string[] => [
  ...new Set(
    tokens.flatMap(({ word, text, first }) => {
      // The verbs are more frequent than the months, and in small letters certain.
      if ((text === 'May' || text === 'March') && !first) return [word]
      const known = dateWords.get(word)
      return known ? [known] : []
    }),
  ),
]

const unitWords = table(`
% percent percentage pct
$ dollar dollars usd bucks
€ euro euros eur
£ pound pounds gbp lb lbs
¥ yen jpy
₹ rupee rupees inr rs
kg kilo kilos kilogram kilograms kilogramme kilogrammes
g gram grams gramme grammes
mg milligram milligrams
tonne tonnes ton tons
ounce ounces oz
km kilometer kilometers kilometre kilometres
meter meters metre metres
cm centimeter centimeters centimetre centimetres
mm millimeter millimeters millimetre millimetres
mile miles
inch inches
foot feet ft
yard yards
acre acres
hectare hectares
liter liters litre litres
ml milliliter milliliters millilitre millilitres
gallon gallons
celsius °c
fahrenheit °f
kelvin
° degree degrees
second seconds sec secs
ms millisecond milliseconds
kb kilobyte kilobytes
mb megabyte megabytes
gb gigabyte gigabytes
tb terabyte terabytes
watt watts
kw kilowatt kilowatts
kwh
volt volts
ampere amperes amps
hz hertz
mph
kmh km/h kph
`)
const unitsOf = ({ tokens }: Read): string[] => [
  ...new Set(
    tokens.flatMap(({ word }) => {
      const known = unitWords.get(word) ?? unitWords.get(/^\d[\d.,]*([a-z°%]+)$/.exec(word)?.[1] ?? '')
      return known ? [known] : []
    }),
  ),
]

// --- Negation and opposites

const negators = words(
  'not no never none nobody nothing nowhere neither nor without cannot except excluding lack lacks lacking unless hardly barely rarely seldom refuse refuses stop stops stopped stopping avoid avoids avoiding prevent prevents preventing quit instead but only',
)
const softNegators = words('only but instead')
/** What is denied counts with the denial: "no games" is not "no apps". */
const negationsOf = ({ tokens }: Read): string[] =>
  tokens.flatMap(({ word }, at) => {
    if (!negators.has(word)) return []
    const kind = softNegators.has(word) ? word : /^(?:stop|avoid|prevent|quit)/.test(word) ? 'stop' : 'not'
    return [`${kind} ${stem(tokens.slice(at + 1).find((token) => !english.has(token.word))?.word ?? '')}`]
  })

/** Two words that turn a question round; each side may be several forms. */
const oppositePairs: readonly (readonly [ReadonlySet<string>, ReadonlySet<string>])[] = `
before : after
min minimum minimal least fewest : max maximum maximal most
with including include includes : without excluding exclude excludes
buy buys buying bought purchase purchasing : sell sells selling sold sale
lend lending lent : borrow borrowing borrowed
give gives giving gave : get gets getting got receive receives received receiving take takes taking took
send sends sending sent : receive receives received receiving get gets
increase increases increasing raise gain gains gaining grow growing : decrease decreases decreasing reduce reduces reducing lower lose loses losing shrink
lose loses losing lost : gain gains gaining gained win wins winning won find finds finding found keep
more greater higher larger bigger : less fewer lower smaller
high highest tall tallest : low lowest short shortest
big biggest large largest : small smallest
best better good great nice : worst worse bad badly terrible
advantage advantages pro pros benefit benefits merits upsides : disadvantage disadvantages con cons drawback drawbacks demerits downsides risks dangers
positive : negative
love loves like likes : hate hates dislike dislikes
start starts starting begin begins beginning : end ends ending finish finishes stop stops stopping quit
open opens opening opened : close closes closing closed
enable enables enabled activate activated unlock unblock : disable disables disabled deactivate deactivated lock block
on : off
in into inside : out outside
up upper : down lower
left : right
north northern : south southern
east eastern : west western
old older oldest elder : new newer newest young younger youngest
early earlier earliest : late later latest
fast faster fastest quick quickest quickly : slow slower slowest slowly
hot hotter warm : cold colder cool
easy easier easiest : hard harder hardest difficult
cheap cheaper cheapest : expensive costly
rich wealthy : poor
strong stronger strongest : weak weaker weakest
add adds adding added install installing create creating : remove removes removing removed delete deleting deleted uninstall erase
accept accepted accepts approve approved : reject rejected rejects decline declined deny denied
allow allowed allows legal permitted : forbid forbidden forbids illegal banned prohibited
true real : false fake
male man men boy boys guy guys husband father dad brother son boyfriend : female woman women girl girls lady ladies wife mother mom sister daughter girlfriend
first : last
import imports importing : export exports exporting
upload uploads uploading : download downloads downloading
encode encoding encrypt encrypting encryption : decode decoding decrypt decrypting decryption
login : logout
input inputs : output outputs
internal : external
public : private
manual manually : automatic automatically
employer employers : employee employees
teacher teachers : student students
doctor doctors : patient patients
landlord landlords : tenant tenants
buyer buyers customer customers : seller sellers vendor vendors
parent parents : child children kids
domestic national : international foreign
import : export
debit : credit
gross : net
asset assets : liability liabilities
supply : demand
cause causes : effect effects result results
question questions : answer answers
problem problems : solution solutions
alive live living : dead die dying
attack attacks : defend defence defense
arrive arrival arrivals : depart departure departures leave
winner winners : loser losers
single : married multiple
always : never sometimes
all every : some any
acid acidic : base basic alkaline
hardware : software
theory theoretical : practice practical
indoor : outdoor
former : current
`
  .trim()
  .split('\n')
  .map((line) => {
    const [one = '', other = ''] = line.split(' : ')
    return [words(one.trim()), words(other.trim())] as const
  })

const hasAny = (bag: ReadonlySet<string>, wanted: ReadonlySet<string>): boolean => {
  for (const word of wanted) if (bag.has(word)) return true
  return false
}

const oppositeSides = ({ bag }: Read): string =>
  oppositePairs.map(([one, other]) => (hasAny(bag, one) ? 1 : 0) + (hasAny(bag, other) ? 2 : 0)).join('')

/** Differ where one has a word of one side and the other a word of the other side that its partner has not. */
const areOpposed = (a: Read, b: Read): boolean => {
  const sidesB = oppositeSides(b)
  const opposed = [...oppositeSides(a)].some((side, at) => {
    const other = sidesB[at] ?? '0'
    return side !== other && side !== '0' && other !== '0'
  })
  if (opposed) return true
  // happy and unhappy, legal and illegal: the prefix is the whole difference.
  const turned = (from: Read, to: Read): boolean =>
    [...from.bag].some((word) => {
      const bare = /^(?:un|in|im|il|ir|dis|non-?|anti-?|de|mis)(\p{L}{3,})$/u.exec(word)?.[1]
      return bare !== undefined && to.bag.has(bare) && !to.bag.has(word) && !from.bag.has(bare)
    })
  return turned(a, b) || turned(b, a)
}

// --- What is asked for

const auxiliary = words(
  'is are am was were be do does did has have had can could may might must shall should will would need ought',
)
const past = words('was were did had')
const future = words('will shall would gonna')
const duty = words('should must ought need')

/** What kind of answer is wanted, with the time it is wanted for. */
const askedOf = ({ text, tokens }: Read): string => {
  const flat = ` ${tokens.map(({ word }) => word).join(' ')} `
  const kind = ((): string => {
    const counted =
      / how (many|much|long|often|old|far|big|large|tall|high|fast|deep|heavy|soon|late|early|likely|big) /.exec(flat)
    if (counted) return `how ${counted[1]}`
    const what = / (what|which|whats) /.exec(flat)
    if (what) {
      if (/ (what|which) (exact |specific )?(time|date|day|year|month|hour) /.test(flat)) return 'when'
      if (/ what (exact |specific )?(place|location|country|city) /.test(flat)) return 'where'
      if (/ what( is| are| was| were)?( the| some)?( main| real)? (reason|reasons|cause|causes) /.test(flat))
        return 'why'
      if (
        / what( is| are)?( the| some)?( best| easiest| fastest| quickest| right| correct| good| proper| simplest| effective| different| possible| most \p{L}+)* (way|ways|method|methods|steps|process|procedure) /u.test(
          flat,
        )
      )
        return 'how'
      if (
        / what( is| was)?( the)? (number|amount|price|cost|age|length|height|size|weight|salary|population) /.test(flat)
      )
        return 'amount'
    }
    const first = / (who|whom|whose|when|where|why|how|what|which|whats) /.exec(flat)
    if (first) {
      const word = first[1] ?? ''
      if (word === 'how' && / how come /.test(flat)) return 'why'
      if (word === 'whom' || word === 'whose') return 'who'
      return word === 'which' || word === 'whats' ? 'what' : word
    }
    const opening = tokens[0]?.word ?? ''
    if (auxiliary.has(opening)) return 'yes-no'
    return /\?\s*$/.test(text) ? 'what' : 'none'
  })()
  const wished = tokens.some(({ word }) => duty.has(word))
    ? ' duty'
    : tokens.some(({ word }) => word === 'would')
      ? ' would'
      : ''
  const time = tokens.some(({ word }) => past.has(word))
    ? 'past'
    : tokens.some(({ word }) => future.has(word))
      ? 'future'
      : 'present'
  return `${kind} ${time}${wished}`
}

// --- Names and directions

/** Words that name one thing: capitalised within a sentence, codes, words with digits or signs in them. */
const namesOf = ({ tokens }: Read): string[] =>
  tokens
    .filter(({ text, word, first }) => {
      if (/\p{L}/u.test(word) && /[\d_/+#.]/.test(word)) return true
      if (!/^\p{Lu}/u.test(text) || word === 'i') return false
      if (/\p{Lu}/u.test(text.slice(1))) return true
      return first ? !english.has(word) && !auxiliary.has(word) : true
    })
    .map(({ word }) => word)

const knowsNames = (a: Read, b: Read): boolean => {
  const stems = new Set([...b.bag].map(stem))
  return namesOf(a).every((name) => stems.has(stem(name)))
}

const directed = words('to from into than over by before after against for of on with about in at under via versus vs')

/** Words of which each question has both, and which stand on different sides: "from A to B" is not "from B to A". */
const isTurnedRound = (a: Read, b: Read): boolean => {
  const after = ({ tokens }: Read): Map<string, string> => {
    const found = new Map<string, string>()
    for (const [at, { word }] of tokens.entries()) {
      if (!directed.has(word)) continue
      const next = tokens.slice(at + 1).find((token) => !english.has(token.word))
      if (next && !found.has(word)) found.set(word, stem(next.word))
    }
    return found
  }
  const stemsOf = ({ bag }: Read) => new Set([...bag].map(stem))
  const [afterA, afterB, stemsA, stemsB] = [after(a), after(b), stemsOf(a), stemsOf(b)]
  for (const [relation, one] of afterA) {
    const other = afterB.get(relation)
    if (other !== undefined && other !== one && stemsB.has(one) && stemsA.has(other)) return true
  }
  const common = (from: Read, to: ReadonlySet<string>) =>
    [...new Set(namesOf(from).map(stem))].filter((name) => to.has(name))
  const [namesA, namesB] = [common(a, stemsB), common(b, stemsA)]
  const shared = namesA.filter((name) => namesB.includes(name))
  if (shared.join(' ') !== namesB.filter((name) => shared.includes(name)).join(' ')) return true
  // "Do men like tall women" and the reverse: both sides of a pair, in another order.
  const sides = ({ tokens }: Read) =>
    oppositePairs
      .map(([left, right]) => tokens.map(({ word }) => (left.has(word) ? 'l' : right.has(word) ? 'r' : '')).join(''))
      .map((order) => (order.includes('l') && order.includes('r') ? order : ''))
  const sidesB = sides(b)
  if (sides(a).some((order, at) => order !== '' && sidesB[at] !== '' && order !== sidesB[at])) return true
  // A word said twice here and once there stands for another thing: "science and the philosophy of science".
  const counts = ({ tokens }: Read) => {
    const found = new Map<string, number>()
    for (const { word } of tokens) if (!english.has(word)) found.set(stem(word), (found.get(stem(word)) ?? 0) + 1)
    return found
  }
  const countsB = counts(b)
  return [...counts(a)].some(([word, count]) => count !== (countsB.get(word) ?? count))
}

/** Points at something that is not in the question: what it is, only its conversation knows. */
const isPointing = ({ tokens }: Read): boolean =>
  tokens.some(({ word }, at) => {
    if (/^(?:this|these|those|above|below|following|here)$/.test(word)) return true
    return word === 'that' && at === tokens.length - 1
  })

/** The first thing in which the questions differ so that one's answer is not the other's; null when nothing speaks against it. */
export const findDifference = (one: string, other: string): Difference | null => {
  const a = read(one)
  const b = read(other)
  if (!isEnglish(a) || !isEnglish(b)) return 'language'
  if (!equalBags(numbersOf(a), numbersOf(b))) return 'numbers'
  if (!equalBags(datesOf(a), datesOf(b))) return 'dates'
  if (!equalBags(unitsOf(a), unitsOf(b))) return 'units'
  if (!equalBags(negationsOf(a), negationsOf(b))) return 'negation'
  if (askedOf(a) !== askedOf(b)) return 'question-word'
  if (areOpposed(a, b)) return 'opposites'
  if (!knowsNames(a, b) || !knowsNames(b, a)) return 'names'
  if (isTurnedRound(a, b)) return 'order'
  if (isPointing(a) || isPointing(b)) return 'context'
  return null
}

/** Words that ask, count loosely or address somebody: a question keeps its meaning when they change. */
const emptyWords = words(
  'am any some one ones someone anyone people person get best good way ways really actually ever most much many also just very exactly about he her his him she they them up down out off did does shall might must me mine myself yourself which who whom whose what when where why how',
)

const contentOf = ({ tokens }: Read): string =>
  tokens
    .filter(({ word }) => !emptyWords.has(word) && !english.has(word))
    .map(({ word }) => (word.length > 4 ? word.replace(/(?:ing|ed|es|s|e)$/, '') : word))
    .join(' ')

/** Whether both say the same with the same words in the same order, and only words without content differ. */
export const isSameWording = (one: string, other: string): boolean => contentOf(read(one)) === contentOf(read(other))

/** Whether the question can be compared at all: English, and not about something that only its conversation knows. */
export const isComparable = (question: string): boolean => findDifference(question, question) === null
