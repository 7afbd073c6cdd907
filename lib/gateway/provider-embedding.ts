/**
 * Vectors from a workspace's provider. A batch of texts goes the way of every call: masked as the workspace says, its price reserved
 * before and settled after, within deadlines, past the breaker and the rate, repeated where that helps, with a line in the ledger.
 * That way is made for words, so a batch is told as a model that says one word when its vectors are there.
 */
import { database } from '#db/client.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { getProvider } from '#db/queries/models.ts'
import { env } from '#lib/env.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { GatewaySettings } from '#lib/shared/gateway-settings.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Candidate } from './call.ts'
import { costOf, priceMicros } from './cost.ts'
import { type Carried, mayRead } from './exposure.ts'
import { cleanUntrusted } from './injection.ts'
import { type EmbedPurpose, trainedFor } from './local/encoder-model.ts'
import { meteredCall } from './metered.ts'
import { oneWordModel } from './one-word-model.ts'
import { buildEmbeddingModel } from './providers.ts'
import { createRedactor } from './redact.ts'
import { fetchOf, listCandidates, listEnvironmentCandidates, openKey } from './registry.ts'
import { Failed } from './retry.ts'
import { settingsOf } from './settings.ts'
import { isAskable } from './switched.ts'

/** Google takes a hundred at most. */
const batchTexts = 96
const batchTokens = 16_000
/** In any script less than the 8,000 tokens that vendors' encoders read; passages are shorter. */
const textCharsMax = 8_000
/** Batches at once: a machine of our own does one as fast as four. */
const batchesMax = 4
/** A question goes on without its vector; a passage waits. Silence to the answer, and in all. */
const deadlines = {
  query: { firstTokenMs: 4_000, totalMs: 8_000 },
  passage: { firstTokenMs: 60_000, totalMs: 300_000 },
} as const
const dimensionsMax = 16_000
/** The longest input is refused before it is paid for, so this bounds nothing. */
const contextTokensMax = 16_000

export type ProviderEmbedCall = {
  purpose: EmbedPurpose
  /** `PROVIDER/MODEL`: the id of a provider of the workspace, or `env-…` for one of the environment. */
  model: string
  workspaceId: string
  /** Who pays; work that nobody asked for has no user. */
  userId?: string | null | undefined
  /** The part of the product that asks. */
  feature?: string | undefined
  /** Whose text each passage is, in their order; `none`: of no document. Left out, each may be any collection's. */
  collectionIds?: readonly string[] | 'none' | undefined
  /** How long vectors of this model were before, where the caller has stored any. */
  dimensions?: number | undefined
  signal?: AbortSignal | undefined
}

const namesProvider = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|env-[a-z]+)\/./

/** Whether a name means a provider's model, and not one that runs here. */
export const isProviderModel = (name: string): boolean => namesProvider.test(name)

type Held = { footnoteVectorLengths?: Map<string, number> }
const held = globalThis as typeof globalThis & Held
/** How long each model's vectors are, as this process saw them first. */
const learned = (): Map<string, number> => {
  held.footnoteVectorLengths ??= new Map()
  return held.footnoteVectorLengths
}

/** The length of a model's vectors, once one was made in this process. */
export const learnedDimensions = (workspaceId: string, model: string): number | undefined =>
  learned().get(`${workspaceId} ${model}`)

const misconfigured = (reason: string): AppError => new AppError('model-misconfigured', { context: { reason } })

/** Where a model is asked. */
type Reach = { provider: Candidate['provider']; key: string | undefined; fetch: typeof fetch | undefined }

/** Dollars by the price table, which lists no price of an answer for models that give none; an admin's own goes first. */
const priceFor = (
  { kind, baseUrl }: Candidate['provider'],
  modelId: string,
  set: Candidate | undefined,
): Candidate['price'] => {
  if (set?.price) return { ...set.price, output: 0 }
  const usage = { inputTokens: 1_000_000, outputTokens: 0 }
  const input = priceMicros({ modelId, provider: kind, baseUrl }, usage)
  return input === null ? undefined : { input, output: 0, cached: input }
}

const reachEnvironment = async (providerId: string): Promise<Reach> => {
  const named = (await listEnvironmentCandidates()).find(({ provider }) => provider.id === providerId)
  if (!named) throw misconfigured('the environment names no such provider')
  const { provider } = named
  const { openai, google } = env()
  return { provider, key: provider.kind === 'google' ? google.apiKey : openai.apiKey, fetch: undefined }
}

