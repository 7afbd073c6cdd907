/**
 * A recorded day for `bench/cost.ts`, made from public sets of questions: the same day on every run. What is measured there rests on
 * how this day is made, so everything that was chosen is written here and printed there.
 *
 * - Conversations: answerable ones of a set of multi-turn questions, each with its last turns. The earlier answers are those of the
 *   record, so that every arm has the same history. Their passages are documents; the expected fact is the sentence of them that is
 *   nearest to the reference answer. Only the last turn has one.
 * - Desk questions: groups of questions that people asked in different words and that were labelled the same, from the half of the set
 *   that the semantic cache was not fitted on. Each group has a document with a made-up ruling, which is the expected fact. Every
 *   wording is asked, and some questions are asked again word for word, popular ones more often.
 * - Look-alikes: pairs labelled different, each question with a document and a ruling of its own.
 * - Notes: short texts that arrive during the day and are summarised in the background.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { normalisedQuestion } from '#lib/gateway/cache-guards.ts'
import { promptDifficulty } from '#lib/gateway/route.ts'
import { contentWords, sentences } from '#lib/shared/text.ts'
import { seededRandom, shuffledPositions } from '../scripts/softmax.ts'

export const dayMs = 86_400_000
const hourMs = 3_600_000

export type DayTurn = { role: 'user' | 'assistant'; content: string }
type AskedAs = 'conversation' | 'new' | 'other words' | 'word for word' | 'look-alike'
export type DayQuestion = {
  /** Since midnight. */
  atMs: number
  text: string
  as: AskedAs
  /** A conversation of its own where there is no other. */
  chat: string
  history: DayTurn[]
  /** A sentence of a document that the answer must contain; null where none is known. */
  fact: string | null
  /** Whether a weak and a strong model get it right: a record of the routing set, drawn by its rank in difficulty. */
  right: { fast: boolean; standard: boolean; flagship: boolean }
  /** How long a model writes, for each time it is asked. */
  writingMs: number[]
}
export type DayDocument = { name: string; title: string; text: string }
export type Day = {
  documents: DayDocument[]
  questions: DayQuestion[]
  notes: { title: string; text: string }[]
  /** How it was made, in sentences with its numbers. */
  made: string[]
}

const seed = 20_261_121
const documentsMax = 300
const conversationsMax = 60
const turnsOfConversation = 3
const groupsMax = 60
const repeatsOfDay = 60
const lookAlikePairs = 30
const notesOfDay = 48
/** A working day: questions come between eight and six. */
const opensMs = 8 * hourMs
const openMs = 10 * hourMs
/** Of log-normal times to write an answer: the median, and the spread of the logarithm. */
const writingMedianMs = 7_000
const writingSpread = 0.6
const asksMax = 3

const passageSchema = z.object({ _id: z.string(), title: z.string(), text: z.string() })
const conversationSchema = z.object({
  _id: z.string(),
  answerability: z.string(),
  turns: z.array(z.object({ speaker: z.string(), text: z.string() })),
  targets: z.array(z.string()),
  contexts: z.array(z.string()),
})
const pairSchema = z.object({ a: z.string(), b: z.string(), same: z.boolean() })
const recordSchema = z.object({ prompt: z.string(), weak: z.boolean(), strong: z.boolean() })

/** What a folder must hold. */
export const dayFiles = [
  'mtrag/corpus.jsonl',
  'mtrag/conversations.jsonl',
  'question-pairs/pairs.jsonl',
  'routing/mmlu.jsonl',
] as const

export const missingFiles = (folder: string): string[] => dayFiles.filter((file) => !existsSync(join(folder, file)))

const readLines = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => schema.parse(JSON.parse(line)))

const wordsOf = (text: string): Set<string> => new Set(contentWords(text))

/** The sentence that has most of the reference's words for its length; null when none comes near. */
const nearestSentence = (texts: readonly string[], reference: string): string | null => {
  const wanted = wordsOf(reference)
  let best: { sentence: string; worth: number } | null = null
  for (const text of texts)
    for (const { start, end } of sentences(text)) {
      const sentence = text.slice(start, end)
      const words = wordsOf(sentence)
      if (words.size < 6 || sentence.length > 500) continue
      const shared = [...words].filter((word) => wanted.has(word)).length
      const worth = shared / Math.sqrt(words.size)
      if (shared >= 5 && (!best || worth > best.worth)) best = { sentence, worth }
    }
  return best?.sentence ?? null
}

type Pair = z.output<typeof pairSchema>

/** Questions that hang together by labels. */
const groupsOf = (pairs: readonly Pair[]): Map<string, string[]> => {
  const parents = new Map<string, string>()
  const of = (one: string): string => {
    const parent = parents.get(one) ?? one
    return parent === one ? one : of(parent)
  }
  for (const { a, b } of pairs) {
    const [first = a, second = b] = [of(a), of(b)].sort()
    if (first !== second) parents.set(second, first)
  }
  return Map.groupBy(new Set(pairs.flatMap(({ a, b }) => [a, b])), of)
}

