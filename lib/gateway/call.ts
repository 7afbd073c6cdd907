/** The vocabulary of a call: who calls, which models may answer, and what comes back while they do. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { Tier } from '#lib/shared/gateway-settings.ts'

/** Whose calls wait for whose when a provider's rate is used up: chat goes first, the others wait rather than provoke a 429. */
export const lanes = ['chat', 'ingestion', 'evaluation', 'batch'] as const
export type Lane = (typeof lanes)[number]

/** A model that may be asked. */
export type Candidate = {
  /** `PROVIDER/MODEL`: names its breaker, its limiter and its figures. */
  key: string
  provider: {
    id: string
    name: string
    kind: 'built-in' | 'openai' | 'anthropic' | 'google' | 'compatible'
    /** On our own machines. */
    local: boolean
    baseUrl: string | undefined
    requestsPerMinute: number | undefined
    tokensPerMinute: number | undefined
  }
  modelId: string
  tier: Tier
  model: LanguageModelV4
  contextTokensMax: number
  /** Micro-dollars a million tokens, where an admin has set them. */
  price: { input: number; output: number; cached: number } | undefined
}

/** Why a model did not answer. What is retried and what trips a breaker is decided by class, in one table. */
export type FailureClass =
  | 'rate-limited'
  | 'server'
  | 'timeout'
  | 'network'
  | 'bad-output'
  | 'misconfigured'
  | 'model-gone'
  | 'too-long'
  | 'breaker-open'
  | 'busy'

/** One try of one candidate. */
export type Attempt = {
  key: string
  modelId: string
  outcome: 'ok' | 'stopped' | FailureClass
  /** In words, without what was sent. */
  detail: string
  startMs: number
  durationMs: number
  firstTokenMs: number | undefined
  statusCode: number | undefined
}

/** Tokens as the provider counted them, or as we did where its count is missing or absurd. */
export type Usage = { in: number; out: number; cached: number; reasoning: number; estimated: boolean }

export type ModelEnd = {
  candidate: Candidate
  /** The names under which the model really answered. */
  servedModel: string
  fingerprint: string | undefined
  finish: 'stop' | 'length' | 'refused' | 'other'
  usage: Usage
  attempts: Attempt[]
  firstTokenMs: number | undefined
  totalMs: number
}

/** What a resilient call yields. After `replace` the text begins anew: nothing before it counts. `end` is the last. */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'replace'; reason: string }
  | ({ type: 'end' } & ModelEnd)