const reachStored = async (workspaceId: string, providerId: string): Promise<Reach> => {
  const stored = await getProvider(database().db, workspaceId, providerId)
  if (!stored?.enabled) throw misconfigured('the provider of the embedding model is not there or switched off')
  const { id, name, kind, local, baseUrl, requestsPerMinute, tokensPerMinute } = stored
  const provider: Candidate['provider'] = {
    id,
    name,
    kind,
    local,
    baseUrl: baseUrl ?? undefined,
    requestsPerMinute: requestsPerMinute ?? undefined,
    tokensPerMinute: tokensPerMinute ?? undefined,
  }
  return { provider, key: openKey(stored), fetch: fetchOf(stored) }
}

const find = async ({ workspaceId, model: name }: ProviderEmbedCall) => {
  const at = name.indexOf('/')
  const [providerId, modelId] = [name.slice(0, at), name.slice(at + 1)]
  const { provider, key, fetch } = await (providerId.startsWith('env-')
    ? reachEnvironment(providerId)
    : reachStored(workspaceId, providerId))
  if (!(await isAskable(workspaceId, { key: name, provider })))
    throw misconfigured('an incident switch has turned the embedding model off')
  const { kind, baseUrl } = provider
  const encoder =
    kind === 'built-in'
      ? undefined
      : buildEmbeddingModel({ kind, modelId, apiKey: key, baseUrl, ...(fetch ? { fetch } : {}) })
  if (!encoder) throw misconfigured(`${provider.name} has no embedding models`)
  const set = (await listCandidates(workspaceId)).find((one) => one.key === name)
  return { provider, encoder, modelId, price: priceFor(provider, modelId, set) }
}

/** What the vendors want to be told of a text's part in a search. */
const vendorOptions = (purpose: EmbedPurpose) => ({
  google: { taskType: purpose === 'query' ? 'RETRIEVAL_QUERY' : 'RETRIEVAL_DOCUMENT' },
})

/** What may be sent of a text; null where nothing may. */
const sendable = (text: string, { settings, local }: { settings: GatewaySettings; local: boolean }): string | null => {
  // First what nobody sees is taken out: it could hide a value from masking.
  const plain = cleanUntrusted(text).slice(0, textCharsMax)
  if (local && !settings.redaction.alsoLocal) return plain
  // Each by itself: a placeholder's number must not depend on the texts beside it.
  const { text: masked, blocked } = createRedactor(settings.redaction.acts).redact(plain)
  return blocked.length > 0 && !local ? null : masked
}

type Batch = { places: number[]; values: string[]; tokens: number }

const batchesOf = (values: readonly (string | null)[]): Batch[] => {
  const batches: Batch[] = []
  for (const [place, value] of values.entries()) {
    if (value === null) continue
    // An empty text is refused by some.
    const sent = value.trim() === '' ? '-' : value
    const tokens = estimateTokens(sent)
    const last = batches.at(-1)
    if (last && last.values.length < batchTexts && last.tokens + tokens <= batchTokens) {
      last.places.push(place)
      last.values.push(sent)
      last.tokens += tokens
    } else batches.push({ places: [place], values: [sent], tokens })
  }
  return batches
}

/** The vectors as they came, made of unit length. Throws `Failed` when they are not one of each text, all of one length. */
const readVectors = (embeddings: readonly number[][], count: number): Float32Array[] => {
  const bad = (words: string): Failed => new Failed('bad-output', new Error(words))
  if (embeddings.length !== count) throw bad(`${embeddings.length} vectors for ${count} texts`)
  const [first] = embeddings
  const dimensions = first?.length ?? 0
  if (dimensions === 0 || dimensions > dimensionsMax) throw bad(`vectors of ${dimensions} numbers`)
  return embeddings.map((numbers) => {
    if (numbers.length !== dimensions) throw bad('vectors of different lengths in one answer')
    const length = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0))
    if (!Number.isFinite(length) || length === 0) throw bad('a vector without a direction')
    return Float32Array.from(numbers, (value) => value / length)
  })
}

