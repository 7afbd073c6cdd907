/**
 * The vendors' adapters: the only file that knows them. It says which models the environment asks for and builds any; it does not
 * call them, retry them or price them. A bare model name can reach nothing: the SDK's hosted default is replaced by an empty one.
 */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { EmbeddingModelV4, LanguageModelV4 } from '@ai-sdk/provider'
import { customProvider } from 'ai'
import { z } from 'zod'
import type { Env } from '#lib/env.ts'
import { AppError } from '#lib/shared/errors.ts'
import { guardAnswers } from './answer-guard.ts'
import { withJoinedText } from './join-text.ts'

// Without this, `model: 'vendor/name'` goes to a hosted gateway with whatever key it finds; with it, such a call throws.
;(globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown }).AI_SDK_DEFAULT_PROVIDER = customProvider({})

/**
 * What answers when only a key is set: small current models, which follow the instruction to cite and cost little, pinned by date
 * where the vendor dates them so that answers do not change overnight.
 */
export const defaultModels = {
  openai: 'gpt-5.4-mini-2026-03-17',
  anthropic: 'claude-haiku-4-5-20251001',
  // Google does not date its stable models; a name without "latest" or "preview" stays the same model.
  google: 'gemini-3.5-flash',
} as const

export type VendorSettings = Pick<Env, 'openai' | 'anthropic' | 'google'>
type ProviderKind = 'openai' | 'anthropic' | 'google' | 'compatible'

export type VendorModel = {
  provider: ProviderKind
  model: LanguageModelV4
  /** Where requests go, for prices of compatible servers. */
  baseUrl?: string
  contextTokensMax: number
}

/** Where each vendor listens; always named, because its adapter would otherwise take an address from the environment. */
const vendorBaseUrls = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta',
} as const

/** The address of a provider's interface without a slash at its end; a compatible server has no other than its own. */
export const baseUrlOf = (kind: ProviderKind, baseUrl: string | null | undefined): string =>
  (kind === 'compatible' ? (baseUrl ?? '') : vendorBaseUrls[kind]).replace(/\/+$/, '')

/** What we are willing to send: every vendor's models take more, a server at home often takes no more than this. */
export const defaultContextTokens = (kind: ProviderKind): number => (kind === 'compatible' ? 8_000 : 32_000)

const listModelsTimeoutMs = 10_000

export type ModelAddress = {
  kind: ProviderKind
  modelId: string
  /** Vendors need one; a compatible server may do without. */
  apiKey: string | undefined
  baseUrl: string | null | undefined
  fetch?: typeof globalThis.fetch
}

/** Looked up at each call, as adapters do. */
const plainFetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init)

/** An adapter reads every event of a stream at some cost, so it gets fewer of them. */
const joining =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (input, init) =>
    withJoinedText(await fetch(input, init))

/** The adapter of a model. An empty key stays empty: no key of the environment goes to an address that somebody set. */
export const buildModel = ({
  kind,
  modelId,
  apiKey = '',
  baseUrl,
  fetch = plainFetch,
}: ModelAddress): LanguageModelV4 => {
  const common = { baseURL: baseUrlOf(kind, baseUrl), fetch: joining(guardAnswers({ fetch, apiKey })) }
  switch (kind) {
    case 'openai':
      // Chat completions, not responses: the latter keeps the conversation at the vendor unless told otherwise.
      return createOpenAI({ ...common, apiKey }).chat(modelId)
    case 'anthropic':
      return createAnthropic({ ...common, apiKey })(modelId)
    case 'google':
      return createGoogle({ ...common, apiKey })(modelId)
    case 'compatible':
      return createOpenAICompatible({
        ...common,
        name: 'compatible',
        includeUsage: true,
        ...(apiKey ? { apiKey } : {}),
      })(modelId)
  }
}

/** The adapter of a model that turns texts into vectors; undefined where the vendor has none. Keys as with `buildModel`. */
export const buildEmbeddingModel = ({
  kind,
  modelId,
  apiKey = '',
  baseUrl,
  fetch = plainFetch,
}: ModelAddress): EmbeddingModelV4 | undefined => {
  const common = { baseURL: baseUrlOf(kind, baseUrl), fetch: guardAnswers({ fetch, apiKey }) }
  switch (kind) {
    case 'openai':
      return createOpenAI({ ...common, apiKey }).embeddingModel(modelId)
    case 'anthropic':
      return undefined
    case 'google':
      return createGoogle({ ...common, apiKey }).embeddingModel(modelId)
    case 'compatible':
      return createOpenAICompatible({ ...common, name: 'compatible', ...(apiKey ? { apiKey } : {}) }).embeddingModel(
        modelId,
      )
  }
}

