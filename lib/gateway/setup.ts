/**
 * Providers, models and rules as an admin sets them. What makes no sense is refused in words; every change and its line in the audit
 * log are stored together; a key goes in sealed and never comes out; a provider that moves to another host loses its key.
 */
import { database, type Tx } from '#db/client.ts'
import { findGatewaySettings, type SettingsChange, storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import {
  countModels,
  countProviders,
  deleteModel as deleteModelRow,
  deleteProvider as deleteProviderRow,
  getModel,
  getProvider,
  insertModel,
  insertProvider,
  listProviderModels,
  listSealedKeys,
  orderModels as orderModelRows,
  type StoredProvider,
  updateModel,
  updateProvider,
} from '#db/queries/models.ts'
import { listCanaries, listModels, listProviders } from '#db/reports/models.ts'
import { listBreakers } from '#db/reports/operations.ts'
import { audit } from '#lib/audit.ts'
import { checkAddress, RefusedAddress } from '#lib/safe-fetch.ts'
import { sealing } from '#lib/sealing.ts'
import { AppError } from '#lib/shared/errors.ts'
import {
  defaultGatewaySettings,
  type GatewaySettings,
  type GatewaySettingsInput,
  gatewaySettingsSchema,
  type Tier,
} from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import type {
  CanaryRow,
  KnownPrice,
  ModelCondition,
  ModelInput,
  ModelPrice,
  ModelSetup,
  ProviderInput,
  ProviderKind,
  ProviderTest,
} from '#lib/shared/models-contract.ts'
import type { BreakerRow } from '#lib/shared/operations-contract.ts'
import { type Governed, governedSchema, governedSections } from '#lib/shared/policy-draft.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { priceMicros } from './cost.ts'
import { tryProvider } from './provider-test.ts'
import { buildModel } from './providers.ts'
import {
  fetchOf,
  forgetCandidates,
  keyPurpose,
  listCandidates,
  listEnvironmentCandidates,
  openKey,
} from './registry.ts'
import { forgetSettings } from './settings.ts'
import { tasks } from './tasks.ts'

const providersMax = 50
const modelsMax = 200
const nameCharsMax = 60
const modelIdCharsMax = 200
const microsPerDollar = 1_000_000
/** Above these a zero too many is likelier than a wish. */
const priceMicrosMax = 10_000 * microsPerDollar
const budgetMicrosMax = 10_000_000 * microsPerDollar

const refuse = (message: string): never => {
  throw new AppError('bad-request', { message })
}

const deceiving = /[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u

const reservedName = /^built-in$|\(environment\)$/i

const checkedName = (raw: string): string => {
  const name = raw.normalize('NFC').replace(/\s+/g, ' ').trim()
  if (!name) refuse('A provider needs a name. Type at least one character.')
  if (name.length > nameCharsMax) refuse(`The name is over ${nameCharsMax} characters. Shorten it.`)
  if (deceiving.test(name)) refuse('The name has characters that cannot be seen. Type it anew.')
  // Reports tell by the name whether a call went to a provider of ours, of the environment, or to none.
  if (reservedName.test(name))
    refuse(`${name} is what Footnote calls a provider of its own. Give this one another name.`)
  return name
}

const inRange = (value: number | null, name: string, min: number, max: number): number | null => {
  if (value === null) return null
  if (!Number.isInteger(value)) refuse(`${name} must be a whole number.`)
  if (value < min || value > max)
    refuse(`${name} must be between ${min.toLocaleString('en-US')} and ${max.toLocaleString('en-US')}.`)
  return value
}

/** The address of a compatible server, checked and without a slash at its end; null for vendors, whose addresses are known. */
const checkedBaseUrl = ({ kind, baseUrl, local }: Pick<ProviderInput, 'kind' | 'baseUrl' | 'local'>): string | null => {
  if (kind !== 'compatible') return null
  const raw = baseUrl?.trim()
  if (!raw) return refuse('A compatible server needs an address, for example http://127.0.0.1:11434/v1 for Ollama.')
  try {
    const url = checkAddress(raw, { local })
    if (url.search || url.hash) refuse('The address must end with its path. Take out what stands after ? or #.')
    if (url.protocol === 'http:' && !local)
      refuse(
        'Use https://: over http:// the key and your documents could be read on the way. Only local servers may do without.',
      )
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  } catch (error) {
    if (error instanceof RefusedAddress) return refuse(error.message)
    throw error
  }
}

const checkedKey = (raw: string): string => {
  const key = raw.trim()
  if (!key) refuse('The key is empty. Paste it, or leave the field alone to keep the stored one.')
  // It becomes a header.
  if (!/^[\x21-\x7e]+$/.test(key)) refuse('The key has spaces, line breaks or special characters in it. Copy it again.')
  return key
}

/** The end of a key, to tell keys apart; of a short one nothing. */
const hintOf = (key: string): string | null => (key.length >= 12 ? key.slice(-4) : null)

type KeyColumns = Pick<StoredProvider, 'sealedKey' | 'keyHint'>
type KeyChange = 'set' | 'kept' | 'removed' | 'removed with the address' | 'none'

const keyColumns = (
  next: Pick<StoredProvider, 'id' | 'kind' | 'baseUrl'>,
  before: StoredProvider | undefined,
  apiKey: string | null | undefined,
): { columns: KeyColumns; change: KeyChange } => {
  const none = { sealedKey: null, keyHint: null }
  if (typeof apiKey === 'string') {
    const key = checkedKey(apiKey)
    return { columns: { sealedKey: sealing().seal(key, keyPurpose(next)), keyHint: hintOf(key) }, change: 'set' }
  }
  if (!before?.sealedKey) return { columns: none, change: 'none' }
  if (apiKey === null) return { columns: none, change: 'removed' }
  if (keyPurpose(before) !== keyPurpose(next)) return { columns: none, change: 'removed with the address' }
  return { columns: { sealedKey: before.sealedKey, keyHint: before.keyHint }, change: 'kept' }
}

/**
 * Makes or changes a provider. A key that is left out stays, unless the host changes: then it is removed, and `keyCleared` says so.
 * Throws `bad-request` in words, `not-found`.
 */
export const saveProvider = async (
  viewer: Viewer,
  input: ProviderInput,
): Promise<{ id: string; keyCleared: boolean }> => {
  const { kind, local, enabled } = input
  if (local && kind !== 'compatible')
    refuse('Only a compatible server can be local: what goes to a vendor leaves your machines.')
  const { workspaceId } = viewer
  const id = input.id ?? newId()
  const values = {
    name: checkedName(input.name),
    kind,
    baseUrl: checkedBaseUrl(input),
    local,
    enabled,
    requestsPerMinute: inRange(input.requestsPerMinute, 'Requests a minute', 1, 1_000_000),
    tokensPerMinute: inRange(input.tokensPerMinute, 'Tokens a minute', 1, 1_000_000_000),
  }
  const change = await database().db.transaction(async (tx) => {
    const before = input.id === null ? undefined : await getProvider(tx, workspaceId, id, true)
    if (input.id !== null && !before) throw new AppError('not-found')
    if (!before && (await countProviders(tx, workspaceId)) >= providersMax)
      refuse(`There are ${providersMax} providers already. Delete one that is not used.`)
    const key = keyColumns({ id, kind, baseUrl: values.baseUrl }, before, input.apiKey)
    const row = { id, workspaceId, ...values, ...key.columns }
    if (!(await (before ? updateProvider(tx, row) : insertProvider(tx, row))))
      refuse(`There is a provider called ${values.name} already. Give this one another name.`)
    await audit(tx, {
      actor: viewer,
      event: 'provider.saved',
      objectId: id,
      details: { ...values, new: !before, key: key.change },
    })
    return key.change
  })
  forgetCandidates(workspaceId)
  return { id, keyCleared: change === 'removed with the address' }
}

/** Deletes a provider with its models and its key. Throws `not-found`. */
export const deleteProvider = (viewer: Viewer, id: string): Promise<void> =>
  changing(viewer, async (tx) => {
    const name = await deleteProviderRow(tx, viewer.workspaceId, id)
    if (name === undefined) throw new AppError('not-found')
    await audit(tx, { actor: viewer, event: 'provider.deleted', objectId: id, details: { name } })
  })

/** One transaction; afterwards this process asks for its candidates anew. */
const changing = async <T>(viewer: Viewer, run: (tx: Tx) => Promise<T>): Promise<T> => {
  const done = await database().db.transaction(run)
  forgetCandidates(viewer.workspaceId)
  return done
}

const checkedPrice = (price: ModelInput['price']): ModelPrice | null => {
  if (!price) return null
  for (const [name, micros] of [
    ['input', price.input],
    ['output', price.output],
    ['cached input', price.cached ?? 0],
  ] as const) {
    if (micros < 0) refuse(`The price of ${name} is negative. Enter what the provider charges, or 0 where it is free.`)
    if (micros > priceMicrosMax)
      refuse(
        `The price of ${name} is over $10,000 a million tokens. Check it: prices are in dollars per million tokens.`,
      )
    if (!Number.isInteger(micros)) refuse(`The price of ${name} is finer than a millionth of a dollar. Round it.`)
  }
  return price
}

/** Makes or changes a model. Throws `bad-request` in words, `not-found`. */
export const saveModel = async (viewer: Viewer, input: ModelInput): Promise<{ id: string }> => {
  const { workspaceId } = viewer
  const modelId = input.modelId.trim()
  if (!modelId) refuse('A model needs its name at the provider, for example gpt-5.4-mini or qwen3:8b.')
  if (modelId.length > modelIdCharsMax)
    refuse(`The name of a model is under ${modelIdCharsMax} characters. Shorten it.`)
  if (/\s/.test(modelId) || deceiving.test(modelId))
    refuse('The name of a model has no spaces in it. Copy it as the provider writes it.')
  const price = checkedPrice(input.price)
  const values = {
    providerId: input.providerId,
    modelId,
    tier: input.tier,
    enabled: input.enabled,
    position: inRange(input.position, 'The place in the order', 0, 10_000),
    contextTokensMax: inRange(input.contextTokensMax, 'The context', 1_000, 10_000_000),
    inputMicrosPerMillion: price?.input ?? null,
    outputMicrosPerMillion: price?.output ?? null,
    cachedMicrosPerMillion: price?.cached ?? null,
  }
  const id = input.id ?? newId()
  await changing(viewer, async (tx) => {
    const provider = await getProvider(tx, workspaceId, values.providerId, true)
    const before = input.id === null ? undefined : await getModel(tx, workspaceId, id)
    // A model stays with its provider: elsewhere it is another model, with other figures.
    if (!provider || (input.id !== null && before?.providerId !== provider.id)) throw new AppError('not-found')
    if (!before && (await countModels(tx, workspaceId)) >= modelsMax)
      refuse(`There are ${modelsMax} models already. Delete one that is not used.`)
    const saved = before ? updateModel(tx, before, values) : insertModel(tx, { id, workspaceId, ...values })
    if (!(await saved)) refuse(`${provider.name} has a model ${modelId} already. Change that one.`)
    await audit(tx, { actor: viewer, event: 'model.saved', objectId: id, details: { ...values, new: !before } })
  })
  return { id }
}

/** Deletes a model. Throws `not-found`. */
export const deleteModel = (viewer: Viewer, id: string): Promise<void> =>
  changing(viewer, async (tx) => {
    const modelId = await deleteModelRow(tx, viewer.workspaceId, id)
    if (modelId === undefined) throw new AppError('not-found')
    await audit(tx, { actor: viewer, event: 'model.deleted', objectId: id, details: { modelId } })
  })

/** Sets the order in which the models of a tier are asked; `conflict` when these are no longer its models. */
export const orderModels = (viewer: Viewer, tier: Tier, ids: readonly string[]): Promise<void> =>
  changing(viewer, async (tx) => {
    if (!(await orderModelRows(tx, viewer.workspaceId, tier, ids))) throw new AppError('conflict')
    await audit(tx, { actor: viewer, event: 'models.ordered', objectId: viewer.workspaceId, details: { tier, ids } })
  })

/** Tries a stored provider through the safe client and says what to mend. Throws `not-found`. */
export const testProvider = async (viewer: Viewer, id: string): Promise<ProviderTest> => {
  const { db } = database()
  const provider = await getProvider(db, viewer.workspaceId, id)
  if (!provider) throw new AppError('not-found')
  const { kind, baseUrl } = provider
  let apiKey: string | undefined
  try {
    apiKey = openKey(provider)
  } catch (error) {
    return {
      ok: false,
      message: error instanceof AppError ? error.publicMessage : 'The key cannot be read.',
      models: [],
    }
  }
  if (!apiKey && kind !== 'compatible')
    return { ok: false, message: 'There is no key yet. Enter one to use this provider.', models: [] }
  const stored = await listProviderModels(db, viewer.workspaceId, id)
  const fetch = fetchOf(provider)
  return tryProvider({
    kind,
    apiKey,
    baseUrl,
    fetch,
    modelIds: stored.filter(({ enabled }) => enabled).map(({ modelId }) => modelId),
    build: (modelId) => buildModel({ kind, modelId, apiKey, baseUrl, fetch }),
  })
}

const settingNames: Record<string, string> = {
  'budgets.userDayMicros': 'The budget of a person a day',
  'budgets.userMonthMicros': 'The budget of a person a month',
  'budgets.workspaceDayMicros': 'The budget of the workspace a day',
  'budgets.workspaceMonthMicros': 'The budget of the workspace a month',
  'budgets.workspaceMinuteMicros': 'The most that may be spent in a minute',
  'tokenLimits.userMinute': 'The tokens of a person a minute',
  'tokenLimits.workspaceMinute': 'The tokens of the workspace a minute',
  'injection.flagFrom': 'The score from which text is flagged',
  'injection.quarantineFrom': 'The score from which a passage is held back',
  'cache.wrongHitsMax': 'The share of wrong answers from the cache',
  'cache.ttlSeconds': 'The time for which answers are kept',
  'routing.localConfidenceMin': 'The confidence of local models',
  'routing.localShareTarget': 'The share that local models are to take',
  'routing.standardFrom': 'The difficulty of the standard tier',
  'routing.flagshipFrom': 'The difficulty of the flagship tier',
  'canary.everyHours': 'The hours between two checks of a model',
  'canary.dropFrom': 'The fall from which a model counts as worse',
  'alerts.webhookUrl': 'The address for alerts',
  'alerts.errorShareFrom': 'The error rate',
  'alerts.p95MsFrom': 'The slowest one in twenty',
  'alerts.budgetShareFrom': 'The used share of a budget',
  'policy.confidence.warnBelow': 'The confidence below which an answer carries a warning',
  'policy.confidence.withholdBelow': 'The confidence below which an answer is withheld',
  'policy.review.rules': 'The number of review rules',
  'policy.review.rules.*.name': 'The length of the name of a review rule',
  'policy.review.rules.*.when.collectionIds': 'The number of collections of a review rule',
  'policy.review.rules.*.when.topics': 'The number of topics of a review rule',
  'policy.review.rules.*.when.roles': 'The number of roles of a review rule',
  'policy.review.rules.*.when.confidenceBelow': 'The confidence of a review rule',
  'policy.review.rules.*.when.injectionFrom': 'The score of a review rule',
  'policy.review.rules.*.words': 'The length of what a review rule tells the asker',
  'policy.review.sampleShare': 'The share of answers taken at random',
  'policy.review.slaMinutes': 'The minutes in which a decision is owed',
  'policy.review.holdMinutes': 'The minutes after which a held answer is given up',
  'policy.review.seedShare': 'The share of answers that are known to be wrong',
  'policy.review.webhookUrl': 'The address that decisions are told to',
  'policy.retention.chats': 'The days for conversations',
  'policy.retention.traces': 'The days for traces',
  'policy.retention.calls': 'The days for lines about calls',
  'policy.retention.audit': 'The days for the audit log',
  'policy.retention.sessions': 'The days for ended sessions',
  'policy.retention.exports': 'The days for exports',
  'policy.quietHours.from': 'The beginning of the quiet hours',
  'policy.quietHours.to': 'The end of the quiet hours',
}

type SettingIssue = { code: string; path: PropertyKey[]; minimum?: unknown; maximum?: unknown; format?: unknown }

const issueWords = ({ code, path, minimum, maximum, format }: SettingIssue): string => {
  const place = path.map((part) => (typeof part === 'number' ? '*' : part)).join('.')
  const name = settingNames[place] ?? `"${path.join('.')}"`
  if (code === 'too_small')
    return minimum === 0 ? `${name} must not be negative.` : `${name} must be at least ${String(minimum)}.`
  if (code === 'too_big') return `${name} must be at most ${String(maximum)}.`
  // One that may be empty is a union.
  if ((code === 'invalid_format' && format === 'url') || (code === 'invalid_union' && place.endsWith('Url')))
    return `${name} must begin with https:// or http://.`
  if (code === 'unrecognized_keys')
    return 'These rules have a part that is not known here. Reload the page and try again.'
  return `${name} is not a value that can be used.`
}

/** What is wrong with rules, in words. */
export const settingIssues = (issues: readonly SettingIssue[]): string => issues.slice(0, 3).map(issueWords).join(' ')

const checkSettings = (settings: GatewaySettings): void => {
  for (const [name, micros] of Object.entries(settings.budgets))
    if (micros !== null && micros > budgetMicrosMax)
      refuse(`${settingNames[`budgets.${name}`]} is over $10,000,000. Check it, or leave it empty for no limit.`)
  if (settings.routing.standardFrom > settings.routing.flagshipFrom)
    refuse('The flagship tier must begin at the difficulty of the standard tier or above it.')
  if (settings.alerts.webhookUrl === null) return
  try {
    checkAddress(settings.alerts.webhookUrl)
  } catch (error) {
    refuse(`The address for alerts cannot be used. ${error instanceof Error ? error.message : ''}`)
  }
}

/** As good as a key to whoever has them. */
const sealedSettings = ['alerts.webhookUrl', 'policy.review.webhookUrl']

/** Rules by their paths, down to two names, and further where something below is not for the log. */
const flat = (rules: object, path = ''): [string, unknown][] =>
  Object.entries(rules).flatMap(([name, value]): [string, unknown][] => {
    const here = `${path}${name}`
    const deeper = path === '' || sealedSettings.some((sealed) => sealed.startsWith(`${here}.`))
    return deeper && typeof value === 'object' && value !== null ? flat(value, `${here}.`) : [[here, value]]
  })

/** Changed rules by their path, as the log may keep them. */
const changesOf = (before: GatewaySettings, after: GatewaySettings): Record<string, unknown> => {
  const old = new Map(flat(before))
  const now = new Map(flat(after))
  return Object.fromEntries(
    [...new Set([...old.keys(), ...now.keys()])]
      .filter((name) => JSON.stringify(old.get(name)) !== JSON.stringify(now.get(name)))
      .map((name) => [
        name,
        sealedSettings.includes(name) ? 'changed' : [old.get(name) ?? null, now.get(name) ?? null],
      ]),
  )
}

/** Checks rules as a whole and stores them with the line in the log's details; the new version. Throws as `saveGatewaySettings`. */
const storeChecked = async (
  tx: Tx,
  viewer: Viewer,
  { expectedVersion, input, change }: { expectedVersion: number; input: GatewaySettingsInput; change?: SettingsChange },
): Promise<{ version: number; before: GatewaySettings | null; settings: GatewaySettings }> => {
  const { settings: before } = await findGatewaySettings(tx, viewer.workspaceId)
  const parsed = gatewaySettingsSchema.safeParse({ ...before, ...input })
  if (!parsed.success) return refuse(settingIssues(parsed.error.issues))
  const settings = parsed.data
  checkSettings(settings)
  const saved = change ?? { savedBy: viewer.userId }
  const version = await storeGatewaySettings(tx, viewer.workspaceId, expectedVersion, settings, saved)
  if (version === null) throw new AppError('conflict')
  return { version, before, settings }
}

/** What only a draft may change: the policy always, the other governed rules where a second admin has to agree. */
const refuseGoverned = (before: GatewaySettings, input: GatewaySettingsInput): void => {
  const changed = governedSections.filter(
    (section) =>
      input[section] !== undefined &&
      JSON.stringify(governedSchema.partial().safeParse({ [section]: input[section] }).data?.[section]) !==
        JSON.stringify(before[section]),
  )
  if (changed.includes('policy')) refuse('The policy is changed on the Policy page, as a draft.')
  if (changed.length > 0 && before.policy.secondApprover)
    refuse(
      'In this workspace a second admin agrees to changes of budgets, masking, providers and what is held back. Make them on the Policy page, as a draft.',
    )
}

/**
 * Stores the rules of the viewer's workspace; the new version. Throws `conflict` when somebody saved since `expectedVersion`,
 * `bad-request` in words for what makes no sense or is changed by drafts alone.
 */
export const saveGatewaySettings = async (
  viewer: Viewer,
  expectedVersion: number,
  input: GatewaySettingsInput,
): Promise<number> => {
  const known = new Set((await listCandidates(viewer.workspaceId)).map(({ key }) => key))
  const stored = await database().db.transaction(async (tx) => {
    const saved = await storeChecked(tx, viewer, { expectedVersion, input })
    const { version, before, settings } = saved
    refuseGoverned(before ?? defaultGatewaySettings, input)
    for (const [task, key] of Object.entries(settings.taskModels)) {
      if (!Object.hasOwn(tasks, task)) refuse(`There is no task called ${task}.`)
      // What was set before may stay: its provider can be off for now, and is passed over.
      if (!known.has(key) && before?.taskModels[task] !== key)
        refuse(`The model that is set for "${task}" is not there. Choose another.`)
    }
    await audit(tx, {
      actor: viewer,
      event: 'gateway-settings.saved',
      objectId: viewer.workspaceId,
      details: { version, changes: changesOf(before ?? defaultGatewaySettings, settings) },
      before: before ?? defaultGatewaySettings,
      after: settings,
    })
    return version
  })
  forgetSettings(viewer.workspaceId)
  return stored
}

/**
 * Stores what a draft governs, in the transaction that ends the draft; the new version and what changed, as a log may keep it. The
 * caller has checked the policy, writes the line of the audit log, and calls `forgetSettings` afterwards. Throws as
 * `saveGatewaySettings`.
 */
export const saveGoverned = async (
  tx: Tx,
  viewer: Viewer,
  call: { expectedVersion: number; governed: Governed; change: SettingsChange },
): Promise<{ version: number; changes: Record<string, unknown> }> => {
  const { expectedVersion, governed, change } = call
  const { version, before, settings } = await storeChecked(tx, viewer, { expectedVersion, input: governed, change })
  return { version, changes: changesOf(before ?? defaultGatewaySettings, settings) }
}

/** What is shown of a price: micro-dollars a million tokens. A thousand are asked for, since some models cost more from many on. */
const knownPriceOf = (
  { kind, modelId, baseUrl, local }: { kind: ProviderKind; modelId: string; baseUrl: string | null; local: boolean },
  price: ModelPrice | null,
): KnownPrice => {
  if (local) return { source: 'free', input: 0, output: 0 }
  if (price) return { source: 'admin', input: price.input, output: price.output }
  const of = (inputTokens: number, outputTokens: number) =>
    priceMicros({ modelId, provider: kind, baseUrl: baseUrl ?? undefined }, { inputTokens, outputTokens })
  const input = of(1_000, 0)
  const output = of(0, 1_000)
  if (input === null || output === null) return { source: 'unknown', input: 0, output: 0 }
  return { source: 'table', input: input * 1_000, output: output * 1_000 }
}

const keyState = (provider: StoredProvider): 'none' | 'stored' | 'unreadable' => {
  try {
    return openKey(provider) === undefined ? 'none' : 'stored'
  } catch {
    return 'unreadable'
  }
}

/** Of a server of the environment that has no model named; it says at its first call, to whoever asks, which it has. */
const unnamedModel = '/first-model'

/** What is known of the model with a key. Where this process has not heard the model's name yet, what others learned of its server. */
export const conditionFrom =
  (breakers: readonly BreakerRow[], canaries: ReadonlyMap<string, CanaryRow>) =>
  (key: string): ModelCondition => {
    const start = key.endsWith(unnamedModel) ? key.slice(0, 1 - unnamedModel.length) : null
    const isMeant = (other: string): boolean => other === key || (start !== null && other.startsWith(start))
    const newest = <Row>(rows: readonly Row[], at: (row: Row) => string): Row | null =>
      rows.toSorted((a, b) => at(b).localeCompare(at(a)))[0] ?? null
    return {
      breaker: newest(
        breakers.filter((breaker) => isMeant(breaker.key)),
        ({ changedAt }) => changedAt,
      ),
      canary: newest(
        [...canaries].filter(([other]) => isMeant(other)).map(([, canary]) => canary),
        ({ checkedAt }) => checkedAt,
      ),
    }
  }

/** Everything the Models screen shows. */
export const modelSetup = async (viewer: Viewer): Promise<ModelSetup> => {
  const { db } = database()
  const [providers, models, sealed, { settings, version }, environment, breakers, canaries] = await Promise.all([
    listProviders(db, viewer),
    listModels(db, viewer),
    listSealedKeys(db, viewer.workspaceId),
    findGatewaySettings(db, viewer.workspaceId),
    listEnvironmentCandidates(),
    listBreakers(db, viewer),
    listCanaries(db, viewer),
  ])
  const conditionOf = conditionFrom(breakers, canaries)
  const keys = new Map(sealed.map((provider) => [provider.id, keyState(provider)]))
  return {
    providers: providers.map((provider) => ({
      ...provider,
      key: keys.get(provider.id) ?? 'none',
      models: models
        .filter(({ providerId }) => providerId === provider.id)
        .map(
          ({
            inputMicrosPerMillion: input,
            outputMicrosPerMillion: output,
            cachedMicrosPerMillion: cached,
            ...model
          }) => {
            const price = input === null || output === null ? null : { input, output, cached }
            const key = `${provider.id}/${model.modelId}`
            const knownPrice = knownPriceOf({ ...provider, modelId: model.modelId }, price)
            return { ...model, key, price, knownPrice, ...conditionOf(key) }
          },
        ),
    })),
    environment: environment.flatMap(({ key, modelId, provider: { name, kind, local, baseUrl = null } }) => {
      if (kind === 'built-in') return []
      const knownPrice = knownPriceOf({ kind, modelId, baseUrl, local }, null)
      return [{ key, provider: name, kind, modelId, baseUrl, local, knownPrice, ...conditionOf(key) }]
    }),
    settings: settings ?? defaultGatewaySettings,
    version,
    settingsReadable: settings !== null,
    tasks: Object.keys(tasks),
  }
}