/**
 * Unit vectors of `texts` in their order; null for a text that holds what the workspace lets out to nobody, or to not this provider. Throws
 * `model-misconfigured` (no such provider, or another length than before), `model-failed`, `over-budget`, `tokens-limited`,
 * `price-unknown`, or the signal's reason.
 */
export const embedByProvider = async (
  texts: readonly string[],
  call: ProviderEmbedCall,
): Promise<(Float32Array | null)[]> => {
  const { purpose, workspaceId, model: key, signal } = call
  const [{ settings, version }, found] = await Promise.all([settingsOf(workspaceId), find(call)])
  const { provider, encoder, modelId, price } = found
  if (settings.providers === 'local' && !provider.local)
    throw misconfigured('the workspace asks only models on its own machines')
  const prefix = provider.kind === 'compatible' ? trainedFor(modelId).prefix[purpose] : ''
  const { exposure } = settings.policy
  // A question is a person's own words.
  const isOfNone = purpose === 'query' || call.collectionIds === 'none'
  const carriedBy = (at: number): Carried => {
    const collectionId = call.collectionIds?.[at]
    return isOfNone ? [] : collectionId === undefined ? 'unknown' : [collectionId]
  }
  const values = texts.map((text, at) => {
    if (!mayRead({ key, provider }, exposure, carriedBy(at))) return null
    const sent = sendable(text, { settings, local: provider.local })
    return sent === null ? null : prefix + sent
  })
  const vectors: (Float32Array | null)[] = texts.map(() => null)
  const stop = new AbortController()
  const within = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal

  const keepLength = (length: number): void => {
    const name = `${workspaceId} ${key}`
    const before = call.dimensions ?? learned().get(name)
    // Vectors of another length are another model's, whatever its name is.
    if (before !== undefined && before !== length)
      throw misconfigured(`${key} gave vectors of ${length} numbers, ${before} before`)
    learned().set(name, length)
  }

  const send = async ({ places, values }: Batch): Promise<void> => {
    let made: Float32Array[] = []
    const candidate: Candidate = {
      key,
      provider,
      modelId,
      tier: 'standard',
      model: oneWordModel({
        provider: encoder.provider,
        modelId: encoder.modelId,
        ask: async (abortSignal) => {
          const { embeddings, usage, response } = await encoder.doEmbed({
            values,
            providerOptions: vendorOptions(purpose),
            ...(abortSignal ? { abortSignal } : {}),
          })
          made = readVectors(embeddings, values.length)
          return { tokens: usage?.tokens, headers: response?.headers }
        },
      }),
      contextTokensMax,
      price,
    }
    const asked = values.join('\n')
    const events = meteredCall({
      candidates: [candidate],
      options: {
        prompt: [{ role: 'user', content: [{ type: 'text', text: asked }] }],
        maxOutputTokens: 0,
      },
      lane: purpose === 'query' ? 'chat' : 'ingestion',
      signal: within,
      deadlines: deadlines[purpose],
      viewer: { workspaceId, userId: call.userId ?? null },
      settings,
      tokensIn: estimateTokens(asked),
      tokensOutMax: 0,
      line: {
        workspaceId,
        userId: call.userId ?? null,
        task: 'embed',
        feature: call.feature ?? (purpose === 'query' ? 'search' : 'ingestion'),
        route: 'embedding',
        policyVersion: version,
      },
      // Its one word was ours: nothing was written, and nothing is paid for it.
      about: ({ usage }) => ({
        tier: null,
        tokensOut: 0,
        costMicros: costOf(candidate, { in: usage.in, out: 0, cached: 0 }),
        usageEstimated: usage.estimated && usage.in === estimateTokens(asked),
      }),
      record: (lines) => insertModelCalls(database().db, lines),
    })
    for await (const event of events) if (event.type === 'replace') made = []
    for (const [at, place] of places.entries()) {
      const vector = made[at]
      if (!vector) throw new AppError('model-failed', { context: { model: key, reason: 'a text without a vector' } })
      keepLength(vector.length)
      vectors[place] = vector
    }
  }

  const waiting = batchesOf(values)
  const work = async (): Promise<void> => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) await send(batch)
  }
  try {
    await Promise.all(Array.from({ length: provider.local ? 1 : batchesMax }, work))
  } catch (error) {
    // The others would be paid for and thrown away.
    stop.abort(error)
    throw error
  }
  return vectors
}