/** How a provider is asked for its models: the cheapest call that tells a right key from a wrong one. */
export const modelListRequest = ({
  kind,
  apiKey,
  baseUrl,
}: Omit<ModelAddress, 'modelId' | 'fetch'>): { url: string; headers: Record<string, string> } => {
  const base = baseUrlOf(kind, baseUrl)
  if (kind === 'anthropic')
    return {
      url: `${base}/models?limit=1000`,
      headers: { 'anthropic-version': '2023-06-01', 'x-api-key': apiKey ?? '' },
    }
  if (kind === 'google') return { url: `${base}/models?pageSize=1000`, headers: { 'x-goog-api-key': apiKey ?? '' } }
  return { url: `${base}/models`, headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {} }
}

const listedModels = z.union([
  z.object({ data: z.array(z.object({ id: z.string().min(1) })) }).transform(({ data }) => data.map(({ id }) => id)),
  z
    .object({ models: z.array(z.object({ name: z.string().min(1) })) })
    .transform(({ models }) => models.map(({ name }) => name.replace(/^models\//, ''))),
])

/** The names in an answer to `modelListRequest`; null when it is no list of models. */
export const readModelList = (answer: unknown): string[] | null => listedModels.safeParse(answer).data ?? null

/** The models that the settings name: one of each vendor with a key, in the order of `.env.example`. */
export const environmentModels = ({ openai, anthropic, google }: VendorSettings): VendorModel[] => {
  const found: VendorModel[] = []
  const add = (kind: ProviderKind, model: LanguageModelV4, baseUrl?: string): void => {
    found.push({
      provider: kind,
      model,
      ...(baseUrl ? { baseUrl } : {}),
      contextTokensMax: defaultContextTokens(kind),
    })
  }
  if (openai.baseUrl) {
    const { apiKey, model } = openai
    const baseUrl = baseUrlOf('compatible', openai.baseUrl)
    const build = (modelId: string) => buildModel({ kind: 'compatible', modelId, apiKey, baseUrl })
    add('compatible', model ? build(model) : firstModelOf({ baseUrl, apiKey, build }), baseUrl)
  } else if (openai.apiKey) {
    const modelId = openai.model ?? defaultModels.openai
    add('openai', buildModel({ kind: 'openai', modelId, apiKey: openai.apiKey, baseUrl: null }))
  }
  for (const [kind, { apiKey, model }] of [
    ['anthropic', anthropic],
    ['google', google],
  ] as const)
    if (apiKey) add(kind, buildModel({ kind, modelId: model ?? defaultModels[kind], apiKey, baseUrl: null }))
  return found
}

type FirstModel = { baseUrl: string; apiKey: string | undefined; build: (id: string) => LanguageModelV4 }

/** A server that has no model named in the settings answers with the first it lists; asked at the first call, kept afterwards. */
const firstModelOf = ({ baseUrl, apiKey, build }: FirstModel): LanguageModelV4 => {
  let found: Promise<LanguageModelV4> | undefined
  let id = 'first-model'
  const ask = async (): Promise<LanguageModelV4> => {
    const { url, headers } = modelListRequest({ kind: 'compatible', apiKey, baseUrl })
    const response = await guardAnswers({ fetch: plainFetch, apiKey })(url, {
      headers,
      signal: AbortSignal.timeout(listModelsTimeoutMs),
    }).catch((cause: unknown) => {
      throw new AppError('model-failed', { cause, context: { baseUrl } })
    })
    if (!response.ok) {
      const code = response.status >= 500 || response.status === 429 ? 'model-failed' : 'model-misconfigured'
      throw new AppError(code, { context: { baseUrl, statusCode: response.status, asked: 'GET /models' } })
    }
    const [first] = readModelList(await response.json().catch(() => null)) ?? []
    if (!first)
      throw new AppError('model-misconfigured', {
        context: { baseUrl, reason: 'the server lists no model; set OPENAI_MODEL' },
      })
    id = first
    return build(id)
  }
  const resolve = (): Promise<LanguageModelV4> => {
    found ??= ask().catch((error: unknown) => {
      found = undefined
      throw error
    })
    return found
  }
  return {
    specificationVersion: 'v4',
    provider: 'compatible',
    get modelId() {
      return id
    },
    supportedUrls: {},
    doGenerate: async (options) => (await resolve()).doGenerate(options),
    doStream: async (options) => (await resolve()).doStream(options),
  }
}
