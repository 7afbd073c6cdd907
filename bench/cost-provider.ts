/**
 * Three models behind one OpenAI-compatible address, for `bench/cost.ts`. They read the sources they were given and nothing else: one
 * that is right says the expected fact when it is among its sources; one that is wrong quotes the source that bears least on the
 * question. They count tokens at four characters each, and what a prompt shares with an earlier one of the same model as cached.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseQuestion } from '#lib/shared/source-slot.ts'
import { contentWords, sentences } from '#lib/shared/text.ts'

type Message = { role: string; content: string }
type Body = { model: string; stream?: boolean; messages: Message[]; response_format?: { type?: string } }

export type Knowing = {
  /** What the model of that name says to a question: the fact it should find, and whether it is a time that it does. */
  answerTo(question: string, model: string): { fact: string | null; right: boolean }
  /** A follow-up as it would be asked by itself. */
  standalone(question: string, earlier: readonly string[]): string
}

/** How a provider keeps the beginnings of prompts. */
export type PrefixCache = { tokensMin: number; tokensStep: number; keptMs: number } | null

export type CostProvider = {
  url: string
  /** The time of the day that is replayed, and the conversation whose turn it is. */
  setMoment(ms: number, chat: string): void
  /** Forgets every prompt; null: nothing is kept. */
  setPrefixCache(cache: PrefixCache): void
  /** From turn to turn of a conversation: what stood before the sources, in characters, and how much of it still begins the next prompt. */
  prefixes(): { chars: number; same: number }
  close(): Promise<void>
}

const charsPerToken = 4
const tokensOf = (text: string): number => Math.ceil(text.length / charsPerToken)

/** Words and figures alone: what masking and spacing do to a text must not hide a fact. */
export const bare = (text: string): string =>
  (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  ).join(' ')

const commonLength = (a: string, b: string): number => {
  const most = Math.min(a.length, b.length)
  let at = 0
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  return at
}

type Sentence = { n: number; text: string; worth: number }

const readSentences = (question: string, passages: readonly { n: number; text: string }[]): Sentence[] => {
  const asked = new Set(contentWords(question))
  return passages.flatMap(({ n, text }, rank) =>
    sentences(text)
      .map(({ start, end }) => text.slice(start, end).replace(/\s+/g, ' '))
      .filter((sentence) => sentence.length > 30)
      .map((sentence) => {
        const words = new Set(contentWords(sentence))
        const shared = [...asked].filter((word) => words.has(word)).length
        return { n, text: sentence, worth: (shared / Math.sqrt(5 + words.size)) * (1 - 0.05 * rank) }
      }),
  )
}

const cited = ({ n, text }: Sentence): string => `${text.replace(/[.!?]+$/, '')} [${n}].`

const answer = (prompt: string, model: string, knowing: Knowing): string => {
  const { question, passages } = parseQuestion(prompt)
  const read = readSentences(question, passages).sort((a, b) => b.worth - a.worth)
  if (read.length === 0) return 'The sources do not answer this.'
  const { fact, right } = knowing.answerTo(question, model)
  if (!right) return read.slice(-2).map(cited).join(' ')
  const known = fact === null ? undefined : read.find(({ text }) => bare(text) === bare(fact))
  const said = known ? [known, ...read.filter((one) => one !== known)] : read
  return said.slice(0, 3).map(cited).join(' ')
}

const beginning = (text: string): string =>
  sentences(text)
    .slice(0, 4)
    .map(({ start, end }) => text.slice(start, end))
    .join(' ')
    .slice(0, 360)

const json = (messages: readonly Message[], knowing: Knowing): string => {
  const system = messages.find(({ role }) => role === 'system')?.content ?? ''
  const { question } = parseQuestion(messages.findLast(({ role }) => role === 'user')?.content ?? '')
  if (system.includes('"summary"')) {
    // A few texts in one call get a summary each.
    const parts = question.split(/^### .*$/m).filter((part) => part.trim())
    return JSON.stringify({ summary: parts.map(beginning).join('\n') })
  }
  const earlier = messages.filter(({ role }) => role === 'user').map(({ content }) => content)
  return JSON.stringify({ question: knowing.standalone(question, earlier.slice(0, -1)) })
}

const readBody = async (request: IncomingMessage): Promise<Body> => {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as Body
}

export const startCostProvider = async (knowing: Knowing): Promise<CostProvider> => {
  let nowMs = 0
  let cache: PrefixCache = null
  const kept = new Map<string, { text: string; atMs: number }[]>()
  let chat = ''
  const headOf = new Map<string, string>()
  let seen = { chars: 0, same: 0 }

  const cachedTokens = (model: string, text: string): number => {
    if (!cache) return 0
    const { tokensMin, tokensStep, keptMs } = cache
    const known = (kept.get(model) ?? []).filter(({ atMs }) => nowMs - atMs <= keptMs)
    const common = Math.max(0, ...known.map((one) => commonLength(one.text, text)))
    kept.set(model, [...known, { text, atMs: nowMs }])
    const tokens = Math.floor(Math.floor(common / charsPerToken) / tokensStep) * tokensStep
    return tokens >= tokensMin ? tokens : 0
  }

  const note = (messages: readonly Message[]): void => {
    // What comes before the evidence: everything but the last message.
    const head = messages
      .slice(0, -1)
      .map(({ role, content }) => `${role}\n${content}\n`)
      .join('')
    const before = headOf.get(chat)
    if (before !== undefined) seen = { chars: seen.chars + before.length, same: seen.same + commonLength(before, head) }
    headOf.set(chat, head)
  }

  const complete = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request)
    const { model, messages } = body
    const isJson = body.response_format !== undefined
    const prompt = messages.map(({ role, content }) => `${role}\n${content}\n`).join('')
    const text = isJson ? json(messages, knowing) : answer(messages.at(-1)?.content ?? '', model, knowing)
    if (!isJson) note(messages)
    const usage = {
      prompt_tokens: tokensOf(prompt),
      completion_tokens: tokensOf(text),
      total_tokens: tokensOf(prompt) + tokensOf(text),
      prompt_tokens_details: { cached_tokens: cachedTokens(model, prompt) },
    }
    const id = 'chatcmpl-cost'
    if (!body.stream) {
      response.writeHead(200, { 'content-type': 'application/json' })
      const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }]
      response.end(JSON.stringify({ id, object: 'chat.completion', created: 0, model, choices, usage }))
      return
    }
    const chunk = (choices: unknown[], more: object = {}): string =>
      `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 0, model, choices, ...more })}\n\n`
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk([{ index: 0, delta: { role: 'assistant', content: text }, finish_reason: null }]))
    response.write(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]))
    response.write(chunk([], { usage }))
    response.end('data: [DONE]\n\n')
  }

  const server = createServer((request, response) => {
    complete(request, response).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    setMoment: (ms, turnOf) => {
      nowMs = ms
      chat = turnOf
    },
    setPrefixCache: (next) => {
      cache = next
      kept.clear()
      headOf.clear()
      seen = { chars: 0, same: 0 }
    },
    prefixes: () => seen,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
