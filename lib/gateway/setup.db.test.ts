import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateText } from 'ai'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { getGatewaySettings } from '#db/queries/gateway-settings.ts'
import { auditLog, breakers, gatewaySettings, modelCanaries, modelProviders } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { AppError } from '#lib/shared/errors.ts'
import { defaultGatewaySettings, type GatewaySettingsInput } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import type { CanaryRow, ModelInput, ProviderInput } from '#lib/shared/models-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { tryProvider } from './provider-test.ts'
import { createEnvironment, createRegistry, fetchOf, forgetCandidates, listCandidates } from './registry.ts'
import {
  conditionFrom,
  deleteModel,
  deleteProvider,
  modelSetup,
  orderModels,
  saveGatewaySettings,
  saveModel,
  saveProvider,
  testProvider,
} from './setup.ts'

vi.hoisted(() => {
  process.env.AUTH_SECRET = 'a secret for tests, longer than it must be'
  for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY']) process.env[name] = ''
  delete process.env.OPENAI_BASE_URL
})

const opened = withDatabase()
let workspace: TestWorkspace
let viewer: Viewer
let vendor: MockProvider
const servers: Server[] = []

beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(async () => {
  await vendor.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})
beforeEach(async () => {
  workspace = await createTestWorkspace(opened.current())
  viewer = workspace.viewers.admin
  vendor.requests.length = 0
  vendor.script({})
})

const provider = (over: Partial<ProviderInput> = {}): ProviderInput => ({
  id: null,
  name: 'Ollama',
  kind: 'compatible',
  baseUrl: vendor.url,
  local: true,
  enabled: true,
  requestsPerMinute: null,
  tokensPerMinute: null,
  ...over,
})
const openai = (over: Partial<ProviderInput> = {}): ProviderInput =>
  provider({ name: 'OpenAI', kind: 'openai', baseUrl: null, local: false, apiKey: 'sk-proj-abcdefgh1234', ...over })
