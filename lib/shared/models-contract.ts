/** The wire of the Models screen. Money is micro-dollars; a price is per million tokens. A key goes in and never comes out. */
import { z } from 'zod'
import { type GatewaySettings, type Tier, tiers } from './gateway-settings.ts'
import type { BreakerRow } from './operations-contract.ts'

export const providerKinds = ['openai', 'anthropic', 'google', 'compatible'] as const
export type ProviderKind = (typeof providerKinds)[number]

// Shapes and sizes only: what a value may be is said in words by the server, which a schema's refusal is not.
const short = z.string().max(2_000)
const figure = z.number().nullable()

export const providerInputSchema = z.strictObject({
  /** Null makes a new one. */
  id: z.uuid().nullable(),
  name: short,
  kind: z.enum(providerKinds),
  /** Of a compatible server; the vendors' own are known. */
  baseUrl: short.nullable(),
  /** Left out: the stored one stays. Null: it is removed. */
  apiKey: short.nullable().optional(),
  local: z.boolean(),
  enabled: z.boolean(),
  requestsPerMinute: figure,
  tokensPerMinute: figure,
})
export type ProviderInput = z.input<typeof providerInputSchema>

export type ModelPrice = { input: number; output: number; cached: number | null }

export const modelInputSchema = z.strictObject({
  id: z.uuid().nullable(),
  providerId: z.uuid(),
  modelId: short,
  tier: z.enum(tiers),
  /** Null: keeps its place, or the last of its tier. */
  position: figure,
  enabled: z.boolean(),
  contextTokensMax: figure,
  /** Null: from the price table that comes with the product. */
  price: z.strictObject({ input: z.number(), output: z.number(), cached: figure }).nullable(),
})
export type ModelInput = z.input<typeof modelInputSchema>

/** Where the price of a model comes from; `unknown` is nobody's, and `free` our own machines'. */
export type KnownPrice = { source: 'admin' | 'table' | 'free' | 'unknown'; input: number; output: number }

export type CanaryState = 'ok' | 'changed' | 'dropped' | 'unreachable'

/** The last run of a model's canary beside its baseline, which is how the model was when it was first asked or last accepted. */
export type CanaryRow = {
  state: CanaryState
  /** Shares of the checks that held, 0 to 1; null where there was no answer to check. */
  score: number | null
  baselineScore: number | null
  servedModel: string | null
  baselineServed: string | null
  fingerprint: string | null
  baselineFingerprint: string | null
  /** The checks that failed, in words. */
  detail: string
  checkedAt: string
  /** When the state became what it is. */
  changedAt: string
}

/** What is known of a model from its calls. Null: it was not called, or not checked, yet. */
export type ModelCondition = { breaker: BreakerRow | null; canary: CanaryRow | null }

export type ModelRow = ModelCondition & {
  id: string
  /** `PROVIDER/MODEL`, by which settings and traces name it. */
  key: string
  providerId: string
  modelId: string
  tier: Tier
  position: number
  enabled: boolean
  contextTokensMax: number | null
  price: ModelPrice | null
  knownPrice: KnownPrice
}

export type ProviderRow = {
  id: string
  name: string
  kind: ProviderKind
  baseUrl: string | null
  /** `unreadable`: stored by an installation with another secret. */
  key: 'none' | 'stored' | 'unreadable'
  /** The last characters of a stored key. */
  keyHint: string | null
  local: boolean
  enabled: boolean
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  models: ModelRow[]
}

/** A model that the environment names; changed there and nowhere else. */
export type EnvironmentModel = ModelCondition & {
  key: string
  /** What the ledger calls its provider. */
  provider: string
  kind: ProviderKind
  modelId: string
  baseUrl: string | null
  local: boolean
  knownPrice: KnownPrice
}

export type ModelSetup = {
  providers: ProviderRow[]
  environment: EnvironmentModel[]
  settings: GatewaySettings
  /** Counts the changes; a save names the one it was made from. */
  version: number
  /** False: what is stored cannot be read, no model is asked, and `settings` are the defaults to start again from. */
  settingsReadable: boolean
  /** Tasks that may have a model of their own. */
  tasks: string[]
}

/** What a try of a provider showed, in words; `models` is what it offers, where it says. */
export type ProviderTest = { ok: boolean; message: string; models: string[] }

/** Where a call went. `gone`: to a provider that is no longer set under this name, so that nobody can say. */
export const places = ['local', 'hosted', 'built-in', 'gone'] as const
export type Place = (typeof places)[number]

export const useRanges = ['7d', '30d'] as const
export type UseRange = (typeof useRanges)[number]

/** How models of one place did. Canaries and answers from a cache are not in it. */
export type PlaceUse = {
  /** Every try, also those that failed. */
  calls: number
  failed: number
  /** What a model of this place ended: of a question that a second model was asked for too, the second one's. */
  taken: number
  /** The mean share of an answer's sentences that a passage supports, 0 to 1; null where none was looked at. */
  quality: number | null
  /** How many answers that is the mean of. */
  judged: number
  /** Of answers; null where none was timed. */
  firstTokenP50Ms: number | null
}

export type TaskUse = { task: string; local: number; others: number; builtIn: number }
export type ModelUse = { places: Record<Place, PlaceUse>; tasks: TaskUse[] }

/** The share of what models took that local ones took, 0 to 1; null where models took nothing. The built-in one counts apart. */
export const localShareOf = ({ places: { local, hosted, gone } }: Pick<ModelUse, 'places'>): number | null => {
  const all = local.taken + hosted.taken + gone.taken
  return all === 0 ? null : local.taken / all
}

export const routeSorts = ['calls', 'cost', 'quality', 'failed', 'p50', 'p95'] as const
export type RouteSort = (typeof routeSorts)[number]

/** What a model did and cost on one route and tier. */
export type RouteRow = {
  route: string | null
  tier: string | null
  provider: string | null
  /** As it was asked for, and one of the names under which it answered. */
  model: string | null
  served: string | null
  place: Place
  calls: number
  failed: number
  /** Of calls whose price is known; null where none is. */
  costMicrosPerCall: number | null
  unpricedCalls: number
  tokensIn: number
  tokensOut: number
  quality: number | null
  judged: number
  totalP50Ms: number | null
  totalP95Ms: number | null
}
