import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  vector,
} from 'drizzle-orm/pg-core'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { ofWorkspace, workspaces } from './people.ts'

/** Of the built-in encoder: kept answers are compared by its vectors whatever encoder documents are searched with. */
const keptDimensions = 384

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const micros = (name: string) => bigint(name, { mode: 'number' })
/** A workspace's rules for model calls; what is not in `settings` has its default (lib/shared/gateway-settings.ts). */
export const gatewaySettings = pgTable('gateway_settings', {
  workspaceId: uuid('workspace_id')
    .primaryKey()
    .references(() => workspaces.id, { onDelete: 'cascade' }),
  settings: jsonb().$type<Record<string, unknown>>().notNull().default({}),
  /** Counts the changes; written to every call, and two admins who save at once are told apart by it. */
  version: integer().notNull().default(1),
  updatedAt: moment('updated_at').notNull().defaultNow(),
})

/** Where models are reached, beside those that the environment names. */
export const modelProviders = pgTable(
  'model_providers',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    name: text().notNull(),
    kind: text().$type<'openai' | 'anthropic' | 'google' | 'compatible'>().notNull(),
    /** Required for `compatible`, null for the vendors' own addresses. */
    baseUrl: text('base_url'),
    /** AES-256-GCM under a key derived from the installation's secret; never leaves the server. Null: no key. */
    sealedKey: text('sealed_key'),
    /** The last four characters, to tell keys apart. */
    keyHint: text('key_hint'),
    /** Runs on our own machines: allowed where the policy keeps text inside. */
    local: boolean().notNull().default(false),
    enabled: boolean().notNull().default(true),
    requestsPerMinute: integer('requests_per_minute'),
    tokensPerMinute: integer('tokens_per_minute'),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('model_providers_name').on(table.workspaceId, table.name)],
)

export const models = pgTable(
  'models',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    providerId: uuid('provider_id')
      .notNull()
      .references(() => modelProviders.id, { onDelete: 'cascade' }),
    /** As the vendor names it. */
    modelId: text('model_id').notNull(),
    tier: text().$type<'fast' | 'standard' | 'flagship'>().notNull(),
    /** Order in which candidates of a tier are tried. */
    position: integer().notNull().default(0),
    contextTokensMax: integer('context_tokens_max'),
    /** Micro-dollars a million tokens; null: taken from the price table that comes with the product. */
    inputMicrosPerMillion: micros('input_micros_per_million'),
    outputMicrosPerMillion: micros('output_micros_per_million'),
    cachedMicrosPerMillion: micros('cached_micros_per_million'),
    enabled: boolean().notNull().default(true),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('models_name').on(table.providerId, table.modelId)],
)

/** Breakers, shared by all instances; `key` is a provider and model. */
export const breakers = pgTable('breakers', {
  key: text().primaryKey(),
  state: text().$type<'closed' | 'open' | 'half-open'>().notNull(),
  /** While open: when the next probe may go. */
  retryAt: moment('retry_at'),
  /** The last failure's class: what an admin needs to know. */
  reason: text(),
  changedAt: moment('changed_at').notNull().defaultNow(),
})

