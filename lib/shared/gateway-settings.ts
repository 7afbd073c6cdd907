/**
 * A workspace's rules for model calls, with their defaults: what an admin can set on the Models page. Every field has an effect
 * and a test that shows it. Money is integer micro-dollars (1,000,000 = one dollar); null means "no limit".
 */
import { z } from 'zod'
import { policySchema } from './policy-contract.ts'

export const tiers = ['fast', 'standard', 'flagship'] as const
export type Tier = (typeof tiers)[number]

/** What is looked for in text before it leaves; `secret` is a key, token or password. */
export const sensitiveKinds = [
  'secret',
  'card',
  'iban',
  'national-id',
  'email',
  'phone',
  'ip',
  'person',
  'address',
] as const
export type SensitiveKind = (typeof sensitiveKinds)[number]
export const redactionActs = ['allow', 'mask', 'block'] as const
export type RedactionAct = (typeof redactionActs)[number]

/** How documents are cut. `auto` takes the chunker of each type. */
export const chunkStrategies = ['auto', 'outline', 'clauses', 'semantic', 'fixed'] as const
export type ChunkStrategy = (typeof chunkStrategies)[number]

export const rerankers = ['off', 'features', 'cross-encoder', 'provider', 'model'] as const
export type Reranker = (typeof rerankers)[number]

/** The stages of a search that can be switched; each is measured by `npm run eval:retrieval`. */
export const retrievalSettingsSchema = z.strictObject({
  /** `decompose`: a question of several parts is searched part by part as well. */
  rewrite: z.enum(['off', 'decompose']).default('off'),
  lexical: z.boolean().default(true),
  vector: z.boolean().default(true),
  /** One step over the knowledge graph from what the question names, as a third leg. */
  graph: z.boolean().default(false),
  /** Share of the vector leg in the mix; null: as calibrated for the encoder. */
  vectorWeight: z.number().min(0).max(1).nullable().default(null),
  rerank: z.enum(rerankers).default('features'),
  /** After this long the fused order stands. */
  rerankMs: z.int().min(20).max(10_000).default(400),
  /** A passage brings its neighbours along where there is room. */
  expand: z.boolean().default(true),
  /** Passages of one document at most; 0: as many as come. */
  perDocumentMax: z.int().min(0).max(20).default(0),
  /** Candidates of the graph search in the vector index: more finds more and takes longer; null: as measured for its size. */
  efSearch: z.int().min(10).max(1_000).nullable().default(null),
})
export type RetrievalSettings = z.output<typeof retrievalSettingsSchema>

/** How the graph over an encoder's vectors is built; counts from the next build on. */
const vectorGraphSchema = z
  .strictObject({
    /** Links of a passage to others. The defaults are pgvector's: with more, recall at 10,000 passages was hardly better. */
    m: z.int().min(4).max(64).default(16),
    /** Candidates looked at for each link. */
    efConstruction: z.int().min(8).max(512).default(64),
  })
  .refine(({ m, efConstruction }) => efConstruction >= 2 * m, {
    path: ['efConstruction'],
    message: 'Candidates while building must be at least twice the links.',
  })
export type VectorGraph = z.output<typeof vectorGraphSchema>

const limit = z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable()
const act = z.enum(redactionActs)