/** The half of the pairs that the semantic cache's prior was not measured on, as `bench/cache.ts` parts them. */
const unfittedPairs = (pairs: readonly Pair[]): Pair[] => {
  const rootOf = new Map([...groupsOf(pairs)].flatMap(([root, all]) => all.map((question) => [question, root])))
  const isFitted = (question: string): boolean =>
    (createHash('sha256')
      .update(rootOf.get(question) ?? question)
      .digest()[0] ?? 0) %
      2 ===
    0
  return pairs.filter(({ a }) => !isFitted(a))
}

/** Reads the sets in `folder` and makes the day. */
export const makeDay = async (folder: string): Promise<Day> => {
  const [passages, conversations, allPairs, records] = await Promise.all([
    readLines(join(folder, dayFiles[0]), passageSchema),
    readLines(join(folder, dayFiles[1]), conversationSchema),
    readLines(join(folder, dayFiles[2]), pairSchema),
    readLines(join(folder, dayFiles[3]), recordSchema),
  ])
  const random = seededRandom(seed)
  const shuffled = <Item>(items: readonly Item[]): Item[] =>
    [...shuffledPositions(items.length, random)].flatMap((at) => items.slice(at, at + 1))
  const someTime = (): number => Math.round(opensMs + random() * openMs)
  const passageOf = new Map(passages.map((one) => [one._id, one]))
  const used = new Set<string>()
  const documents: DayDocument[] = []
  type Made = Omit<DayQuestion, 'right' | 'writingMs'>
  const made: Made[] = []

  // Conversations
  const answerable = conversations.filter(
    ({ answerability, contexts, targets }) =>
      answerability === 'ANSWERABLE' && targets.length > 0 && contexts.every((id) => passageOf.has(id)),
  )
  const texts = new Set<string>()
  let conversationsTaken = 0
  for (const { _id, turns, targets, contexts } of shuffled(answerable)) {
    if (conversationsTaken === conversationsMax) break
    const found = contexts.flatMap((id) => passageOf.get(id) ?? [])
    const fact = nearestSentence(
      found.map(({ text }) => text),
      targets[0] ?? '',
    )
    const asked = turns.flatMap(({ speaker, text }, at) => (speaker === 'user' ? [{ text: text.trim(), at }] : []))
    const last = asked.slice(-turnsOfConversation)
    // The models know questions by their words: a text that was there before would be two questions in one.
    if (!fact || last.some(({ text }) => !text || texts.has(normalisedQuestion(text)))) continue
    conversationsTaken += 1
    for (const { _id: id, title, text } of found)
      if (!used.has(id)) {
        used.add(id)
        documents.push({ name: id, title: title || text.slice(0, text.indexOf('\n')).trim() || id, text })
      }
    let atMs = someTime()
    for (const [index, { text, at }] of last.entries()) {
      texts.add(normalisedQuestion(text))
      const history = turns.slice(0, at).map(
        ({ speaker, text: content }): DayTurn => ({
          role: speaker === 'user' ? 'user' : 'assistant',
          content,
        }),
      )
      made.push({
        atMs,
        text,
        as: 'conversation',
        chat: _id,
        history,
        fact: index === last.length - 1 ? fact : null,
      })
      atMs += 30_000 + Math.round(random() * 150_000)
    }
  }

  // Desk questions: documents with a ruling, padded with sentences on other things.
  const pairs = unfittedPairs(allPairs)
  const spare = shuffled(passages.filter(({ _id }) => !used.has(_id)))
  const padding = (): string => {
    const text = spare[Math.floor(random() * spare.length)]?.text ?? ''
    return sentences(text)
      .slice(1, 6)
      .map(({ start, end }) => text.slice(start, end))
      .join(' ')
  }
  const addDesk = (question: string): string => {
    const number = 10_000 + documents.length * 37
    const plain = question.replace(/\s+/g, ' ').replace(/[.?!]+$/, '')
    const fact = `To the question “${plain}” the desk answers with ruling K-${number}.`
    const text = `${plain}\n\n${padding()} ${fact} ${padding()}`
    documents.push({ name: `desk-${number}`, title: plain, text })
    return fact
  }
  const isPlain = (question: string): boolean =>
    question.length >= 20 && question.length <= 140 && contentWords(question).length >= 3 && !/[“”"\n]/.test(question)
  const groups = shuffled([...groupsOf(pairs.filter(({ same }) => same)).values()])
    .map((all) => all.filter((question) => isPlain(question) && !texts.has(normalisedQuestion(question))))
    .filter((all) => all.length >= 2)
    .slice(0, groupsMax)
  const asks: Made[][] = groups.map((wordings) => {
    const fact = addDesk(wordings[0] ?? '')
    for (const wording of wordings) texts.add(normalisedQuestion(wording))
    return wordings
      .map((text) => ({ text, atMs: someTime(), history: [], fact, chat: '', as: 'new' as AskedAs }))
      .sort((a, b) => a.atMs - b.atMs)
      .map((one, at) => ({ ...one, as: at === 0 ? 'new' : 'other words' }) as Made)
  })
  // Zipf: the most popular question is asked twice as often as the second, thrice as often as the third.
  const weights = asks.map((_, at) => 1 / (at + 1))
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0)
  for (let repeat = 0; repeat < repeatsOfDay && asks.length > 0; repeat += 1) {
    let left = random() * weightSum
    const at = weights.findIndex((weight) => {
      left -= weight
      return left <= 0
    })
    const own = asks[Math.max(0, at)] ?? []
    const first = own[Math.floor(random() * own.length)]
    if (!first) continue
    const atMs = Math.round(first.atMs + random() * (opensMs + openMs - first.atMs))
    made.push({ ...first, atMs, as: 'word for word' })
  }
  made.push(...asks.flat())

  // Look-alikes
  let lookAlikes = 0
  for (const { a, b } of shuffled(pairs.filter(({ same }) => !same))) {
    if (lookAlikes === lookAlikePairs) break
    const both = [a, b]
    const shared = [...wordsOf(a)].filter((word) => wordsOf(b).has(word)).length
    if (shared < 3 || !both.every((one) => isPlain(one) && !texts.has(normalisedQuestion(one)))) continue
    lookAlikes += 1
    for (const text of both) {
      texts.add(normalisedQuestion(text))
      made.push({ atMs: someTime(), text, as: 'look-alike', chat: '', history: [], fact: addDesk(text) })
    }
  }

  // The rest of the documents, and the notes.
  for (const { _id, title, text } of spare.slice(0, Math.max(0, documentsMax - documents.length)))
    documents.push({ name: _id, title: title || text.slice(0, text.indexOf('\n')).trim() || _id, text })
  const notes = spare.slice(-notesOfDay).map(({ _id, text }) => ({ title: _id, text: text.slice(0, 900) }))

  // Which models get a question right, by its rank in difficulty among the day's and the record's among its own.
  const byDifficulty = records
    .map((record) => ({ ...record, difficulty: promptDifficulty(record.prompt) }))
    .sort((a, b) => a.difficulty - b.difficulty)
  const ranked = [...new Set(made.map(({ text }) => text))]
    .map((text) => ({ text, difficulty: promptDifficulty(text) }))
    .sort((a, b) => a.difficulty - b.difficulty || a.text.localeCompare(b.text))
  const rightOf = new Map(
    ranked.map(({ text }, rank) => {
      // One of the two hundred records around the same rank.
      const middle = (rank / Math.max(1, ranked.length - 1)) * (byDifficulty.length - 1)
      const at = Math.min(byDifficulty.length - 1, Math.max(0, Math.round(middle + (random() - 0.5) * 200)))
      const { weak = true, strong = true } = byDifficulty[at] ?? {}
      // Nothing is recorded of a model between the two: where they differ it is right half the time.
      const standard = weak === strong ? weak : random() < 0.5
      return [text, { fast: weak, standard, flagship: strong }]
    }),
  )
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const questions = made
    .sort((a, b) => a.atMs - b.atMs)
    .map(
      (one, at): DayQuestion => ({
        ...one,
        chat: one.chat || `single-${at}`,
        right: rightOf.get(one.text) ?? { fast: true, standard: true, flagship: true },
        writingMs: Array.from({ length: asksMax }, () =>
          Math.round(writingMedianMs * Math.exp(writingSpread * normal())),
        ),
      }),
    )
  // A repeat may have been drawn before its first wording's time was known: the first of a text is new.
  const seen = new Set<string>()
  for (const question of questions) {
    const known = seen.has(normalisedQuestion(question.text))
    seen.add(normalisedQuestion(question.text))
    if (question.as !== 'conversation' && known) question.as = 'word for word'
  }
  const count = (as: AskedAs): number => questions.filter((one) => one.as === as).length
  return {
    documents,
    questions,
    notes,
    made: [
      `${questions.length} questions between 8:00 and 18:00, seed ${seed}: ${count('conversation')} in ${conversationsTaken} conversations with their recorded history, ${count('new') + count('look-alike')} first asked alone (${count('look-alike')} of them pairs that only look alike), ${count('other words')} asked before in other words, ${count('word for word')} asked before word for word.`,
      `${questions.filter(({ fact }) => fact).length} have an expected fact: a sentence of one of the ${documents.length} documents. ${notes.length} notes are summarised in the background.`,
      `Right or wrong: a fast, a standard and a flagship model get ${['fast', 'standard', 'flagship']
        .map(
          (tier) =>
            `${((100 * questions.filter(({ right }) => right[tier as keyof DayQuestion['right']]).length) / questions.length).toFixed(0)} %`,
        )
        .join(
          ', ',
        )} of the questions right, as the weak and the strong model of ${records.length} records did at the same rank of difficulty.`,
      `Writing an answer takes ${writingMedianMs / 1_000} s in the median and more than ${((writingMedianMs / 1_000) * Math.exp(writingSpread * 1.2816)).toFixed(0)} s one time in ten (drawn, log-normal, not waited for).`,
    ],
  }
}
