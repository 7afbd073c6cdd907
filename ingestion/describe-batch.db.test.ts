import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { insertModel, insertProvider } from '#db/queries/models.ts'
import { documentVersions, providerBatches } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { completion, startMockBatches } from '#e2e/mock-batches.ts'
import { closeQueue, openQueue, work } from '#lib/jobs.ts'
import { gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { advanceDescriptions, describeInBatch } from './describe-batch.ts'
import { describeChanged } from './describe-changed.ts'
import { indexParsed } from './pipeline.ts'

const test = withDatabase()
let vendor: Awaited<ReturnType<typeof startMockBatches>>
beforeAll(async () => {
  vendor = await startMockBatches()
  await openQueue()
})
afterAll(async () => {
  await vendor.close()
  await closeQueue(100)
})
beforeEach(async () => {
  vendor.reset()
  await test.current().db.delete(providerBatches)
})

const findReach = async () => ({ baseUrl: vendor.url, apiKey: 'sk-test', fetch })
const inBatch = (workspaceId: string, found: Parameters<typeof describeInBatch>[1]) =>
  describeInBatch(workspaceId, found, { findReach })
const look = () => advanceDescriptions({ findReach, lookEverySeconds: 0, sendEverySeconds: 0 })

const workspace = async (batch: boolean): Promise<TestWorkspace> => {
  const { db } = test.current()
  const made = await createTestWorkspace(test.current())
  const { workspaceId } = made
  const id = newId()
  const nothing = { sealedKey: null, keyHint: null, requestsPerMinute: null, tokensPerMinute: null }
  // A server of ours takes the vendor's place: what matters here is what becomes of the answers.
  const provider = { id, workspaceId, name: 'mock', kind: 'compatible' as const, baseUrl: vendor.url, local: true }
  await insertProvider(db, { ...nothing, ...provider, enabled: true })
  const free = { inputMicrosPerMillion: null, outputMicrosPerMillion: null, cachedMicrosPerMillion: null }
  const model = { id: newId(), workspaceId, providerId: id, modelId: 'm', tier: 'fast' as const, position: 0 }
  await insertModel(db, { ...free, ...model, contextTokensMax: null, enabled: true })
  const settings = gatewaySettingsSchema.parse({ summaries: { changedDocuments: true, batch } })
  await storeGatewaySettings(db, workspaceId, 0, settings)
  return made
}

const publish = async ({ viewers, collectionId }: TestWorkspace, text: string): Promise<string> => {
  const { db } = test.current()
  const name = `${newId()}.txt`
  const claim = await claimVersion(db, await createScratchDocument(db, viewers.admin, { collectionId, name }))
  if (!claim) throw new Error('no claim')
  const blocks = [{ kind: 'paragraph' as const, start: 0, end: text.length }]
  await indexParsed(claim, { kind: 'text', title: 'Policy', text, blocks, pages: [] }, new AbortController().signal)
  return claim.versionId
}
const versionOf = async (id: string) => {
  const [row] = await test.current().db.select().from(documentVersions).where(eq(documentVersions.id, id))
  return row
}
const description = (n: number) => ({ n, summary: `Summary ${n}.`, tags: ['keys'] })

describe('changed documents through a batch interface', () => {
  it('are described by it where the rules say so, several in a call', async () => {
    const made = await workspace(true)
    const ids = [await publish(made, 'Keys are rotated every 90 days.'), await publish(made, 'Laptops are reported.')]
    vendor.script({ answer: () => completion(JSON.stringify({ documents: [description(1), description(2)] })) })
    expect(await describeChanged(inBatch)).toBe(0)
    for (const id of ids) expect(await versionOf(id)).toMatchObject({ summary: null, describedDone: 0 })
    expect(await describeChanged(inBatch)).toBe(0)
    await look()
    await look()
    expect(vendor.lines()).toHaveLength(1)
    for (const [at, id] of ids.entries())
      expect(await versionOf(id)).toMatchObject({ summary: `Summary ${at + 1}.`, tags: ['keys'], describedDone: null })
  })

  it('go the ordinary way where the rules do not, or the text is too long for it', async () => {
    const plain = await workspace(false)
    await publish(plain, 'Keys are rotated every 90 days.')
    const told = await workspace(true)
    await publish(told, `Keys are rotated. ${'More of it. '.repeat(1_600)}`)
    expect(await describeChanged(inBatch)).toBe(2)
    expect(await test.current().db.select().from(providerBatches)).toHaveLength(0)
  })

  it('go the ordinary way when it left them out', async () => {
    const made = await workspace(true)
    const ids = [await publish(made, 'Keys are rotated every 90 days.'), await publish(made, 'Laptops are reported.')]
    vendor.script({ answer: () => completion(JSON.stringify({ documents: [description(2)] })) })
    await describeChanged(inBatch)
    await look()
    await look()
    expect(await versionOf(ids[0] ?? '')).toMatchObject({ summary: null, describedDone: 0 })
    expect(await versionOf(ids[1] ?? '')).toMatchObject({ summary: 'Summary 2.' })
    const queued: string[] = []
    await work('document.describe', async ({ versionId }) => {
      queued.push(versionId)
    })
    await expect.poll(() => queued, { timeout: 20_000 }).toContain(ids[0])
    expect(queued).not.toContain(ids[1])
  })
})
