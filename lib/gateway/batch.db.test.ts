import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { insertModel, insertProvider, updateProvider } from '#db/queries/models.ts'
import { claimBatches, insertBatch } from '#db/queries/provider-batches.ts'
import { budgetWindows, modelCalls, modelProviders, providerBatches } from '#db/schema/index.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { completion, startMockBatches } from '#e2e/mock-batches.ts'
import { sealing } from '#lib/sealing.ts'
import { type GatewaySettingsInput, gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import {
  advanceBatches,
  type BatchResult,
  batchOutput,
  type FindReach,
  offerBatch,
  reachOf,
  type TakeResults,
} from './batch.ts'
import { forgetCandidates, keyPurpose } from './registry.ts'
import { forgetSettings } from './settings.ts'

vi.hoisted(() => {
  process.env.AUTH_SECRET = 'a secret for tests, longer than it must be'
  process.env.OPENAI_API_KEY = ''
})

const test = withDatabase()
let vendor: Awaited<ReturnType<typeof startMockBatches>>
beforeAll(async () => {
  vendor = await startMockBatches()
})
afterAll(() => vendor.close())
beforeEach(async () => {
  vendor.reset()
  await test.current().db.delete(providerBatches)
})

const key = 'sk-test-1234567890abcd'
/** The candidate's own way, with our server in the place of the vendor's. */
const findReach: FindReach = async (workspaceId, candidate) => {
  const reach = await reachOf(workspaceId, candidate)
  return reach && { ...reach, baseUrl: vendor.url, fetch }
}

/** Input 10 dollars a million tokens, output 100: a token in costs 10 micro-dollars, one out 100. */
const workspace = async (settings: GatewaySettingsInput = {}, kind: 'openai' | 'anthropic' = 'openai') => {
  const { db } = test.current()
  const { viewers, workspaceId } = await createTestWorkspace(test.current())
  const providerId = newId()
  const purpose = keyPurpose({ id: providerId, kind, baseUrl: null })
  await insertProvider(db, {
    id: providerId,
    workspaceId,
    name: 'vendor',
    kind,
    baseUrl: null,
    sealedKey: sealing().seal(key, purpose),
    keyHint: null,
    local: false,
    enabled: true,
    requestsPerMinute: null,
    tokensPerMinute: null,
  })
  await insertModel(db, {
    id: newId(),
    workspaceId,
    providerId,
    modelId: 'model-1',
    tier: 'fast',
    position: 0,
    contextTokensMax: null,
    inputMicrosPerMillion: 10_000_000,
    outputMicrosPerMillion: 100_000_000,
    cachedMicrosPerMillion: null,
    enabled: true,
  })
  await storeGatewaySettings(db, workspaceId, 0, gatewaySettingsSchema.parse(settings))
  return { viewer: viewers.member, workspaceId, providerId }
}
type Workspace = Awaited<ReturnType<typeof workspace>>

const requestsOf = (...texts: string[]) =>
  texts.map((text, at) => ({ input: { title: 'Policy', text }, about: { at } }))
const summary = (words: string) => completion(JSON.stringify({ summary: words }))

const offered = ({ viewer, workspaceId }: Workspace, texts: string[]) =>
  offerBatch(
    'summarise',
    requestsOf(...texts),
    { workspaceId, userId: viewer.userId, feature: 'document.description' },
    findReach,
  )

const queue = async (made: Workspace, ...texts: string[]): Promise<boolean> => {
  const offer = await offered(made, texts)
  return offer ? test.current().db.transaction((tx) => offer.queue(tx)) : false
}

const taken: BatchResult[] = []
beforeEach(() => {
  taken.length = 0
})
const take: TakeResults = async (_, __, results) => {
  taken.push(...results)
}
const look = (more: Partial<Parameters<typeof advanceBatches>[1]> = {}) =>
  advanceBatches(take, { findReach, lookEverySeconds: 0, sendEverySeconds: 0, ...more })

const rowOf = async () => {
  const [row] = await test.current().db.select().from(providerBatches)
  if (!row) throw new Error('no batch')
  return row
}
const linesOf = ({ workspaceId }: Workspace) =>
  test.current().db.select().from(modelCalls).where(eq(modelCalls.workspaceId, workspaceId))
const dayOf = async ({ workspaceId }: Workspace) => {
  const windows = await test
    .current()
    .db.select()
    .from(budgetWindows)
    .where(eq(budgetWindows.scope, `workspace:${workspaceId}`))
  return windows.find(({ window }) => window.startsWith('day:'))
}
const outputs = () => taken.map((result) => batchOutput('summarise', result)?.summary ?? null)
const posted = () => vendor.requests.filter(({ route }) => route === 'POST /batches')

describe('a batch that goes well', () => {
  it('is sent once with the key of its candidate, and hands over the answers at half the price', async () => {
    vendor.script({
      looks: 2,
      answer: ({ body }) => summary(JSON.stringify(body).includes('laptops') ? 'Two.' : 'One.'),
    })
    const made = await workspace()
    expect(await queue(made, 'Keys are rotated every 90 days.', 'Lost laptops are reported.')).toBe(true)
    expect(vendor.requests).toHaveLength(0)
    const held = (await dayOf(made))?.reservedMicros ?? 0
    // Two answers of 500 tokens at most and their prompts, at half the price.
    expect(held).toBeGreaterThan(50_000)
    expect((await rowOf()).reservedMicros).toBe(held)

    await look()
    expect(await rowOf()).toMatchObject({ state: 'running', externalId: expect.stringMatching(/^batch-/) })
    await look()
    expect(taken).toHaveLength(0)
    await look()
    expect(outputs()).toEqual(['One.', 'Two.'])
    expect(taken.map(({ about, userId }) => [about.at, userId])).toEqual([
      [0, made.viewer.userId],
      [1, made.viewer.userId],
    ])
    expect(new Set(vendor.requests.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${key}`]))
    expect(posted()).toHaveLength(1)

    // 100 tokens in and 20 out at half the price: (1,000 + 2,000) / 2.
    const lines = await linesOf(made)
    expect(lines.map(({ costMicros, flags, outcome }) => ({ costMicros, flags, outcome }))).toEqual([
      { costMicros: 1_500, flags: ['batched'], outcome: 'ok' },
      { costMicros: 1_500, flags: ['batched'], outcome: 'ok' },
    ])
    expect(lines[0]).toMatchObject({
      task: 'summarise',
      feature: 'document.description',
      provider: 'vendor',
      requestedModel: 'model-1',
      servedModel: 'mock-batch-1',
      tokensIn: 100,
      tokensOut: 20,
      userId: made.viewer.userId,
      promptName: 'summarise',
    })
    expect(await dayOf(made)).toMatchObject({ spentMicros: 3_000, reservedMicros: 0 })
    expect(await rowOf()).toMatchObject({ state: 'ended', requests: {} })
    await look()
    expect(taken).toHaveLength(2)
    expect(await linesOf(made)).toHaveLength(2)
  })

  it('sends what any call of the task sends: masked, in a slot, as JSON of the schema', async () => {
    vendor.script({ answer: () => summary('Write to [EMAIL_1].') })
    const made = await workspace()
    await queue(made, 'For keys write to ada@halden.example. They are rotated every 90 days.')
    await look()
    const sent = JSON.stringify(vendor.lines())
    expect(sent).not.toContain('ada@halden.example')
    expect(sent).toContain('[EMAIL_1]')
    expect(vendor.lines()[0]?.body).toMatchObject({
      model: 'model-1',
      response_format: { type: 'json_schema' },
      messages: [{ role: 'system' }, { role: 'user', content: expect.stringContaining('Boundary: ') }],
    })
    await look()
    expect(outputs()).toEqual(['Write to ada@halden.example.'])
  })

  it('is looked at no more often than once a minute, by one worker', async () => {
    const made = await workspace()
    await queue(made, 'Keys are rotated every 90 days.')
    await look()
    const before = vendor.requests.length
    await advanceBatches(take, { findReach })
    expect(vendor.requests).toHaveLength(before)
    const claim = { lookEverySeconds: 60, sendEverySeconds: 60, limit: 10 }
    await test
      .current()
      .db.update(providerBatches)
      .set({ checkedAt: new Date(Date.now() - 61_000) })
    const claims = await Promise.all([claimBatches(test.current().db, claim), claimBatches(test.current().db, claim)])
    expect(claims.flat()).toHaveLength(1)
  })
})

describe('where there is none', () => {
  it('offers nothing: another kind of provider, no provider, a provider without its key', async () => {
    expect(await offered(await workspace({}, 'anthropic'), ['Keys.'])).toBeNull()
    const bare = await createTestWorkspace(test.current())
    expect(
      await offered({ viewer: bare.viewers.member, workspaceId: bare.workspaceId, providerId: '' }, ['Keys.']),
    ).toBeNull()
    const made = await workspace()
    await test
      .current()
      .db.update(modelProviders)
      .set({ sealedKey: null })
      .where(eq(modelProviders.id, made.providerId))
    forgetCandidates(made.workspaceId)
    expect(await offered(made, ['Keys.'])).toBeNull()
  })

  it('offers no text that may not leave', async () => {
    const made = await workspace({ redaction: { acts: { email: 'block' } } })
    const offer = await offered(made, ['Write to ada@halden.example.', 'Keys are rotated every 90 days.'])
    expect(offer?.places).toEqual([1])
  })

  it('stores nothing that a budget does not allow', async () => {
    const made = await workspace({ budgets: { workspaceDayMicros: 1_000 } })
    const offer = await offered(made, ['Keys are rotated every 90 days.'])
    expect(await test.current().db.transaction(async (tx) => offer?.queue(tx))).toBe(false)
    expect(await test.current().db.select().from(providerBatches)).toHaveLength(0)
    expect((await dayOf(made))?.reservedMicros ?? 0).toBe(0)
  })
})

describe('a batch that goes wrong', () => {
  const texts = ['Keys are rotated every 90 days.', 'Lost laptops are reported.']

  it.each([
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
  ] as const)('hands its calls back when it is %s, and costs nothing', async (_, end) => {
    vendor.script({ end })
    const made = await workspace()
    await queue(made, ...texts)
    await look()
    await look()
    expect(outputs()).toEqual([null, null])
    expect(await linesOf(made)).toHaveLength(0)
    expect(await dayOf(made)).toMatchObject({ spentMicros: 0, reservedMicros: 0 })
    expect(await rowOf()).toMatchObject({ state: 'failed', detail: expect.stringContaining(end) })
  })

  it('keeps what an expired one has answered, and hands back the rest', async () => {
    vendor.script({
      end: 'expired',
      answer: ({ body }) => (JSON.stringify(body).includes('laptops') ? null : summary('One.')),
    })
    const made = await workspace()
    await queue(made, ...texts)
    await look()
    await look()
    expect(outputs()).toEqual(['One.', null])
    expect(await dayOf(made)).toMatchObject({ spentMicros: 1_500, reservedMicros: 0 })
  })

  it.each([
    ['words instead of JSON', completion('I would rather not.'), 1_500],
    ['no completion at all', { status: 200, body: { hello: 'world' } }, null],
    ['a refused line', { status: 429, body: { error: { message: 'slow down' } } }, 0],
  ])('hands back what was answered with %s, and counts what was paid', async (_, answer, costMicros) => {
    vendor.script({ answer: () => answer })
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    await look()
    await look()
    expect(outputs()).toEqual([null])
    const spent = (await dayOf(made))?.spentMicros ?? 0
    // What cannot be read counts as the most that was held.
    expect(spent).toBe(costMicros ?? spent)
    if (costMicros === null) expect(spent).toBeGreaterThan(20_000)
    expect((await linesOf(made)).map(({ outcome }) => outcome)).toEqual(costMicros === 0 ? [] : ['bad-output'])
  })

  it('is not sent twice when the answer to its submission was lost', async () => {
    vendor.script({ loseAnswer: true, answer: () => summary('One.') })
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    await look()
    expect(await rowOf()).toMatchObject({ state: 'submitting', externalId: null })
    vendor.script({ answer: () => summary('One.') })
    await look()
    expect(await rowOf()).toMatchObject({ state: 'running' })
    await look()
    expect(outputs()).toEqual(['One.'])
    expect(vendor.batches()).toBe(1)
  })

  it('is not sent again while nobody can say whether it has arrived', async () => {
    vendor.script({ loseAnswer: true })
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    await look()
    vendor.script({ refuse: { step: 'list', status: 503 } })
    await look()
    expect(posted()).toHaveLength(1)
    expect(await rowOf()).toMatchObject({ state: 'submitting' })
  })

  it('waits for a provider that is down, and gives up one that says no', async () => {
    vendor.script({ refuse: { step: 'file', status: 503 } })
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    await look()
    expect(await rowOf()).toMatchObject({ state: 'submitting' })
    vendor.script({ refuse: { step: 'file', status: 401 } })
    await look()
    expect(outputs()).toEqual([null])
    expect(await rowOf()).toMatchObject({ state: 'failed', detail: 'POST /files was answered with 401' })
    expect(await dayOf(made)).toMatchObject({ spentMicros: 0, reservedMicros: 0 })
  })

  it('is cancelled when the provider does not end it within its day', async () => {
    vendor.script({ looks: 1_000 })
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    await look()
    await test
      .current()
      .db.update(providerBatches)
      .set({ createdAt: new Date(Date.now() - 27 * 3_600_000) })
    await look()
    expect(outputs()).toEqual([null])
    expect(vendor.requests.at(-1)?.route).toMatch(/^POST \/batches\/.+\/cancel$/)
    expect(await dayOf(made)).toMatchObject({ spentMicros: 0, reservedMicros: 0 })
  })

  it('hands its calls back when its model is gone', async () => {
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    const { db } = test.current()
    const [before] = await db.select().from(modelProviders).where(eq(modelProviders.id, made.providerId))
    if (!before) throw new Error('no provider')
    await updateProvider(db, { ...before, enabled: false })
    forgetCandidates(made.workspaceId)
    await look()
    expect(outputs()).toEqual([null])
    expect(vendor.requests).toHaveLength(0)
  })

  it('puts nobody’s value into another’s place when the rules changed in between', async () => {
    vendor.script({ answer: () => summary('Write to [EMAIL_1].') })
    const made = await workspace()
    await queue(made, 'For keys write to ada@halden.example. They are rotated every 90 days.')
    await look()
    const { db } = test.current()
    await storeGatewaySettings(db, made.workspaceId, 1, gatewaySettingsSchema.parse({ unknownPrice: 'refuse' }))
    forgetSettings(made.workspaceId)
    await look()
    expect(outputs()).toEqual([null])
    expect((await linesOf(made)).map(({ costMicros }) => costMicros)).toEqual([1_500])
  })

  it('does not lose its results when they could not be stored', async () => {
    vendor.script({ answer: () => summary('One.') })
    const made = await workspace()
    await queue(made, texts[0] ?? '')
    await look()
    const failing: TakeResults = () => Promise.reject(new Error('no room'))
    await advanceBatches(failing, { findReach, lookEverySeconds: 0, sendEverySeconds: 0 })
    expect(await linesOf(made)).toHaveLength(0)
    expect(await rowOf()).toMatchObject({ state: 'running' })
    await look()
    expect(outputs()).toEqual(['One.'])
    expect(await linesOf(made)).toHaveLength(1)
  })

  it('is handed back even when nobody can read what was stored of it', async () => {
    const made = await workspace()
    const { db } = test.current()
    const stored = { id: newId(), workspaceId: made.workspaceId, key: 'gone/model', reservedMicros: 0 }
    await insertBatch(db, { ...stored, requests: { x: { task: 'no-such-task' } } })
    await look()
    expect(await rowOf()).toMatchObject({ state: 'failed' })
    expect(vendor.requests).toHaveLength(0)
  })
})

describe('the way to a batch interface', () => {
  it('is the vendor’s own address through the safe client, with the sealed key', async () => {
    const { workspaceId, providerId } = await workspace()
    const provider = { id: providerId, name: 'vendor', kind: 'openai' as const, local: false }
    const candidate = { provider } as Parameters<FindReach>[1]
    const reach = await reachOf(workspaceId, candidate)
    expect(reach).toMatchObject({ baseUrl: 'https://api.openai.com/v1', apiKey: key })
    await expect(reach?.fetch(vendor.url)).rejects.toThrow()
    expect(await reachOf(newId(), candidate)).toBeNull()
  })
})