export const gatewaySettingsSchema = z.strictObject({
  budgets: z
    .strictObject({
      userDayMicros: limit.default(null),
      userMonthMicros: limit.default(null),
      workspaceDayMicros: limit.default(null),
      workspaceMonthMicros: limit.default(null),
      /** A breaker on money: so much in one minute is a fault, not use. */
      workspaceMinuteMicros: limit.default(null),
    })
    .prefault({}),
  /** Tokens in and out, a minute. */
  tokenLimits: z
    .strictObject({ userMinute: limit.default(200_000), workspaceMinute: limit.default(2_000_000) })
    .prefault({}),
  /** A call to a model without a price: refused, or counted at the dearest price we know. Never 0. */
  unknownPrice: z.enum(['refuse', 'worst-case']).default('worst-case'),
  redaction: z
    .strictObject({
      acts: z
        .strictObject({
          secret: act.default('mask'),
          card: act.default('mask'),
          iban: act.default('mask'),
          'national-id': act.default('mask'),
          email: act.default('mask'),
          phone: act.default('mask'),
          ip: act.default('allow'),
          person: act.default('allow'),
          address: act.default('allow'),
        } satisfies Record<SensitiveKind, unknown>)
        .prefault({}),
      /** Masks for models on our own machines too; otherwise only what leaves them is masked. */
      alsoLocal: z.boolean().default(false),
      /** Whether the person who asked sees the real values again in the answer. Secrets are never restored. */
      restore: z.boolean().default(true),
    })
    .prefault({}),
  /** `any`: every enabled provider; `local`: only providers on our own machines, in fallback too. */
  providers: z.enum(['any', 'local']).default('any'),
  injection: z
    .strictObject({
      /** From this score (0 to 1) on a question or a passage is flagged in the trace. */
      flagFrom: z.number().min(0).max(1).default(0.5),
      /** From this score a passage goes to no model until an admin has read and released it. 1 shuts nothing out. */
      quarantineFrom: z.number().min(0).max(1).default(0.55),
    })
    .prefault({}),
  cache: z
    .strictObject({
      exact: z.boolean().default(true),
      semantic: z.boolean().default(true),
      /** The share of wrong answers among semantic hits that is put up with; the cache abstains where it cannot keep it. */
      wrongHitsMax: z.number().min(0.005).max(0.2).default(0.02),
      ttlSeconds: z.int().min(60).max(2_592_000).default(3_600),
    })
    .prefault({}),
  routing: z
    .strictObject({
      /** Where a local model is configured it is asked first, and a hosted one when its confidence stays below this (0 to 1). */
      localFirst: z.boolean().default(true),
      localConfidenceMin: z.number().min(0).max(1).default(0.5),
      /** The share of calls that local models are to take; the Models page shows how far it is reached. */
      localShareTarget: z.number().min(0).max(1).default(0.8),
      /** A difficulty (0 to 1) from which the tier is asked. */
      standardFrom: z.number().min(0).max(1).default(0.35),
      flagshipFrom: z.number().min(0).max(1).default(0.75),
    })
    .prefault({}),
  /** A model of its own for a task, by its key (`PROVIDER/MODEL`), before what routing says. */
  taskModels: z.record(z.string().max(40), z.string().max(300)).default({}),
  /** A model's canary: a few fixed questions, on a schedule and whenever it answers under another name or fingerprint. */
  canary: z
    .strictObject({
      everyHours: z.int().min(0).max(720).default(24),
      /** What runs on our own machines changes when somebody changes it, and is checked by hand; with this, on the schedule too. */
      alsoLocal: z.boolean().default(false),
      /** A fall of the share of checks that hold, from which the model counts as changed for the worse. */
      dropFrom: z.number().min(0).max(1).default(0.25),
      /** `fall-back`: a dropped model is asked last. */
      act: z.enum(['alert', 'fall-back']).default('alert'),
    })
    .prefault({}),
  policy: policySchema.prefault({}),
  retrieval: retrievalSettingsSchema.prefault({}),
  /** Apart from `retrieval`, which a single search can be asked with. The index is its encoder's: the last build's numbers hold. */
  vectorIndex: vectorGraphSchema.prefault({}),
  chunking: z
    .strictObject({
      strategy: z.enum(chunkStrategies).default('auto'),
      /** The size a passage is meant to have, in estimated tokens. */
      targetTokens: z.int().min(60).max(600).default(260),
    })
    .prefault({}),
  /** What is known of things and how they relate, drawn from documents; a document never waits for it. */
  graph: z.strictObject({ extract: z.enum(['off', 'patterns', 'model']).default('off') }).prefault({}),
  /** Pictures and scanned pages are read as text after the rest of a document is ready. */
  recognition: z.strictObject({ on: z.boolean().default(true) }).prefault({}),
  summaries: z
    .strictObject({
      /** Describes new and changed documents by itself. */
      changedDocuments: z.boolean().default(false),
      /** Through the provider's batch interface where it has one: cheaper, within a day. */
      batch: z.boolean().default(false),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      /** An http(s) address that gets a JSON line for each alert. */
      webhookUrl: z
        .url({ protocol: /^https?$/ })
        .nullable()
        .default(null),
      errorShareFrom: z.number().min(0).max(1).default(0.2),
      p95MsFrom: z.int().min(0).default(30_000),
      budgetShareFrom: z.number().min(0).max(1).default(0.8),
    })
    .prefault({}),
})

export type GatewaySettings = z.output<typeof gatewaySettingsSchema>
/** What a settings form sends. */
export type GatewaySettingsInput = z.input<typeof gatewaySettingsSchema>

export const defaultGatewaySettings: GatewaySettings = gatewaySettingsSchema.parse({})
