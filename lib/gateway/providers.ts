/**
 * The vendors' adapters: the only file that knows them. It says which model the settings ask for and builds it; it does not
 * call it, retry it or price it. A bare model name can reach nothing: the SDK's hosted default is replaced by an empty one.
 */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { customProvider } from 'ai'
import { z } from 'zod'
import type { Env } from '#lib/env.ts'
import { AppError } from '#lib/shared/errors.ts'

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

export type VendorModel = {
  id: string
  provider: 'openai' | 'anthropic' | 'google' | 'compatible'
  model: LanguageModelV4
  /** Where requests go, for prices of compatible servers. */
  baseUrl?: string
  contextTokensMax: number
}

/** What we are willing to send: every vendor's models take more, a server at home often takes no more than this. */
const vendorContextTokens = 32_000
const compatibleContextTokens = 8_000
const listModelsTimeoutMs = 10_000

/** The vendor's model that the settings ask for, in the order of `.env.example`; null when they name none. */
export const vendorModel = ({ openai, anthropic, google }: VendorSettings): VendorModel | null => {
  if (openai.baseUrl) {
    const baseUrl = openai.baseUrl.replace(/\/+$/, '')
    const server = createOpenAICompatible({
      name: 'compatible',
      baseURL: baseUrl,
      includeUsage: true,
      ...(openai.apiKey ? { apiKey: openai.apiKey } : {}),
    })
    const model = openai.model
      ? server(openai.model)
      : firstModelOf({ baseUrl, apiKey: openai.apiKey, build: (id) => server(id) })
    return {
      id: openai.model ?? 'first-model',
      provider: 'compatible',
      model,
      baseUrl,
      contextTokensMax: compatibleContextTokens,
    }
  }
  if (openai.apiKey) {
    const id = openai.model ?? defaultModels.openai
    // Chat completions, not responses: the latter keeps the conversation at the vendor unless told otherwise.
    return {
      id,
      provider: 'openai',
      model: createOpenAI({ apiKey: openai.apiKey }).chat(id),
      contextTokensMax: vendorContextTokens,
    }
  }
  if (anthropic.apiKey) {
    const id = anthropic.model ?? defaultModels.anthropic
    return {
      id,
      provider: 'anthropic',
      model: createAnthropic({ apiKey: anthropic.apiKey })(id),
      contextTokensMax: vendorContextTokens,
    }
  }
  if (google.apiKey) {
    const id = google.model ?? defaultModels.google
    return {
      id,
      provider: 'google',
      model: createGoogle({ apiKey: google.apiKey })(id),
      contextTokensMax: vendorContextTokens,
    }
  }
  return null
}

type FirstModel = { baseUrl: string; apiKey: string | undefined; build: (id: string) => LanguageModelV4 }

const modelList = z.object({ data: z.array(z.object({ id: z.string().min(1) })).min(1) })

/** A server that has no model named in the settings answers with the first it lists; asked at the first call, kept afterwards. */
const firstModelOf = ({ baseUrl, apiKey, build }: FirstModel): LanguageModelV4 => {
  let found: Promise<LanguageModelV4> | undefined
  let id = 'first-model'
  const ask = async (): Promise<LanguageModelV4> => {
    const response = await fetch(`${baseUrl}/models`, {
      headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
      signal: AbortSignal.timeout(listModelsTimeoutMs),
    }).catch((cause: unknown) => {
      throw new AppError('model-failed', { cause, context: { baseUrl } })
    })
    if (!response.ok) {
      const code = response.status >= 500 || response.status === 429 ? 'model-failed' : 'model-misconfigured'
      throw new AppError(code, { context: { baseUrl, statusCode: response.status, asked: 'GET /models' } })
    }
    const listed = modelList.safeParse(await response.json().catch(() => null))
    const first = listed.data?.data[0]
    if (!first)
      throw new AppError('model-misconfigured', {
        context: { baseUrl, reason: 'the server lists no model; set OPENAI_MODEL' },
      })
    id = first.id
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
