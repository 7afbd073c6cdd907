/**
 * Which models may be asked: those that an admin set, by tier and order, then those that the environment names. The built-in one is
 * not among them; it is the caller's last resort. A changed or revoked key counts within two seconds, in every process.
 */
import { lookup } from 'node:dns/promises'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { database } from '#db/client.ts'
import { listEnabledModels, type StoredModel, type StoredProvider } from '#db/queries/models.ts'
import { env } from '#lib/env.ts'
import { log } from '#lib/log.ts'
import { addressKind, createSafeFetch, RefusedAddress, type Resolve } from '#lib/safe-fetch.ts'
import { sealing } from '#lib/sealing.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Candidate } from './call.ts'
import {
  baseUrlOf,
  buildModel,
  defaultContextTokens,
  environmentModels,
  type VendorModel,
  type VendorSettings,
} from './providers.ts'

const freshMs = 2_000
/** Whether a name of the environment leads to a machine of ours is asked again after so long. */
const insideFreshMs = 60_000
const workspacesHeldMax = 500

/** What a provider's key is sealed for: it opens for this provider at this host and for no other. */
export const keyPurpose = ({ id, kind, baseUrl }: Pick<StoredProvider, 'id' | 'kind' | 'baseUrl'>): string =>
  `provider ${id} at ${new URL(baseUrlOf(kind, baseUrl)).origin}`

/** The key of a provider; undefined when it has none. Throws `model-misconfigured` when it cannot be read. */
export const openKey = (provider: StoredProvider): string | undefined =>
  provider.sealedKey === null ? undefined : sealing().open(provider.sealedKey, keyPurpose(provider))

const reach = { open: createSafeFetch(), local: createSafeFetch({ local: true }) }

/** How providers that an admin set are reached: by the safe client; what it refuses is a matter of settings. */
export const fetchOf =
  ({ local }: Pick<StoredProvider, 'local'>): typeof fetch =>
  async (input, init) => {
    try {
      return await (local ? reach.local : reach.open)(input, init)
    } catch (error) {
      if (!(error instanceof RefusedAddress)) throw error
      throw new AppError('model-misconfigured', { context: { reason: error.message } })
    }
  }

/** The adapter of a stored model; null when it cannot be asked for want of a key that can be read. */
const adapterOf = (provider: StoredProvider, model: StoredModel): LanguageModelV4 | null => {
  try {
    const apiKey = openKey(provider)
    if (!apiKey && provider.kind !== 'compatible') return null
    const { kind, baseUrl } = provider
    return buildModel({ kind, modelId: model.modelId, apiKey, baseUrl, fetch: fetchOf(provider) })
  } catch (error) {
    const reason = error instanceof AppError ? error.publicMessage : 'the address cannot be read'
    log.warn({ providerId: provider.id, reason }, 'a provider is left out')
    return null
  }
}

const storedCandidate = (provider: StoredProvider, stored: StoredModel, model: LanguageModelV4): Candidate => {
  const { inputMicrosPerMillion: input, outputMicrosPerMillion: output, cachedMicrosPerMillion: cached } = stored
  return {
    key: `${provider.id}/${stored.modelId}`,
    provider: {
      id: provider.id,
      name: provider.name,
      kind: provider.kind,
      local: provider.local,
      baseUrl: provider.baseUrl ?? undefined,
      requestsPerMinute: provider.requestsPerMinute ?? undefined,
      tokensPerMinute: provider.tokensPerMinute ?? undefined,
    },
    modelId: stored.modelId,
    tier: stored.tier,
    model,
    contextTokensMax: stored.contextTokensMax ?? defaultContextTokens(provider.kind),
    // What came from a provider's cache costs no more than what did not.
    price: input === null || output === null ? undefined : { input, output, cached: cached ?? input },
  }
}

const environmentCandidate = (
  { provider, model, baseUrl, contextTokensMax }: VendorModel,
  local: boolean,
): Candidate => ({
  // A server without a named model says at the first call what it has.
  get key() {
    return `env-${provider}/${model.modelId}`
  },
  provider: {
    id: `env-${provider}`,
    name: `${provider} (environment)`,
    kind: provider,
    local,
    baseUrl,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
  },
  get modelId() {
    return model.modelId
  },
  tier: 'standard',
  model,
  contextTokensMax,
  price: undefined,
})