/** What a scope (`user:ID`, `workspace:ID`, `instance`) has spent and holds reserved in a window (`day:2026-11-21`, `month:2026-11`, `minute:…`), UTC. */
export const budgetWindows = pgTable(
  'budget_windows',
  {
    scope: text().notNull(),
    window: text().notNull(),
    spentMicros: micros('spent_micros').notNull().default(0),
    reservedMicros: micros('reserved_micros').notNull().default(0),
    resetsAt: moment('resets_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.scope, table.window] }), index('budget_windows_over').on(table.resetsAt)],
)

/** Held before a call, gone when it is settled; one whose process died is given back when it expires. */
export const budgetReservations = pgTable(
  'budget_reservations',
  {
    id: uuid().primaryKey(),
    scopes: jsonb().$type<{ scope: string; window: string }[]>().notNull(),
    micros: micros('micros').notNull(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [index('budget_reservations_expiry').on(table.expiresAt)],
)

/** One call of a task to a model, or the answer from a cache that saved it: the ledger. Facts, so no references. */
export const modelCalls = pgTable(
  'model_calls',
  {
    id: uuid().primaryKey(),
    at: moment('at').notNull().defaultNow(),
    workspaceId: uuid('workspace_id').notNull(),
    userId: uuid('user_id'),
    chatId: uuid('chat_id'),
    messageId: uuid('message_id'),
    traceId: uuid('trace_id'),
    task: text().notNull(),
    feature: text().notNull(),
    tier: text(),
    /** Why this tier and model. */
    route: text(),
    provider: text(),
    requestedModel: text('requested_model'),
    servedModel: text('served_model'),
    fingerprint: text(),
    /** `ok`, `refused` (by the model), `stopped`, or the class of the failure: `rate-limited`, `server`, `timeout`, `network`, `bad-output`, `misconfigured`, … */
    outcome: text().notNull(),
    /** Answered from `exact` or `semantic`; null when a model was called. */
    cache: text(),
    attempts: integer().notNull().default(1),
    tokensIn: integer('tokens_in'),
    tokensOut: integer('tokens_out'),
    tokensCached: integer('tokens_cached'),
    tokensReasoning: integer('tokens_reasoning'),
    /** The usage was missing or absurd and was estimated. */
    usageEstimated: boolean('usage_estimated').notNull().default(false),
    /** Micro-dollars; null when the price is not known. */
    costMicros: micros('cost_micros'),
    /** What a cache, a cheaper route or a shorter prompt saved, in micro-dollars. */
    savedMicros: micros('saved_micros').notNull().default(0),
    savedTokens: integer('saved_tokens').notNull().default(0),
    /** Of `savedMicros` the part that a cheaper tier than the flagship, and the part that a shorter prompt saved. The rest is a cache's. */
    routeSavedMicros: micros('route_saved_micros').notNull().default(0),
    contextSavedMicros: micros('context_saved_micros').notNull().default(0),
    /** Of an answer: the share of its sentences that a cited passage supports (0 to 1); null where that was not looked at. */
    quality: real(),
    /** What was out of the ordinary: `masked`, `repaired`, `fell-back`, `replaced`, `batched`, `canary`. */
    flags: text().array().notNull().default(sql`'{}'::text[]`),
    firstTokenMs: integer('first_token_ms'),
    totalMs: integer('total_ms'),
    promptName: text('prompt_name'),
    promptVersion: text('prompt_version'),
    promptHash: text('prompt_hash'),
    policyVersion: integer('policy_version'),
  },
  (table) => [
    index('model_calls_workspace').on(table.workspaceId, table.at),
    index('model_calls_message').on(table.messageId),
  ],
)

/** Answers that may be given again. Removed by a trigger in the transaction that changes, moves or deletes a document they cite. */
export const answerCache = pgTable(
  'answer_cache',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    /** SHA-256 over what must be equal: workspace, access, task, prompt version, model, index version. */
    recipe: text().notNull(),
    question: text().notNull(),
    /** SHA-256 of the normalised question. */
    questionHash: text('question_hash').notNull(),
    embedding: vector({ dimensions: keptDimensions }),
    answer: text().notNull(),
    citations: jsonb().$type<Citation[]>().notNull(),
    model: text().notNull(),
    tokensIn: integer('tokens_in').notNull(),
    tokensOut: integer('tokens_out').notNull(),
    costMicros: micros('cost_micros').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
  },
  (table) => [
    uniqueIndex('answer_cache_exact').on(table.recipe, table.questionHash),
    index('answer_cache_expiry').on(table.expiresAt),
    index('answer_cache_workspace').on(table.workspaceId, table.createdAt),
    index('answer_cache_embedding')
      .using('hnsw', table.embedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
  ],
)

/** Which documents an answer rests on. */
export const answerCacheSources = pgTable(
  'answer_cache_sources',
  {
    answerId: uuid('answer_id')
      .notNull()
      .references(() => answerCache.id, { onDelete: 'cascade' }),
    documentId: uuid('document_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.answerId, table.documentId] }),
    index('answer_cache_sources_document').on(table.documentId),
  ],
)

/** Whether a near question had the same answer as a kept one: what the semantic cache learns its thresholds from. */
export const answerCacheObservations = pgTable(
  'answer_cache_observations',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    answerId: uuid('answer_id')
      .notNull()
      .references(() => answerCache.id, { onDelete: 'cascade' }),
    similarity: doublePrecision().notNull(),
    same: boolean().notNull(),
    at: moment('at').notNull().defaultNow(),
  },
  (table) => [index('answer_cache_observations_answer').on(table.answerId)],
)

/** Results of tasks whose input fixes their output, by the hash of that input. */
export const taskResults = pgTable(
  'task_results',
  {
    workspaceId: ofWorkspace(),
    task: text().notNull(),
    /** SHA-256 over task, prompt version, model and input. */
    inputHash: text('input_hash').notNull(),
    output: jsonb().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.task, table.inputHash] })],
)

/** Whether a model still does what it did: the last run of its canary against the first one of the version that it serves. */
export const modelCanaries = pgTable(
  'model_canaries',
  {
    workspaceId: ofWorkspace(),
    /** The candidate's key, `PROVIDER/MODEL`. */
    key: text().notNull(),
    /** The id and fingerprint under which it answered when the baseline was taken, and at the last run. */
    baselineServed: text('baseline_served'),
    baselineFingerprint: text('baseline_fingerprint'),
    servedModel: text('served_model'),
    fingerprint: text(),
    /** Share of the canary's checks that held (0 to 1). */
    baselineScore: real('baseline_score'),
    score: real(),
    state: text().$type<'ok' | 'changed' | 'dropped' | 'unreachable'>().notNull(),
    /** Which checks failed, in words. */
    detail: text().notNull().default(''),
    checkedAt: moment('checked_at').notNull().defaultNow(),
    /** When the state became what it is. */
    changedAt: moment('changed_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.key] })],
)

/** Work over two seconds that a person asked for: its progress, and what came of it. */
export const taskRuns = pgTable(
  'task_runs',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    userId: uuid('user_id').notNull(),
    /** What was asked: `chat.summary`, `selection.summary`. */
    feature: text().notNull(),
    /** What it is about; its shape is the feature's. */
    subject: jsonb().$type<Record<string, unknown>>().notNull(),
    done: integer().notNull().default(0),
    total: integer().notNull().default(0),
    output: jsonb().$type<Record<string, unknown>>(),
    /** A code of lib/shared/errors.ts. */
    failureCode: text('failure_code'),
    createdAt: moment('created_at').notNull().defaultNow(),
    endedAt: moment('ended_at'),
  },
  (table) => [index('task_runs_user').on(table.workspaceId, table.userId, table.createdAt)],
)

/** Calls handed to a provider's batch interface, at half the price and within a day. */
export const providerBatches = pgTable(
  'provider_batches',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    /** The candidate's key, `PROVIDER/MODEL`. */
    key: text().notNull(),
    /** As the provider names it; null until it took the batch. */
    externalId: text('external_id'),
    state: text().$type<'submitting' | 'running' | 'ended' | 'failed'>().notNull(),
    /** What each line is for, by its custom id. */
    requests: jsonb().$type<Record<string, Record<string, unknown>>>().notNull(),
    reservedMicros: micros('reserved_micros').notNull().default(0),
    detail: text().notNull().default(''),
    createdAt: moment('created_at').notNull().defaultNow(),
    checkedAt: moment('checked_at'),
    endedAt: moment('ended_at'),
  },
  (table) => [index('provider_batches_open').on(table.state, table.createdAt)],
)

/** Passages that looked like orders to a model and that a person has read and released, by what they say. */
export const passageReleases = pgTable(
  'passage_releases',
  {
    workspaceId: ofWorkspace(),
    contentHash: text('content_hash').notNull(),
    releasedBy: uuid('released_by').notNull(),
    at: moment('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.contentHash] })],
)

/** An alert rule that was met: once from its start to its end. */
export const alerts = pgTable(
  'alerts',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    rule: text().notNull(),
    startedAt: moment('started_at').notNull().defaultNow(),
    endedAt: moment('ended_at'),
    value: doublePrecision().notNull(),
    detail: text().notNull(),
    deliveredAt: moment('delivered_at'),
  },
  (table) => [
    uniqueIndex('alerts_open').on(table.workspaceId, table.rule).where(sql`ended_at is null`),
    index('alerts_workspace').on(table.workspaceId, table.startedAt),
  ],
)
