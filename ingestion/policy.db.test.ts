/** What the workspace's policy does to work in the background: who reads a document, what is described, and when. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sql } from '#db/client.ts'
import { listUndescribed } from '#db/queries/changed-documents.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { getGatewaySettings, storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { addTestModel, createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { describeDocument, listDocuments } from '#lib/documents.ts'
import { embed } from '#lib/gateway/embedding.ts'
import { runTask } from '#lib/gateway/recipe.ts'
import { rerankPassages } from '#lib/gateway/rerank.ts'
import { forgetSettings } from '#lib/gateway/settings.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { GatewaySettingsInput } from '#lib/shared/gateway-settings.ts'
import { gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import type { PolicyInput } from '#lib/shared/policy-contract.ts'
import { describeVersion } from './describe.ts'
import { describeChanged } from './describe-changed.ts'
import { extractGraph } from './graph/index.ts'
import { indexParsed } from './pipeline.ts'
import { putBackWhileQuiet } from './quiet.ts'

const test = withDatabase()
const never = new AbortController().signal

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
  await openQueue()
})
afterAll(async () => {
  await closeQueue(0)
  await vendor.close()
})
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({ text: '{}' })
})

const text = 'Signing keys are rotated every 90 days by the Platform Team of Halden Works, and the register is kept.'

type World = TestWorkspace & { providerId: string; versionId: string; documentId: string }

/** A document in General, and a model that may be asked. */
const world = async (): Promise<World> => {
  const workspace = await createTestWorkspace(test.current())
  const { viewers, collectionId, workspaceId } = workspace
  const { db } = test.current()
  const providerId = await addTestModel(db, { workspaceId, baseUrl: vendor.url })
  const scratch = await createScratchDocument(db, viewers.admin, { collectionId, name: 'keys.txt' })
  const claim = await claimVersion(db, scratch)
  if (!claim) throw new Error('no claim')
  const blocks = [{ kind: 'paragraph' as const, start: 0, end: text.length }]
  await indexParsed(claim, { kind: 'text', title: 'Keys', text, blocks, pages: [] }, never)
  return { ...workspace, providerId, versionId: claim.versionId, documentId: claim.documentId }
}

const setRules = async (
  { workspaceId }: TestWorkspace,
  policy: PolicyInput,
  rest: GatewaySettingsInput = {},
): Promise<void> => {
  const { db } = test.current()
  const { version } = await getGatewaySettings(db, workspaceId)
  await storeGatewaySettings(db, workspaceId, version, gatewaySettingsSchema.parse({ ...rest, policy }))
  forgetSettings(workspaceId)
}
const asked = (): string => JSON.stringify(vendor.requests.map(({ body }) => body))
const descriptionOf = async ({ viewers, documentId }: World) =>
  (await listDocuments(viewers.admin)).documents.find(({ id }) => id === documentId)

describe('a collection that no model may read', () => {
  const closed = ({ collectionId }: TestWorkspace): PolicyInput => ({ exposure: [{ collectionId, to: [] }] })

  it('is described and drawn in the built-in way, and open to models again when the policy says so', async () => {
    const made = await world()
    const { userId } = made.viewers.admin
    const { workspaceId, versionId } = made
    await setRules(made, closed(made), { graph: { extract: 'model' } })
    await describeVersion({ versionId, workspaceId, userId }, never)
    await extractGraph(versionId, never)
    expect(asked()).toBe('[]')
    expect((await descriptionOf(made))?.description?.summary).toContain('90 days')
    await setRules(made, {}, { graph: { extract: 'model' } })
    await describeVersion({ versionId, workspaceId, userId }, never)
    expect(asked()).toContain('90 days')
    vendor.requests.length = 0
    await extractGraph(versionId, never)
    expect(asked()).toContain('90 days')
  })

  it('gives a provider’s encoder nothing, text by text, and a person’s question all the same', async () => {
    const made = await world()
    const { workspaceId, collectionId, providerId } = made
    const other = newId()
    await setRules(made, closed(made))
    const call = { model: `${providerId}/mock-embedding`, workspaceId, userId: null }
    const texts = ['of the closed collection', 'of another']
    const passage = { ...call, purpose: 'passage' as const }
    const { vectors } = await embed(texts, { ...passage, collectionIds: [collectionId, other] })
    expect(vectors.map(Boolean)).toEqual([false, true])
    // Who does not say whose text it is may be speaking of the closed one.
    expect((await embed(texts, passage)).vectors).toEqual([null, null])
    expect((await embed(['a question'], { ...call, purpose: 'query' })).vectors[0]).not.toBeNull()
    expect(asked()).not.toContain('closed collection')
    expect(asked()).toContain('of another')
  })

  it('is put in order by no provider and no model', async () => {
    const made = await world()
    const { collectionId, viewers } = made
    await setRules(made, closed(made))
    const passages = ['Keys are rotated.', 'Laptops are lost.']
    for (const by of ['provider', 'model'] as const) {
      const call = { by, viewer: viewers.member, signal: never }
      await expect(rerankPassages('keys', passages, { ...call, collectionIds: [collectionId] })).rejects.toMatchObject({
        code: 'model-misconfigured',
      })
    }
    expect(asked()).toBe('[]')
    await rerankPassages('keys', passages, {
      by: 'provider',
      viewer: viewers.member,
      signal: never,
      collectionIds: [newId()],
    })
    expect(asked()).toContain('Laptops are lost.')
  })
})

