/**
 * How vendors say the same things: what a request asks for, a stream's events, a whole answer, a refusal. OpenAI's chat completions
 * and responses, Anthropic's messages, Google's generateContent, and the embeddings of those who have them. It knows nothing of
 * connections and scripts.
 * Sources: platform.openai.com/docs/api-reference, platform.claude.com/docs/en/api/messages-streaming, ai.google.dev/api.
 */

/** Tokens as a client is told them; `cached_tokens` are part of the prompt's, `reasoning_tokens` of the completion's. */
export type ToldUsage = {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  cached_tokens?: number
  reasoning_tokens?: number
}
export type Finish = 'stop' | 'length' | 'content_filter'
export type Message = { role: string; content: unknown }
/** What every vendor's request says, whatever its form. `json`: an object is wanted; `tool`: by the call of a tool of that name. */
export type Asked = {
  model: string
  stream: boolean
  messages: Message[]
  json: { schema: unknown } | null
  tool: string | null
}
export type Answer = { id: string; model: string; fingerprint: string | undefined; tool: string | null }
export type Event = { name?: string; data: unknown }
type End = { text: string; finish: Finish; usage: ToldUsage | null }
/** A vendor's words for a failure; the code is the vendor's own. */
export type Refusal = { message: string; code?: string }

export type Vendor = {
  read(body: unknown, path: string): Asked
  opening(answer: Answer, tokensIn: ToldUsage | null): Event[]
  delta(answer: Answer, text: string): Event
  closing(answer: Answer, end: End): Event[]
  whole(answer: Answer, end: End): unknown
  /** The body of an answer with an error's status. */
  refusal(status: number, refusal: Refusal): unknown
  /** A failure of the provider's own, as an event in a stream. */
  failure(message: string): Event
}

/** The words of a message, from its text or its parts. */
export const contentText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map((part: { text?: string }) => part.text ?? '').join('\n')
      : ''

type Details = { cached: number; reasoning: number }
const detailsOf = ({ cached_tokens = 0, reasoning_tokens = 0 }: ToldUsage): Details => ({
  cached: cached_tokens,
  reasoning: reasoning_tokens,
})

type OpenAiBody = {
  model?: string
  stream?: boolean
  messages?: Message[]
  /** Of the responses API: a text, or messages. */
  input?: unknown
  instructions?: string
  response_format?: { type?: string; json_schema?: { schema?: unknown } }
  text?: { format?: { type?: string; schema?: unknown } }
}

const openAiAsked = (read: unknown): Asked => {
  const { model = 'mock-1', stream = false, messages, input, instructions, response_format, text } = read as OpenAiBody
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : Array.isArray(input) ? input : []
  const format = text?.format ?? response_format
  const wantsJson = format?.type === 'json_schema' || format?.type === 'json_object'
  return {
    model,
    stream,
    messages: messages ?? [
      ...(instructions ? [{ role: 'system', content: instructions }] : []),
      ...(said as Message[]),
    ],
    json: wantsJson ? { schema: text?.format?.schema ?? response_format?.json_schema?.schema } : null,
    tool: null,
  }
}

const openAiRefusal = (_status: number, { message, code }: Refusal) => ({
  error: { message, type: 'mock', param: null, code: code ?? null },
})

const completionChunk = ({ id, model, fingerprint }: Answer, delta: unknown, finish: Finish | null = null) => ({
  id,
  object: 'chat.completion.chunk',
  created: 0,
  model,
  ...(fingerprint ? { system_fingerprint: fingerprint } : {}),
  choices: [{ index: 0, delta, finish_reason: finish }],
})

const completionUsage = (usage: ToldUsage) => {
  const { cached, reasoning } = detailsOf(usage)
  const { prompt_tokens, completion_tokens, total_tokens } = usage
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}

const completions: Vendor = {
  read: openAiAsked,
  opening: (answer) => [{ data: completionChunk(answer, { role: 'assistant', content: '' }) }],
  delta: (answer, text) => ({ data: completionChunk(answer, { content: text }) }),
  closing: (answer, { finish, usage }) => [
    { data: completionChunk(answer, {}, finish) },
    ...(usage ? [{ data: { ...completionChunk(answer, {}), choices: [], usage: completionUsage(usage) } }] : []),
    { data: '[DONE]' },
  ],
  whole: ({ id, model, fingerprint }, { text, finish, usage }) => ({
    id,
    object: 'chat.completion',
    created: 0,
    model,
    ...(fingerprint ? { system_fingerprint: fingerprint } : {}),
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finish }],
    ...(usage ? { usage: completionUsage(usage) } : {}),
  }),
  refusal: openAiRefusal,
  failure: (message) => ({ name: 'error', data: { error: { message, type: 'server_error', code: null } } }),
}

