/**
 * The answerer that needs no vendor: a language model to the rest of the product, in truth a reader that quotes. It reads the
 * question and the sources from the prompt's slots, picks the sentences and table rows that answer, and hands them on word for
 * word with their citations. It invents nothing, follows no instruction, and says so when the sources are only near the question.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { parseQuestion } from '#lib/shared/source-slot.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import { encodedUnitsMax, lexicalScores, readQuery, scoreUnits, selectUnits } from './answerer-select.ts'
import { type Unit, unitsOf } from './answerer-units.ts'
import { writeAnswer } from './answerer-write.ts'

export const extractiveModelId = 'built-in-extractive-1'

/** The gateway's encoder; it may throw when there is none, and words alone decide then. */
export type Embed = (
  texts: readonly string[],
  call: { purpose: 'query' | 'passage'; signal?: AbortSignal },
) => Promise<{ vectors: Float32Array[] }>

/** Between pieces of a streamed answer: long enough to be seen as writing, short enough not to be waited for. */
const pieceMs = 6
const wordsPerPiece = 2

const textOf = (content: LanguageModelV4CallOptions['prompt'][number]['content']): string =>
  typeof content === 'string'
    ? content
    : content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')

const cosine = (one: Float32Array, other: Float32Array): number => {
  let dot = 0
  let a = 0
  let b = 0
  for (let i = 0; i < one.length; i++) {
    const [x, y] = [one[i] ?? 0, other[i] ?? 0]
    dot += x * y
    a += x * x
    b += y * y
  }
  return a === 0 || b === 0 ? 0 : dot / Math.sqrt(a * b)
}

type Reading = {
  question: string
  units: readonly Unit[]
  lexical: readonly number[]
  embed: Embed
  signal: AbortSignal | undefined
}

/** Cosine of each unit that is worth reading, or null without an encoder. */
const readMeaning = async ({
  question,
  units,
  lexical,
  embed,
  signal,
}: Reading): Promise<(number | undefined)[] | null> => {
  const read = units
    .map((unit, i) => ({ unit, i, score: lexical[i] ?? 0 }))
    .filter(({ unit }) => !unit.isQuestion)
    .sort((a, b) => b.score - a.score)
    .slice(0, encodedUnitsMax)
  if (read.length === 0) return null
  const call = signal ? { signal } : {}
  try {
    const [asked, said] = await Promise.all([
      embed([question], { purpose: 'query', ...call }),
      embed(
        read.map(({ unit }) => unit.readable),
        { purpose: 'passage', ...call },
      ),
    ])
    const query = asked.vectors[0]
    if (!query) return null
    const cosines: (number | undefined)[] = units.map(() => undefined)
    for (const [at, { i }] of read.entries()) {
      const vector = said.vectors[at]
      if (vector) cosines[i] = cosine(query, vector)
    }
    return cosines
  } catch {
    // Without the encoder the answer is less apt and no less true.
    signal?.throwIfAborted()
    return null
  }
}

/** The whole answer to a prompt; pure but for the encoder. */
const composeAnswer = async (
  prompt: LanguageModelV4CallOptions['prompt'],
  embed: Embed,
  signal?: AbortSignal,
): Promise<string> => {
  const asked = prompt.filter(({ role }) => role === 'user').map(({ content }) => textOf(content))
  const { question, passages } = parseQuestion(asked.at(-1) ?? '')
  const before = asked.at(-2)
  const query = readQuery(question, before === undefined ? undefined : parseQuestion(before).question)
  const units = unitsOf(passages)
  const cosines = await readMeaning({
    question: query.text,
    units,
    lexical: lexicalScores(query, units),
    embed,
    signal,
  })
  return writeAnswer(
    selectUnits({ query, units, scores: scoreUnits(query, units, cosines), encoded: cosines !== null }),
  )
}

const usageOf = (prompt: LanguageModelV4CallOptions['prompt'], answer: string): LanguageModelV4Usage => {
  const input = estimateTokens(prompt.map(({ content }) => textOf(content)).join('\n'))
  const output = estimateTokens(answer)
  return {
    inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: output, text: output, reasoning: 0 },
  }
}

const piecesOf = (text: string): string[] => {
  const words = text.match(/\S+\s*|\s+/g) ?? []
  return Array.from({ length: Math.ceil(words.length / wordsPerPiece) }, (_, i) =>
    words.slice(i * wordsPerPiece, (i + 1) * wordsPerPiece).join(''),
  )
}

const stop = { unified: 'stop', raw: 'stop' } as const

export type ExtractiveOptions = { embed: Embed /** Milliseconds between streamed pieces. */; pauseMs?: number }

/** A language model that answers from the prompt's sources by quoting them. Its calls cost nothing and leave no machine. */
export const createExtractiveModel = ({ embed, pauseMs = pieceMs }: ExtractiveOptions): LanguageModelV4 => ({
  specificationVersion: 'v4',
  provider: 'built-in',
  modelId: extractiveModelId,
  supportedUrls: {},
  doGenerate: async ({ prompt, abortSignal }) => {
    const text = await composeAnswer(prompt, embed, abortSignal)
    return {
      content: [{ type: 'text', text }],
      finishReason: stop,
      usage: usageOf(prompt, text),
      response: { modelId: extractiveModelId },
      warnings: [],
    }
  },
  doStream: async ({ prompt, abortSignal }) => {
    const cancelled = new AbortController()
    const signal = abortSignal ? AbortSignal.any([abortSignal, cancelled.signal]) : cancelled.signal
    const parts = async function* (): AsyncGenerator<LanguageModelV4StreamPart> {
      yield { type: 'stream-start', warnings: [] }
      yield { type: 'response-metadata', modelId: extractiveModelId }
      const text = await composeAnswer(prompt, embed, signal)
      yield { type: 'text-start', id: '1' }
      for (const delta of piecesOf(text)) {
        yield { type: 'text-delta', id: '1', delta }
        if (pauseMs > 0) await pause(pauseMs, undefined, { signal })
      }
      yield { type: 'text-end', id: '1' }
      yield { type: 'finish', finishReason: stop, usage: usageOf(prompt, text) }
    }
    const source = parts()
    return {
      stream: new ReadableStream<LanguageModelV4StreamPart>({
        pull: async (controller) => {
          try {
            const { done, value } = await source.next()
            if (done) controller.close()
            else controller.enqueue(value)
          } catch (error) {
            controller.error(error)
          }
        },
        cancel: () => cancelled.abort(),
      }),
    }
  },
})