describe('what summaries may use', () => {
  it('leaves other collections out of the sweep, refuses them in words, and drops what was queued before', async () => {
    const made = await world()
    const { viewers, workspaceId, versionId, documentId } = made
    const { db } = test.current()
    expect(await listUndescribed(db, workspaceId, 10)).toHaveLength(1)
    await setRules(made, { features: { summaries: [] } })
    expect(await listUndescribed(db, workspaceId, 10, [])).toEqual([])
    await expect(describeDocument(viewers.admin, documentId)).rejects.toMatchObject({
      code: 'bad-request',
      publicMessage: expect.stringContaining('keeps summaries from this collection'),
    })
    await setRules(made, {})
    await describeDocument(viewers.admin, documentId)
    await setRules(made, { features: { summaries: [] } })
    await describeVersion({ versionId, workspaceId, userId: viewers.admin.userId }, never)
    expect(await descriptionOf(made)).toMatchObject({ description: null, describing: null })
    expect(asked()).toBe('[]')
  })
})

describe('rules over what a task returns', () => {
  const rule = {
    id: newId(),
    name: 'No codes',
    over: 'title',
    test: { kind: 'must-not-match' as const, pattern: 'X-\\d+' },
  }

  it('drop it for the built-in way, also when it was kept before, and refuse what meets them both ways', async () => {
    const made = await world()
    const call = { viewer: made.viewers.member, feature: 'test', collectionIds: [] }
    vendor.script({ text: '{"title": "Plan X-99"}' })
    const input = { text: 'The plan for the year. More of it.' }
    expect((await runTask('title', input, call)).output.title).toBe('Plan X-99')
    await setRules(made, { rules: [rule] })
    expect((await runTask('title', input, call)).output.title).toBe('Plan X-99')
    await setRules(made, { rules: [{ ...rule, act: 'withhold' }] })
    expect(await runTask('title', input, call)).toMatchObject({
      output: { title: 'The plan for the year.' },
      model: null,
    })
    const other = { text: 'Another plan. More of it.' }
    expect(await runTask('title', other, call)).toMatchObject({ output: { title: 'Another plan.' }, model: null })
    await expect(runTask('title', { text: 'Plan X-1 is secret.' }, call)).rejects.toMatchObject({
      code: 'answer-withheld',
      publicMessage: expect.stringContaining('No codes'),
    })
  })
})

describe('quiet hours', () => {
  const night = new Date('2026-11-21T23:30:00Z')
  const noon = new Date('2026-11-21T12:00:00Z')

  const waiting = async (name: string, id: string): Promise<{ startsAt: string }[]> => {
    const found: unknown = await test
      .current()
      .db.execute(
        sql`select start_after::text as "startsAt" from pgboss.job where name = ${name} and data::text like ${`%${id}%`}`,
      )
    return (Array.isArray(found) ? found : (found as { rows: unknown[] }).rows) as { startsAt: string }[]
  }

  it('put the jobs named back until they end, looked at again in a quarter of an hour', async () => {
    const made = await world()
    const quietHours = {
      from: '22:00',
      to: '23:40',
      timeZone: 'UTC',
      jobs: ['graph', 'summaries'] as ('graph' | 'summaries')[],
    }
    await setRules(made, { quietHours })
    const { versionId, workspaceId } = made
    const { userId } = made.viewers.admin
    expect(await putBackWhileQuiet('document.graph', { versionId }, noon)).toBe(false)
    expect(await putBackWhileQuiet('document.recognise', { versionId }, night)).toBe(false)
    expect(await waiting('document.graph', versionId)).toEqual([])
    expect(await putBackWhileQuiet('document.graph', { versionId }, night)).toBe(true)
    const [job] = await waiting('document.graph', versionId)
    expect(new Date(job?.startsAt ?? '')).toEqual(new Date('2026-11-21T23:40:00Z'))
    await setRules(made, { quietHours: { ...quietHours, to: '06:00' } })
    const describe = { versionId, workspaceId, userId }
    expect(await putBackWhileQuiet('document.describe', describe, night)).toBe(true)
    const [later] = await waiting('document.describe', versionId)
    expect(new Date(later?.startsAt ?? '')).toEqual(new Date('2026-11-21T23:45:00Z'))
    expect(await putBackWhileQuiet('document.graph', { versionId: newId() }, night)).toBe(false)
  })

  it('queue no descriptions meanwhile', async () => {
    const made = await world()
    const quietHours = { from: '22:00', to: '06:00', timeZone: 'UTC', jobs: ['summaries' as const] }
    await setRules(made, { quietHours }, { summaries: { changedDocuments: true } })
    await describeChanged(undefined, night)
    expect((await descriptionOf(made))?.describing).toBeNull()
    await describeChanged(undefined, noon)
    expect((await descriptionOf(made))?.describing).not.toBeNull()
  })
})