const typed = (type: string, rest: Record<string, unknown>): Event => ({ name: type, data: { type, ...rest } })
const itemId = 'msg_1'
const outputPart = (text: string) => ({ type: 'output_text', text, annotations: [] })
const outputItem = (status: string, content: unknown[]) => ({
  id: itemId,
  type: 'message',
  role: 'assistant',
  status,
  content,
})
const inItem = { item_id: itemId, output_index: 0, content_index: 0 }

const responses: Vendor = {
  read: openAiAsked,
  opening: ({ id, model }) => [
    typed('response.created', {
      response: { id, object: 'response', created_at: 0, status: 'in_progress', model, output: [] },
    }),
    typed('response.output_item.added', { output_index: 0, item: outputItem('in_progress', []) }),
    typed('response.content_part.added', { ...inItem, part: outputPart('') }),
  ],
  delta: (_, text) => typed('response.output_text.delta', { ...inItem, delta: text }),
  closing: (answer, end) => [
    typed('response.output_text.done', { ...inItem, text: end.text }),
    typed('response.content_part.done', { ...inItem, part: outputPart(end.text) }),
    typed('response.output_item.done', { output_index: 0, item: outputItem('completed', [outputPart(end.text)]) }),
    typed(end.finish === 'stop' ? 'response.completed' : 'response.incomplete', {
      response: responses.whole(answer, end),
    }),
  ],
  whole: ({ id, model }, { text, finish, usage }) => ({
    id,
    object: 'response',
    created_at: 0,
    status: finish === 'stop' ? 'completed' : 'incomplete',
    incomplete_details:
      finish === 'stop' ? null : { reason: finish === 'length' ? 'max_output_tokens' : 'content_filter' },
    model,
    output: [outputItem('completed', [outputPart(text)])],
    ...(usage
      ? {
          usage: {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: { cached_tokens: detailsOf(usage).cached },
            output_tokens: usage.completion_tokens,
            output_tokens_details: { reasoning_tokens: detailsOf(usage).reasoning },
            total_tokens: usage.total_tokens,
          },
        }
      : {}),
  }),
  refusal: openAiRefusal,
  failure: (message) => typed('error', { code: 'server_error', message, param: null, sequence_number: 0 }),
}

type AnthropicBody = {
  model?: string
  stream?: boolean
  system?: unknown
  messages?: Message[]
  output_config?: { format?: { schema?: unknown } }
  output_format?: { schema?: unknown }
  tools?: { name?: string; input_schema?: unknown }[]
}

const stopReasons = { stop: 'end_turn', length: 'max_tokens', content_filter: 'refusal' } as const
const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

/** What came from the cache is not among the input tokens here. One that tells no usage says nothing was used. */
const anthropicTokensIn = (usage: ToldUsage | null) => ({
  input_tokens: usage ? usage.prompt_tokens - detailsOf(usage).cached : 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: usage ? detailsOf(usage).cached : 0,
})
const anthropicTokensOut = (usage: ToldUsage | null) => ({
  output_tokens: usage?.completion_tokens ?? 0,
  ...(usage?.reasoning_tokens ? { output_tokens_details: { thinking_tokens: usage.reasoning_tokens } } : {}),
})
const anthropicStop = ({ tool }: Answer, finish: Finish): string =>
  tool !== null && finish === 'stop' ? 'tool_use' : stopReasons[finish]

