import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { insertProvider } from '#db/queries/models.ts'
import { modelCalls } from '#db/schema/index.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { type GatewaySettingsInput, gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { EncoderUnavailable, embed, embeddingModel, loadEmbeddingModel } from './embedding.ts'

const test = withDatabase()

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(() => vendor.close())
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({})
})

type Setting = { settings?: GatewaySettingsInput; local?: boolean; baseUrl?: string }

/** A workspace with a provider, and the way to ask its embedding model. */
const withProvider = async ({ settings = {}, local = true, baseUrl = vendor.url }: Setting = {}) => {
  const { db } = test.current()
  const { workspaceId, viewers } = await createTestWorkspace(test.current())
  const providerId = newId()
  await insertProvider(db, {
    id: providerId,
    workspaceId,
    name: 'mock',
    kind: 'compatible',
    baseUrl,
    sealedKey: null,
    keyHint: null,
    local,
    enabled: true,
    requestsPerMinute: null,
    tokensPerMinute: null,
  })
  await storeGatewaySettings(db, workspaceId, 0, gatewaySettingsSchema.parse(settings))
  const call = { model: `${providerId}/mock-embedding`, workspaceId, userId: viewers.member.userId }
  return { call, workspaceId, lines: () => db.select().from(modelCalls).where(eq(modelCalls.workspaceId, workspaceId)) }
}

const inputs = (): string[][] => vendor.requests.map(({ body }) => (body as { input: string[] }).input)

describe('vectors from a provider', () => {
  it('are of unit length, in the order of the texts, in batches, each with a line in the ledger', async () => {
    const { call, lines } = await withProvider()
    const texts = Array.from({ length: 200 }, (_, at) => `Passage ${at % 150} of the handbook.`)
    const { model, vectors } = await embed(texts, { ...call, purpose: 'passage' })
    expect(model).toBe(call.model)
    for (const vector of vectors) expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5)
    expect(vectors[7]).toEqual(vectors[157])
    expect(vectors[7]).not.toEqual(vectors[8])
    expect(inputs().map(({ length }) => length)).toEqual([96, 96, 8])
    const rows = await lines()
    expect(rows).toHaveLength(3)
    for (const row of rows)
      expect(row).toMatchObject({
        task: 'embed',
        feature: 'ingestion',
        outcome: 'ok',
        requestedModel: 'mock-embedding',
        costMicros: 0,
        tokensOut: 0,
        userId: call.userId,
      })
    expect(embeddingModel(call.model, call.workspaceId).dimensions).toBe(vectors[0]?.length)
  })

  it('a question is asked once, and a batch is bounded by its tokens too', async () => {
    const { call } = await withProvider()
    const question = { ...call, purpose: 'query' as const }
    const [first, second] = await Promise.all([embed(['leave?'], question), embed(['leave?'], question)])
    expect(second).toEqual(first)
    expect(inputs()).toEqual([['leave?']])
    vendor.requests.length = 0
    await embed(
      Array.from({ length: 12 }, (_, at) => `${at} ${'word '.repeat(2_000)}`),
      { ...call, purpose: 'passage' },
    )
    expect(inputs().length).toBeGreaterThan(1)
    // What no encoder reads is not sent.
    for (const text of inputs().flat()) expect(text.length).toBeLessThanOrEqual(8_000)
  })

  it('what is personal leaves masked, what may not leave does not, and a machine of ours gets it as it is', async () => {
    const settings = { redaction: { acts: { email: 'mask', iban: 'block' } } } as const
    const texts = ['Write to leave@halden.example.', 'Pay to DE89 3704 0044 0532 0130 00.', 'The belt is blue.']
    const away = await withProvider({ settings, local: false })
    const { vectors: withheld } = await embed(texts.slice(1, 2), { ...away.call, purpose: 'passage' })
    expect(withheld).toEqual([null])
    expect(vendor.requests).toHaveLength(0)

    const alsoLocal = await withProvider({ settings: { redaction: { ...settings.redaction, alsoLocal: true } } })
    const { vectors } = await embed(texts, { ...alsoLocal.call, purpose: 'passage' })
    expect(vectors).toHaveLength(3)
    expect(JSON.stringify(inputs())).not.toContain('halden.example')
    expect(JSON.stringify(inputs())).not.toContain('3704')

    vendor.requests.length = 0
    const inside = await withProvider({ settings })
    await embed(texts, { ...inside.call, purpose: 'passage' })
    expect(inputs()).toEqual([texts])
  })

  it('are asked for again when a provider fails, and refused when they cannot be right', async () => {
    const { call, lines } = await withProvider()
    vendor.script([{ status: 503 }, {}])
    expect((await embed(['belt'], { ...call, purpose: 'passage' })).vectors).toHaveLength(1)
    expect((await lines()).map(({ outcome }) => outcome).sort()).toEqual(['ok', 'server'])

    vendor.script({ status: 401 })
    await expect(embed(['other'], { ...call, purpose: 'passage' })).rejects.toMatchObject({
      code: 'model-misconfigured',
    })
    // A question is searched by its words then.
    await expect(embed(['other'], { ...call, purpose: 'query' })).rejects.toBeInstanceOf(EncoderUnavailable)

    vendor.script({})
    const before = { ...call, purpose: 'passage' as const, dimensions: 12 }
    await expect(embed(['other'], before)).rejects.toMatchObject({
      code: 'model-misconfigured',
      context: { reason: expect.stringContaining('12 before') },
    })
  })

  it('cost what the workspace has, or are not asked for', async () => {
    const settings = { budgets: { workspaceDayMicros: 1 }, unknownPrice: 'worst-case' } as const
    const { call } = await withProvider({ settings, local: false, baseUrl: 'https://vectors.example/v1' })
    await expect(embed(['a passage'], { ...call, purpose: 'passage' })).rejects.toMatchObject({ code: 'over-budget' })
    const strict = await withProvider({ settings: { unknownPrice: 'refuse' }, local: false })
    await expect(embed(['text'], { ...strict.call, purpose: 'passage' })).rejects.toMatchObject({
      code: 'price-unknown',
    })
    const inside = await withProvider({ settings: { providers: 'local' }, local: false })
    await expect(embed(['text'], { ...inside.call, purpose: 'passage' })).rejects.toMatchObject({
      code: 'model-misconfigured',
    })
    expect(vendor.requests).toHaveLength(0)
  })

  it('belong to the workspace of the provider, and stop when they are told to', async () => {
    const { call } = await withProvider()
    const { workspaceId: other } = await withProvider()
    const foreign = { ...call, workspaceId: other, purpose: 'passage' as const }
    await expect(embed(['text'], foreign)).rejects.toMatchObject({ code: 'model-misconfigured' })
    vendor.script({ firstDelayMs: 5_000 })
    const stop = new AbortController()
    const stopped = expect(embed(['text'], { ...call, purpose: 'passage', signal: stop.signal })).rejects.toThrow(
      'stopped',
    )
    await vi.waitFor(() => expect(vendor.requests).toHaveLength(1), { interval: 2 })
    stop.abort(new Error('stopped'))
    await stopped
  })

  it('tell their length when the model is chosen', async () => {
    const { call } = await withProvider()
    const loaded = await loadEmbeddingModel(call.model, call)
    expect(loaded).toMatchObject({ id: call.model, dimensions: 384, languages: null })
  })
})