const systemResolve: Resolve = (host) => lookup(host, { all: true })

/** Whether a server is on this machine or in a private network, by every address it has. A name that nobody knows is outside. */
const isInside = async (baseUrl: string | undefined, resolve: Resolve): Promise<boolean> => {
  if (!baseUrl) return false
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, '')
  // Fail closed: what is sent to a name that cannot be looked up does not count as staying inside.
  const addresses = await resolve(host).catch(() => [])
  return addresses.length > 0 && addresses.every(({ address }) => addressKind(address) === 'near')
}

/** The candidates that the environment names, in the order of `.env.example`. */
export const createEnvironment = (settings: VendorSettings, resolve: Resolve = systemResolve) => {
  const named = environmentModels(settings)
  let found: { atMs: number; candidates: Promise<Candidate[]> } | undefined
  return (nowMs: number): Promise<Candidate[]> => {
    if (!found || nowMs - found.atMs >= insideFreshMs) {
      const candidates = named.map(async (one) => environmentCandidate(one, await isInside(one.baseUrl, resolve)))
      found = { atMs: nowMs, candidates: Promise.all(candidates) }
    }
    return found.candidates
  }
}

type Held = { atMs: number; candidates: Promise<Candidate[]>; adapters: Map<string, LanguageModelV4 | null> }

/** A registry over a database and an environment; `nowMs` is a clock of its own for tests. */
export const createRegistry = (environment: (nowMs: number) => Promise<Candidate[]>, nowMs = () => Date.now()) => {
  const held = new Map<string, Held>()

  const load = async (workspaceId: string, entry: Held, before: Held['adapters'] | undefined): Promise<Candidate[]> => {
    const [stored, named] = await Promise.all([listEnabledModels(database().db, workspaceId), environment(entry.atMs)])
    const own = stored.flatMap(({ provider, model }) => {
      // Everything that an adapter is built from: a new key is another sealed text.
      const { id, updatedAt, kind, baseUrl, sealedKey, local } = provider
      const recipe = JSON.stringify([id, updatedAt.getTime(), kind, baseUrl, sealedKey, local, model.modelId])
      const adapter = before?.get(recipe)
      const built = adapter === undefined ? adapterOf(provider, model) : adapter
      entry.adapters.set(recipe, built)
      return built ? [storedCandidate(provider, model, built)] : []
    })
    return [...own, ...named]
  }

  return {
    list: (workspaceId: string): Promise<Candidate[]> => {
      const known = held.get(workspaceId)
      const atMs = nowMs()
      if (known && atMs - known.atMs < freshMs) return known.candidates
      const entry: Held = { atMs, candidates: Promise.resolve([]), adapters: new Map() }
      entry.candidates = load(workspaceId, entry, known?.adapters).catch((error: unknown) => {
        // The next caller asks again.
        entry.atMs = Number.NEGATIVE_INFINITY
        throw error
      })
      held.delete(workspaceId)
      held.set(workspaceId, entry)
      const [oldest] = held.keys()
      if (held.size > workspacesHeldMax && oldest !== undefined) held.delete(oldest)
      return entry.candidates
    },
    /** What is held is too old from now on; other processes notice by themselves. */
    forget: (workspaceId: string): void => {
      const known = held.get(workspaceId)
      if (known) known.atMs = Number.NEGATIVE_INFINITY
    },
  }
}

let environment: ReturnType<typeof createEnvironment> | undefined
const namedByEnvironment = (nowMs: number): Promise<Candidate[]> => {
  environment ??= createEnvironment(env())
  return environment(nowMs)
}

const registry = createRegistry(namedByEnvironment)

/** Every model that may be asked for a workspace: an admin's, by tier and order, then the environment's. Not the built-in one. */
export const listCandidates = (workspaceId: string): Promise<Candidate[]> => registry.list(workspaceId)

/** After a change of providers or models in this process. */
export const forgetCandidates = (workspaceId: string): void => registry.forget(workspaceId)

export const listEnvironmentCandidates = (): Promise<Candidate[]> => namedByEnvironment(Date.now())