const anthropic: Vendor = {
  read: (read) => {
    const {
      model = 'mock-1',
      stream = false,
      system,
      messages = [],
      output_config,
      output_format,
      tools,
    } = read as AnthropicBody
    const [only] = tools ?? []
    const format = output_config?.format ?? output_format
    return {
      model,
      stream,
      messages: [...(system ? [{ role: 'system', content: system }] : []), ...messages],
      json: format ? { schema: format.schema } : only ? { schema: only.input_schema } : null,
      tool: !format && only?.name ? only.name : null,
    }
  },
  opening: ({ id, model, tool }, usage) => [
    typed('message_start', {
      message: {
        id: id.replace('chatcmpl', 'msg'),
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...anthropicTokensIn(usage), output_tokens: 1 },
      },
    }),
    typed('content_block_start', {
      index: 0,
      content_block:
        tool === null ? { type: 'text', text: '' } : { type: 'tool_use', id: 'toolu_1', name: tool, input: {} },
    }),
    typed('ping', {}),
  ],
  delta: ({ tool }, text) =>
    typed('content_block_delta', {
      index: 0,
      delta: tool === null ? { type: 'text_delta', text } : { type: 'input_json_delta', partial_json: text },
    }),
  closing: (answer, { finish, usage }) => [
    typed('content_block_stop', { index: 0 }),
    typed('message_delta', {
      delta: { stop_reason: anthropicStop(answer, finish), stop_sequence: null },
      usage: anthropicTokensOut(usage),
    }),
    typed('message_stop', {}),
  ],
  whole: (answer, { text, finish, usage }) => ({
    id: answer.id.replace('chatcmpl', 'msg'),
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [
      answer.tool === null
        ? { type: 'text', text }
        : { type: 'tool_use', id: 'toolu_1', name: answer.tool, input: JSON.parse(text) as unknown },
    ],
    stop_reason: anthropicStop(answer, finish),
    stop_sequence: null,
    usage: { ...anthropicTokensIn(usage), ...anthropicTokensOut(usage) },
  }),
  refusal: (status, { message, code }) => ({
    type: 'error',
    error: { type: code ?? errorTypes[status] ?? 'api_error', message },
    request_id: 'req_1',
  }),
  failure: (message) => typed('error', { error: { type: 'overloaded_error', message } }),
}

type GoogleBody = {
  contents?: { role?: string; parts?: unknown }[]
  systemInstruction?: { parts?: unknown }
  generationConfig?: { responseMimeType?: string; responseSchema?: unknown; responseJsonSchema?: unknown }
}

const finishReasons = { stop: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY' } as const
const statusNames: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}

const googleUsage = (usage: ToldUsage) => {
  const { cached, reasoning } = detailsOf(usage)
  return {
    usageMetadata: {
      promptTokenCount: usage.prompt_tokens,
      // What was thought is not among what was said here.
      candidatesTokenCount: usage.completion_tokens - reasoning,
      totalTokenCount: usage.total_tokens,
      ...(cached ? { cachedContentTokenCount: cached } : {}),
      ...(reasoning ? { thoughtsTokenCount: reasoning } : {}),
    },
  }
}
const googleChunk = ({ id, model }: Answer, text: string, end?: Pick<End, 'finish' | 'usage'>) => ({
  candidates: [
    {
      index: 0,
      content: { role: 'model', parts: [{ text }] },
      ...(end ? { finishReason: finishReasons[end.finish] } : {}),
    },
  ],
  modelVersion: model,
  responseId: id,
  ...(end?.usage ? googleUsage(end.usage) : {}),
})

const google: Vendor = {
  read: (read, path) => {
    const { contents = [], systemInstruction, generationConfig } = read as GoogleBody
    const wantsJson = generationConfig?.responseMimeType === 'application/json'
    return {
      model: path.match(/models\/([^:]+):/)?.[1] ?? 'mock-1',
      stream: path.endsWith(':streamGenerateContent'),
      messages: [
        ...(systemInstruction ? [{ role: 'system', content: systemInstruction.parts }] : []),
        ...contents.map(({ role, parts }) => ({ role: role === 'model' ? 'assistant' : 'user', content: parts })),
      ],
      json: wantsJson ? { schema: generationConfig?.responseJsonSchema ?? generationConfig?.responseSchema } : null,
      tool: null,
    }
  },
  opening: () => [],
  delta: (answer, text) => ({ data: googleChunk(answer, text) }),
  closing: (answer, end) => [{ data: googleChunk(answer, '', end) }],
  whole: (answer, end) => googleChunk(answer, end.text, end),
  refusal: (status, { message, code }) => ({
    error: { code: status, message, status: code ?? statusNames[status] ?? 'INTERNAL' },
  }),
  failure: (message) => ({ data: { error: { code: 503, message, status: 'UNAVAILABLE' } } }),
}