const model = (providerId: string, over: Partial<ModelInput> = {}): ModelInput => ({
  id: null,
  providerId,
  modelId: 'mock-1',
  tier: 'standard',
  position: null,
  enabled: true,
  contextTokensMax: null,
  price: null,
  ...over,
})
const refusal = async (run: Promise<unknown>): Promise<string> => {
  const error = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused in words: ${String(error)}`)
  expect(error.code).toBe('bad-request')
  return error.publicMessage
}
const auditOf = (objectId: string) =>
  opened.current().db.select().from(auditLog).where(eq(auditLog.objectId, objectId)).orderBy(auditLog.at)
const storedRow = async (id: string) => {
  const [row] = await opened.current().db.select().from(modelProviders).where(eq(modelProviders.id, id))
  if (!row) throw new Error('no such provider')
  return row
}
const keysOf = async () => (await listCandidates(viewer.workspaceId)).map(({ modelId }) => modelId)

describe('a provider', () => {
  it('keeps its key sealed, shows its end, and neither row, audit nor screen has it', async () => {
    const { id } = await saveProvider(viewer, openai())
    const row = await storedRow(id)
    expect(row.keyHint).toBe('1234')
    expect(row.sealedKey).toMatch(/^v1\./)
    const everything = JSON.stringify([row, await auditOf(id), await modelSetup(viewer)])
    expect(everything).not.toContain('abcdefgh')
    expect(JSON.stringify([await auditOf(id), await modelSetup(viewer)])).not.toContain(row.sealedKey)
    expect((await auditOf(id)).map(({ event, details }) => [event, (details as { key: string }).key])).toEqual([
      ['provider.saved', 'set'],
    ])
  })

  it('keeps its key while its host stays, and loses it with the host', async () => {
    const at = (baseUrl: string, over: Partial<ProviderInput> = {}) =>
      provider({ name: 'vLLM', baseUrl, local: false, ...over })
    const { id } = await saveProvider(viewer, at('https://models.example.com/v1', { apiKey: 'key-of-twelve' }))
    expect(await saveProvider(viewer, at('https://models.example.com/v2', { id }))).toEqual({ id, keyCleared: false })
    expect((await storedRow(id)).sealedKey).not.toBeNull()
    for (const elsewhere of ['https://models.example.com:8443/v2', 'https://evil.example.com/v2']) {
      await saveProvider(viewer, at('https://models.example.com/v2', { id, apiKey: 'key-of-twelve' }))
      expect(await saveProvider(viewer, at(elsewhere, { id }))).toEqual({ id, keyCleared: true })
      expect(await storedRow(id)).toMatchObject({ sealedKey: null, keyHint: null })
    }
  })

  it('whose row was pointed elsewhere behind our back does not send its key there', async () => {
    const { id } = await saveProvider(viewer, provider({ baseUrl: 'http://10.1.2.3/v1', apiKey: 'key-of-twelve' }))
    await saveModel(viewer, model(id))
    await opened.current().db.update(modelProviders).set({ baseUrl: vendor.url }).where(eq(modelProviders.id, id))
    forgetCandidates(viewer.workspaceId)
    expect(await listCandidates(viewer.workspaceId)).toEqual([])
    expect(await testProvider(viewer, id)).toMatchObject({
      ok: false,
      message: expect.stringContaining('Enter the key again'),
    })
    expect((await modelSetup(viewer)).providers[0]?.key).toBe('unreadable')
    expect(vendor.requests).toEqual([])
  })

  it.each([
    [{ name: ' ' }, 'needs a name'],
    [{ name: 'x'.repeat(61) }, 'over 60 characters'],
    [{ name: 'a\u202eb' }, 'cannot be seen'],
    [{ name: 'Built-in' }, 'a provider of its own'],
    [{ name: 'openai (environment)' }, 'a provider of its own'],
    [{ baseUrl: null }, 'needs an address'],
    [{ baseUrl: 'nonsense' }, 'no web address'],
    [{ baseUrl: 'ftp://example.com' }, 'Only http and https'],
    [{ baseUrl: 'http://169.254.169.254/v1' }, 'never called'],
    [{ baseUrl: 'http://10.0.0.1/v1', local: false }, 'unless the provider is marked as local'],
    [{ baseUrl: 'http://example.com/v1', local: false }, 'Use https://'],
    [{ baseUrl: 'https://u:p@example.com/v1' }, 'before the @'],
    [{ baseUrl: 'https://example.com/v1?key=1' }, 'after ? or #'],
    [{ kind: 'openai', baseUrl: null, local: true }, 'Only a compatible server can be local'],
    [{ apiKey: 'sk 1' }, 'Copy it again'],
    [{ apiKey: 'sk\r\nx-evil: 1' }, 'Copy it again'],
    [{ apiKey: '' }, 'The key is empty'],
    [{ requestsPerMinute: -1 }, 'between 1 and'],
    [{ tokensPerMinute: 1.5 }, 'whole number'],
  ] satisfies [Partial<ProviderInput>, string][])('that is %j is refused in words', async (over, words) => {
    expect(await refusal(saveProvider(viewer, provider(over)))).toContain(words)
    expect((await modelSetup(viewer)).providers).toEqual([])
  })

  it('has a name of its own', async () => {
    await saveProvider(viewer, provider())
    expect(await refusal(saveProvider(viewer, provider()))).toContain('called Ollama already')
    const { id } = await saveProvider(viewer, provider({ name: 'Other' }))
    expect(await refusal(saveProvider(viewer, provider({ id })))).toContain('called Ollama already')
  })

  it('of another workspace is not there', async () => {
    const { id } = await saveProvider(viewer, provider())
    const { id: modelId } = await saveModel(viewer, model(id))
    const stranger = (await createTestWorkspace(opened.current())).viewers.admin
    const missing = { code: 'not-found' }
    await expect(saveProvider(stranger, provider({ id }))).rejects.toMatchObject(missing)
    await expect(deleteProvider(stranger, id)).rejects.toMatchObject(missing)
    await expect(testProvider(stranger, id)).rejects.toMatchObject(missing)
    await expect(saveModel(stranger, model(id))).rejects.toMatchObject(missing)
    await expect(deleteModel(stranger, modelId)).rejects.toMatchObject(missing)
    await expect(orderModels(stranger, 'standard', [modelId])).rejects.toMatchObject({ code: 'conflict' })
    const own = await saveProvider(stranger, provider())
    await expect(saveModel(stranger, model(own.id, { id: modelId }))).rejects.toMatchObject(missing)
    expect((await modelSetup(viewer)).providers[0]?.models).toHaveLength(1)
  })
})

describe('candidates', () => {
  it('are the enabled models of enabled providers, by tier and order', async () => {
    const one = await saveProvider(viewer, provider())
    const two = await saveProvider(viewer, openai({ requestsPerMinute: 60 }))
    const off = await saveProvider(viewer, provider({ name: 'Off', enabled: false }))
    await saveModel(viewer, model(two.id, { modelId: 'gpt-big', tier: 'flagship' }))
    const first = await saveModel(viewer, model(one.id, { modelId: 'a' }))
    const second = await saveModel(
      viewer,
      model(two.id, { modelId: 'b', price: { input: 5, output: 7, cached: null } }),
    )
    await saveModel(viewer, model(one.id, { modelId: 'small', tier: 'fast', contextTokensMax: 4_096 }))
    await saveModel(viewer, model(one.id, { modelId: 'disabled', enabled: false }))
    await saveModel(viewer, model(off.id, { modelId: 'dark' }))
    expect(await keysOf()).toEqual(['small', 'a', 'b', 'gpt-big'])
    const disabled = (await modelSetup(viewer)).providers[0]?.models.find(({ modelId }) => modelId === 'disabled')
    await orderModels(viewer, 'standard', [second.id, first.id, disabled?.id ?? '', ...(await darkIds())])
    expect(await keysOf()).toEqual(['small', 'b', 'a', 'gpt-big'])
    const [small, b] = await listCandidates(viewer.workspaceId)
    expect(small).toMatchObject({ contextTokensMax: 4_096, price: undefined, provider: { local: true } })
    expect(b).toMatchObject({
      key: `${two.id}/b`,
      price: { input: 5, output: 7, cached: 5 },
      provider: { name: 'OpenAI', kind: 'openai', local: false, requestsPerMinute: 60 },
    })
  })
  const darkIds = async () =>
    (await modelSetup(viewer)).providers.find(({ name }) => name === 'Off')?.models.map(({ id }) => id) ?? []

  it('without the key they need are left out', async () => {
    const { id } = await saveProvider(viewer, openai({ apiKey: null }))
    await saveModel(viewer, model(id))
    expect(await keysOf()).toEqual([])
    expect(await testProvider(viewer, id)).toMatchObject({ ok: false, message: expect.stringContaining('no key yet') })
  })

  it('send the key that is stored now, through the client that knows refused addresses', async () => {
    const { id } = await saveProvider(viewer, provider({ apiKey: 'first-key-0001' }))
    await saveModel(viewer, model(id))
    const say = async () => {
      const [candidate] = await listCandidates(viewer.workspaceId)
      if (!candidate) throw new Error('no candidate')
      return generateText({ model: candidate.model, prompt: 'Hello', maxRetries: 0 })
    }
    await say()
    await saveProvider(viewer, provider({ id, apiKey: 'second-key-0002' }))
    await say()
    expect(vendor.requests.map(({ authorization }) => authorization)).toEqual([
      'Bearer first-key-0001',
      'Bearer second-key-0002',
    ])
    // Not by way of the screen, which refuses it: the client itself does too.
    await opened
      .current()
      .db.update(modelProviders)
      .set({ local: false, sealedKey: null })
      .where(eq(modelProviders.id, id))
    forgetCandidates(viewer.workspaceId)
    await expect(say()).rejects.toMatchObject({ code: 'model-misconfigured' })
    expect(vendor.requests).toHaveLength(2)
  })

  it('of another process are noticed within two seconds, and asked for once in between', async () => {
    let atMs = 0
    const registry = createRegistry(
      () => Promise.resolve([]),
      () => atMs,
    )
    const { id } = await saveProvider(viewer, provider())
    await saveModel(viewer, model(id))
    const before = await registry.list(viewer.workspaceId)
    expect(before).toHaveLength(1)
    await deleteProvider(viewer, id)
    atMs = 1_999
    expect(await registry.list(viewer.workspaceId)).toBe(before)
    atMs = 2_000
    expect(await registry.list(viewer.workspaceId)).toEqual([])
  })

  it('keep their adapter while nothing about them changes', async () => {
    let atMs = 0
    const registry = createRegistry(
      () => Promise.resolve([]),
      () => atMs,
    )
    const { id } = await saveProvider(viewer, provider())
    await saveModel(viewer, model(id))
    const [before] = await registry.list(viewer.workspaceId)
    atMs = 5_000
    const [later] = await registry.list(viewer.workspaceId)
    expect(later?.model).toBe(before?.model)
    await saveProvider(viewer, provider({ id, apiKey: 'a-new-key-0001' }))
    atMs = 10_000
    expect((await registry.list(viewer.workspaceId))[0]?.model).not.toBe(before?.model)
  })

  it('of the environment come last, several vendors beside each other, local by their addresses', async () => {
    const none = { apiKey: undefined, model: undefined }
    const named = (baseUrl: string, address: string) =>
      createEnvironment(
        {
          openai: { ...none, baseUrl, model: 'm' },
          anthropic: { ...none, apiKey: 'k' },
          google: { ...none, apiKey: 'k' },
        },
        () => (address ? Promise.resolve([{ address, family: 4 }]) : Promise.reject(new Error('no such name'))),
      )(0)
    const found = await named('http://gpu.internal:8000/v1', '10.0.0.7')
    expect(found.map(({ key, tier, provider: { local } }) => [key.split('/')[0], tier, local])).toEqual([
      ['env-compatible', 'standard', true],
      ['env-anthropic', 'standard', false],
      ['env-google', 'standard', false],
    ])
    const local = async (address: string) => (await named('http://gpu.internal/v1', address))[0]?.provider.local
    expect([await local('127.0.0.1'), await local('8.8.8.8'), await local('169.254.0.1'), await local('')]).toEqual([
      true,
      false,
      false,
      false,
    ])
    const environment = createEnvironment({
      openai: { ...none, baseUrl: undefined },
      anthropic: { ...none, apiKey: 'k' },
      google: none,
    })
    const { id } = await saveProvider(viewer, provider())
    await saveModel(viewer, model(id, { tier: 'flagship' }))
    const all = await createRegistry(environment).list(viewer.workspaceId)
    expect(all.map(({ provider: { name } }) => name)).toEqual(['Ollama', 'anthropic (environment)'])
  })
})

describe('a model', () => {
  it.each([
    [{ modelId: ' ' }, 'needs its name'],
    [{ modelId: 'a b' }, 'no spaces'],
    [{ price: { input: -1, output: 1, cached: null } }, 'The price of input is negative'],
    [{ price: { input: 1, output: -1, cached: null } }, 'The price of output is negative'],
    [{ price: { input: 1, output: 1, cached: -1 } }, 'The price of cached input is negative'],
    [{ price: { input: 1e11, output: 1, cached: null } }, 'over $10,000'],
    [{ price: { input: 0.5, output: 1, cached: null } }, 'Round it'],
    [{ contextTokensMax: 10 }, 'between 1,000 and'],
    [{ position: -1 }, 'between 0 and'],
  ] satisfies [Partial<ModelInput>, string][])('that is %j is refused in words', async (over, words) => {
    const { id } = await saveProvider(viewer, provider())
    expect(await refusal(saveModel(viewer, model(id, over)))).toContain(words)
    expect((await modelSetup(viewer)).providers[0]?.models).toEqual([])
  })

  it('says where its price is from', async () => {
    const hosted = await saveProvider(viewer, openai())
    const home = await saveProvider(viewer, provider())
    await saveModel(viewer, model(hosted.id, { modelId: 'gpt-5.4-mini-2026-03-17' }))
    await saveModel(viewer, model(hosted.id, { modelId: 'my-finetune' }))
    await saveModel(
      viewer,
      model(hosted.id, { modelId: 'priced', price: { input: 0, output: 2_000_000, cached: null } }),
    )
    await saveModel(viewer, model(home.id))
    const { providers } = await modelSetup(viewer)
    expect(
      providers.flatMap(({ models }) => models.map(({ modelId, knownPrice }) => [modelId, knownPrice.source])),
    ).toEqual([
      ['gpt-5.4-mini-2026-03-17', 'table'],
      ['my-finetune', 'unknown'],
      ['priced', 'admin'],
      ['mock-1', 'free'],
    ])
    expect(providers[0]?.models[0]?.knownPrice.input).toBeGreaterThan(0)
    expect(providers[0]?.models[2]?.knownPrice).toMatchObject({ input: 0, output: 2_000_000 })
  })

  it('shows its own breaker and last check, and no others', async () => {
    const { id } = await saveProvider(viewer, provider())
    await saveModel(viewer, model(id, { modelId: 'a' }))
    await saveModel(viewer, model(id, { modelId: 'b' }))
    const { db } = opened.current()
    const stranger = await createTestWorkspace(opened.current())
    await db.insert(breakers).values({ key: `${id}/a`, state: 'open', reason: 'timeout' })
    await db.insert(modelCanaries).values([
      { workspaceId: viewer.workspaceId, key: `${id}/a`, state: 'dropped', detail: 'JSON was fenced' },
      { workspaceId: stranger.workspaceId, key: `${id}/b`, state: 'changed' },
    ])
    const { providers } = await modelSetup(viewer)
    expect(providers[0]?.models).toMatchObject([
      { modelId: 'a', breaker: { state: 'open' }, canary: { state: 'dropped', detail: 'JSON was fenced' } },
      { modelId: 'b', breaker: null, canary: null },
    ])
    expect(await modelSetup(stranger.viewers.admin)).toMatchObject({ providers: [] })
  })

  it('of the environment without a name has what was learned last of its server, a named one only its own', () => {
    const canary = (checkedAt: string): CanaryRow => ({
      state: 'ok',
      score: 1,
      baselineScore: 1,
      servedModel: null,
      baselineServed: null,
      fingerprint: null,
      baselineFingerprint: null,
      detail: '',
      checkedAt,
      changedAt: checkedAt,
    })
    const conditionOf = conditionFrom(
      [],
      new Map([
        ['env-compatible/qwen3:8b', canary('2026-11-21T09:00:00Z')],
        ['env-compatible/llama', canary('2026-11-20T09:00:00Z')],
        ['env-openai/gpt', canary('2026-11-21T10:00:00Z')],
      ]),
    )
    expect(conditionOf('env-compatible/first-model').canary?.checkedAt).toBe('2026-11-21T09:00:00Z')
    expect(conditionOf('env-compatible/llama').canary?.checkedAt).toBe('2026-11-20T09:00:00Z')
    expect(conditionOf('env-google/first-model')).toEqual({ breaker: null, canary: null })
    expect(conditionOf('env-compatible/other')).toEqual({ breaker: null, canary: null })
  })

  it('is one of its provider, moves to the end of another tier, and goes with its provider', async () => {
    const { id } = await saveProvider(viewer, provider())
    const a = await saveModel(viewer, model(id, { modelId: 'a' }))
    const b = await saveModel(viewer, model(id, { modelId: 'b', tier: 'fast' }))
    expect(await refusal(saveModel(viewer, model(id, { modelId: 'a' })))).toContain('a model a already')
    expect(await refusal(saveModel(viewer, model(id, { id: b.id, modelId: 'a' })))).toContain('a model a already')
    await saveModel(viewer, model(id, { id: a.id, modelId: 'a', tier: 'fast' }))
    expect(await keysOf()).toEqual(['b', 'a'])
    await deleteModel(viewer, b.id)
    expect(await keysOf()).toEqual(['a'])
    await deleteProvider(viewer, id)
    expect(await keysOf()).toEqual([])
    expect((await auditOf(id)).map(({ event }) => event)).toEqual(['provider.saved', 'provider.deleted'])
    expect((await auditOf(b.id)).map(({ event }) => event)).toEqual(['model.saved', 'model.deleted'])
  })
})

describe('the rules', () => {
  const read = () => getGatewaySettings(opened.current().db, viewer.workspaceId)

  it('are the defaults at first, and count their changes', async () => {
    expect(await read()).toEqual({ settings: defaultGatewaySettings, version: 0 })
    expect(await saveGatewaySettings(viewer, 0, { providers: 'local' })).toBe(1)
    expect(await saveGatewaySettings(viewer, 1, { providers: 'any', budgets: { userDayMicros: 5_000_000 } })).toBe(2)
    expect((await read()).settings.budgets.userDayMicros).toBe(5_000_000)
    expect((await auditOf(viewer.workspaceId)).map(({ details }) => details)).toEqual([
      { version: 1, changes: { providers: ['any', 'local'] } },
      { version: 2, changes: { providers: ['local', 'any'], 'budgets.userDayMicros': [null, 5_000_000] } },
    ])
  })

  it('of two admins who save at once are those of one, and the other is told', async () => {
    for (const version of [0, 1]) {
      const outcomes = await Promise.allSettled([
        saveGatewaySettings(viewer, version, { providers: 'local' }),
        saveGatewaySettings(viewer, version, { unknownPrice: 'refuse' }),
      ])
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } })
      expect((await read()).version).toBe(version + 1)
    }
    expect(await auditOf(viewer.workspaceId)).toHaveLength(2)
  })

  it.each([
    [{ budgets: { userDayMicros: -1 } }, 'The budget of a person a day must not be negative'],
    [{ budgets: { workspaceMonthMicros: 1e15 } }, 'over $10,000,000'],
    [{ budgets: { workspaceDayMicros: 0.5 } }, 'The budget of the workspace a day'],
    [{ tokenLimits: { userMinute: -5 } }, 'The tokens of a person a minute must not be negative'],
    [{ cache: { wrongHitsMax: 0.9 } }, 'must be at most 0.2'],
    [{ cache: { ttlSeconds: 1 } }, 'must be at least 60'],
    [{ routing: { standardFrom: 0.9, flagshipFrom: 0.2 } }, 'The flagship tier must begin'],
    [{ routing: { localShareTarget: 1.2 } }, 'The share that local models are to take must be at most 1'],
    [{ injection: { quarantineFrom: -0.1 } }, 'The score from which a passage is held back must not be negative'],
    [{ canary: { everyHours: 1_000 } }, 'The hours between two checks of a model must be at most 720'],
    [{ canary: { everyHours: 1.5 } }, 'The hours between two checks of a model'],
    [{ canary: { dropFrom: 2 } }, 'The fall from which a model counts as worse must be at most 1'],
    [{ alerts: { webhookUrl: 'ftp://example.com' } }, 'must begin with https://'],
    [{ alerts: { webhookUrl: 'http://169.254.169.254/' } }, 'cannot be used'],
    [{ alerts: { webhookUrl: 'http://localhost:9/' } }, 'cannot be used'],
    [{ taskModels: { answer: 'nobody/nothing' } }, 'Choose another'],
    [{ taskModels: { dance: 'nobody/nothing' } }, 'no task called dance'],
    [{ surprise: true } as GatewaySettingsInput, 'not known here'],
  ] satisfies [GatewaySettingsInput, string][])('%j are refused in words', async (input, words) => {
    expect(await refusal(saveGatewaySettings(viewer, 0, input))).toContain(words)
    expect((await read()).version).toBe(0)
  })

  it('may name a model for a task, and keep it when it is gone', async () => {
    const { id } = await saveProvider(viewer, provider())
    await saveModel(viewer, model(id))
    const taskModels = { title: `${id}/mock-1` }
    await saveGatewaySettings(viewer, 0, { taskModels })
    await deleteProvider(viewer, id)
    expect(await saveGatewaySettings(viewer, 1, { taskModels, providers: 'local' })).toBe(2)
  })

  it('that cannot be read are never taken for the defaults', async () => {
    await saveGatewaySettings(viewer, 0, {})
    const { db } = opened.current()
    await db
      .update(gatewaySettings)
      .set({ settings: { budgets: { userDayMicros: 'lots' } } })
      .where(eq(gatewaySettings.workspaceId, viewer.workspaceId))
    await expect(read()).rejects.toMatchObject({ code: 'internal' })
    expect(await modelSetup(viewer)).toMatchObject({ settingsReadable: false, version: 1 })
    expect(await saveGatewaySettings(viewer, 1, {})).toBe(2)
    expect((await read()).settings).toEqual(defaultGatewaySettings)
  })

  it('keep an address for alerts out of the audit log', async () => {
    await saveGatewaySettings(viewer, 0, { alerts: { webhookUrl: 'https://hooks.example.com/T0/secret' } })
    const [line] = await auditOf(viewer.workspaceId)
    expect(JSON.stringify(line)).toContain('webhookUrl')
    expect(JSON.stringify(line)).not.toContain('secret')
  })

  it('are not stored when their line in the audit log cannot be', async () => {
    const { db } = opened.current()
    await db.execute(sql`alter table audit_log rename to audit_log_away`)
    await expect(saveGatewaySettings(viewer, 0, { providers: 'local' })).rejects.toThrow()
    await expect(saveProvider(viewer, provider())).rejects.toThrow()
    await db.execute(sql`alter table audit_log_away rename to audit_log`)
    expect((await read()).version).toBe(0)
    expect((await modelSetup(viewer)).providers).toEqual([])
  })
})

describe('trying a provider', () => {
  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  }
  const tryAt = async (baseUrl: string, modelIds: string[] = [], apiKey?: string) => {
    const { id } = await saveProvider(viewer, provider({ name: newId(), baseUrl, ...(apiKey ? { apiKey } : {}) }))
    for (const modelId of modelIds) await saveModel(viewer, model(id, { modelId }))
    return testProvider(viewer, id)
  }

  it('says that it works, and what it has', async () => {
    expect(await tryAt(vendor.url, ['mock-1'])).toEqual({
      ok: true,
      message: 'It answers, and has mock-1.',
      models: ['mock-1', 'mock-2'],
    })
    expect((await tryAt(vendor.url)).message).toContain('offers mock-1, mock-2. Add a model')
    expect(vendor.requests).toEqual([])
  })

  it('asks a model that is not listed for a word', async () => {
    expect(await tryAt(vendor.url, ['unlisted'])).toMatchObject({ ok: true })
    vendor.script({ status: 404 })
    const { ok, message } = await tryAt(vendor.url, ['gpt-wrong'])
    expect(ok).toBe(false)
    expect(message).toBe(
      'The provider has no model gpt-wrong, or this key may not use it. Check the name. It offers mock-1, mock-2.',
    )
  })

  const page = '<!doctype html><html><body>Welcome</body></html>'
  it.each([
    ['a wrong key', 401, '{"error":"bad key sk-leak"}', 'The key was refused'],
    ['a revoked key', 403, '{}', 'The key was refused'],
    ['no credit', 402, '{}', 'no credit'],
    ['a wrong path', 404, '{}', 'ends in /v1'],
    ['too many calls', 429, '{}', 'rate is used up'],
    ['trouble of its own', 503, 'down', 'Try again later'],
    ['a web page', 200, page, 'answered with a web page'],
    ['something else', 200, '{"hello":1}', 'not with a list of models'],
    ['broken JSON', 200, '{"data":[', 'not with a list of models'],
    ['no model', 200, '{"data":[]}', 'has no model'],
    ['too much', 200, 'x'.repeat(2_100_000), 'over 2000000 bytes'],
  ])('tells %s', async (_, status, body, words) => {
    const result = await tryAt(await serve((__, response) => response.writeHead(status).end(body)), [], 'key-of-twelve')
    expect(result).toMatchObject({ ok: false, models: [] })
    expect(result.message).toContain(words)
    expect(result.message).not.toContain('sk-leak')
  })

  it('tells a server that wants a key', async () => {
    expect((await tryAt(await serve((_, response) => response.writeHead(401).end()))).message).toContain('wants a key')
  })

  it('tells an address where nothing listens, one that is never called, and one that leads astray', async () => {
    const gone = await startMockProvider()
    await gone.close()
    expect((await tryAt(gone.url)).message).toContain('Nothing listens at 127.0.0.1:')
    const astray = await serve((_, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end(),
    )
    expect((await tryAt(astray)).message).toContain('never called')
  })

  it('tells a server that says nothing', async () => {
    const baseUrl = await serve(() => undefined)
    const result = await tryProvider({
      kind: 'compatible',
      apiKey: undefined,
      baseUrl,
      fetch: fetchOf({ local: true }),
      modelIds: [],
      build: () => {
        throw new Error('no model is asked')
      },
      timeoutMs: 50,
    })
    expect(result.message).toContain('did not answer within')
  })

  it('takes a list that a server does not have for no fault, when its model answers', async () => {
    const url = await serve((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end()
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          id: '1',
          object: 'chat.completion',
          created: 0,
          model: 'm',
          choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
        }),
      )
    })
    expect(await tryAt(url, ['m'])).toMatchObject({ ok: true, message: 'It answers, and has m.' })
  })
})
