/** The wire of the Models screen. Money is micro-dollars; a price is per million tokens. A key goes in and never comes out. */
import { z } from 'zod'
import { type GatewaySettings, type Tier, tiers } from './gateway-settings.ts'

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

export type ModelRow = {
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
export type EnvironmentModel = {
  key: string
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