const models = '^/v1beta/models/[^/:]+'
const vendors: [RegExp, Vendor][] = [
  [/^(?:\/v1)?\/chat\/completions$/, completions],
  [/^(?:\/v1)?\/responses$/, responses],
  [/^\/v1\/messages$/, anthropic],
  [new RegExp(`${models}:(?:streamG|g)enerateContent$`), google],
]

/** Who is spoken to, by method and path; undefined where nobody answers. */
export const vendorOf = (method: string, path: string): Vendor | undefined =>
  method === 'POST' ? vendors.find(([shape]) => shape.test(path))?.[1] : undefined

type OpenAiTexts = { input?: unknown; model?: string; dimensions?: number; encoding_format?: string }
type GoogleTexts = { content?: { parts?: unknown }; outputDimensionality?: number }
export type Texts = {
  texts: string[]
  dimensions: number | undefined
  /** The vectors as the vendor says them. */
  answer(vectors: number[][], model: string | undefined, usage: ToldUsage | null): unknown
  refusal: Vendor['refusal']
}

const base64 = (vector: readonly number[]): string => Buffer.from(Float32Array.from(vector).buffer).toString('base64')

/** A call for vectors; undefined where the path is for something else. */
export const readTexts = (method: string, path: string, body: unknown): Texts | undefined => {
  if (method !== 'POST') return undefined
  if (/^(?:\/v1)?\/embeddings$/.test(path)) {
    const { input, model, dimensions, encoding_format } = body as OpenAiTexts
    return {
      texts: (Array.isArray(input) ? input : [input]).map(String),
      dimensions,
      answer: (vectors, served, usage) => ({
        object: 'list',
        data: vectors.map((vector, index) => ({
          object: 'embedding',
          index,
          embedding: encoding_format === 'base64' ? base64(vector) : vector,
        })),
        model: served ?? model ?? 'mock-embedding',
        ...(usage ? { usage } : {}),
      }),
      refusal: openAiRefusal,
    }
  }
  const [, how] = path.match(new RegExp(`${models}:(embedContent|batchEmbedContents)$`)) ?? []
  if (!how) return undefined
  const many = how === 'batchEmbedContents'
  const calls = many ? ((body as { requests?: GoogleTexts[] }).requests ?? []) : [body as GoogleTexts]
  return {
    texts: calls.map(({ content }) => contentText(content?.parts)),
    dimensions: calls[0]?.outputDimensionality,
    answer: (vectors) => {
      const embeddings = vectors.map((values) => ({ values }))
      return many ? { embeddings } : { embedding: embeddings[0] }
    },
    refusal: google.refusal,
  }
}

type RankTexts = { query?: unknown; documents?: unknown; model?: string }
export type Ranks = {
  query: string
  documents: string[]
  /** The order as Cohere v2 and those who speak like it say it. */
  answer(scores: number[], usage: ToldUsage | null): unknown
  refusal: Vendor['refusal']
}

/** A call that has passages put in order; undefined where the path is for something else. */
export const readRanks = (method: string, path: string, body: unknown): Ranks | undefined => {
  if (method !== 'POST' || !/^(?:\/v1)?\/rerank$/.test(path)) return undefined
  const { query, documents, model } = body as RankTexts
  return {
    query: String(query),
    documents: (Array.isArray(documents) ? documents : []).map(String),
    answer: (scores, usage) => ({
      model: model ?? 'mock-reranker',
      results: scores
        .map((relevance_score, index) => ({ index, relevance_score }))
        .sort((a, b) => b.relevance_score - a.relevance_score),
      ...(usage ? { usage } : {}),
    }),
    refusal: openAiRefusal,
  }
}

/** A list of models in the form of whoever is asked, Anthropic's reads as OpenAI's does; undefined where there is none. */
export const modelList = (method: string, path: string, names: readonly string[]): unknown => {
  if (method !== 'GET') return undefined
  if (path === '/v1beta/models')
    return {
      models: names.map((name) => ({ name: `models/${name}`, supportedGenerationMethods: ['generateContent'] })),
    }
  if (path !== '/models' && path !== '/v1/models') return undefined
  return { object: 'list', data: names.map((id) => ({ id, object: 'model' })) }
}

/** The same event with a field in every object that nobody knows yet. */
export const withNewFields = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withNewFields)
  if (typeof value !== 'object' || value === null) return value
  return {
    ...Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withNewFields(inner)])),
    x_new: { since: 'tomorrow' },
  }
}
