import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { toVectorLiteral } from '#db/queries/search.ts'
import { modelCalls } from '#db/schema/index.ts'
import { addTestModel, createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { embed } from '#lib/gateway/index.ts'
import { gatewaySettingsSchema, type RetrievalSettings, retrievalSettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { type RetrievalQuestion, type RetrievalReport, stageNames } from '#lib/shared/retrieval-contract.ts'
import { explainRetrieval, retrieve } from './index.ts'

const test = withDatabase()

type Planted = { texts: readonly string[]; heading?: string; injectionScore?: number }

/** A document whose passages are embedded by the built-in encoder. */
const plant = async ({ viewers, collectionId }: TestWorkspace, planted: Planted): Promise<string> => {
  const { texts, heading = 'Part', injectionScore = 0 } = planted
  const { db } = test.current()
  const claim = await claimVersion(db, await createScratchDocument(db, viewers.admin, { collectionId, name: newId() }))
  if (!claim) throw new Error('no claim')
  const { model, vectors } = await embed(texts, { purpose: 'passage' })
  await insertChunks(
    db,
    claim,
    model,
    texts.map((text, ordinal) => ({
      ordinal,
      text,
      charStart: ordinal * 1_000,
      charEnd: ordinal * 1_000 + text.length,
      headingPath: [heading],
      context: '',
      pageFrom: null,
      pageTo: null,
      tokens: 20,
      contentHash: newId(),
      injectionScore,
      vector: vectors[ordinal] ? toVectorLiteral(vectors[ordinal]) : null,
    })),
  )
  await publishVersion(db, claim, { chunks: texts.length, reused: 0 })
  return claim.documentId
}

const question = 'How often are signing keys rotated?'
const keys = 'Signing keys are rotated every 90 days by the platform team.'
const certificates = 'Certificates are renewed once a year by the same people.'
const leave = 'Employees are granted thirty days of paid leave a year.'

const asked = (
  configuration: Partial<RetrievalSettings> = {},
  over: Partial<RetrievalQuestion> = {},
): RetrievalQuestion => ({
  question,
  collectionIds: [],
  filter: {},
  configuration: retrievalSettingsSchema.parse(configuration),
  ...over,
})
const stageOf = ({ stages }: RetrievalReport, name: (typeof stageNames)[number]) => {
  const found = stages.find(({ stage }) => stage === name)
  if (!found) throw new Error(`no stage ${name}`)
  return found
}
const textsOf = (report: RetrievalReport, name: (typeof stageNames)[number]): string[] =>
  stageOf(report, name).candidates.map(({ text }) => text)

describe('a search in stages', () => {
  it('reports every stage in its order, and ends with what an answer would be written from', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: [keys, certificates] })
    await plant(workspace, { texts: [leave] })
    const report = await explainRetrieval(asked(), workspace.viewers.admin)
    expect(report.stages.map(({ stage }) => stage)).toEqual(stageNames)
    expect(report).toMatchObject({ found: true, encoder: expect.stringContaining('MiniLM') })
    const evidence = await retrieve(question, workspace.viewers.member)
    expect(textsOf(report, 'pack')).toEqual(evidence.passages.map(({ text }) => text))
    const [best] = stageOf(report, 'fuse').candidates
    expect(best).toMatchObject({ text: keys, rank: 1, parts: { words: expect.any(Number), meaning: 1 } })
    for (const { candidates } of report.stages)
      for (const { score, rank } of candidates) expect(Number.isFinite(score) && rank > 0).toBe(true)
  })

  it('a leg that is switched off finds nothing, and words are searched when nothing else is left', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: [keys, leave] })
    const words = await explainRetrieval(asked({ vector: false }), workspace.viewers.admin)
    expect(stageOf(words, 'vector')).toMatchObject({ on: false, candidates: [] })
    expect(textsOf(words, 'fuse')).toEqual([keys])
    const meaning = await explainRetrieval(asked({ lexical: false }), workspace.viewers.admin)
    expect(stageOf(meaning, 'lexical')).toMatchObject({ on: false, candidates: [] })
    expect(textsOf(meaning, 'fuse')).toHaveLength(2)
    const neither = await explainRetrieval(
      asked({ lexical: false, vector: false, expand: false }),
      workspace.viewers.admin,
    )
    expect(textsOf(neither, 'pack')).toEqual([keys])
  })

  it('what is asked for exactly comes before what only means the same', async () => {
    const workspace = await createTestWorkspace(test.current())
    const similar = 'The rubber drive belt of the pump has to be replaced with a new belt by a technician.'
    await plant(workspace, { texts: [similar, 'See HP-4010 in the list.', 'See HP-40100 in the list.'] })
    const exact = asked({}, { question: 'Who replaces the drive belt HP-4010 of the pump?' })
    const report = await explainRetrieval(exact, workspace.viewers.admin)
    const rerank = stageOf(report, 'rerank')
    expect(rerank.candidates.find(({ text }) => text.includes('HP-4010 '))?.parts).toEqual({ exact: 1 })
    expect(rerank.candidates.find(({ text }) => text.includes('HP-40100'))?.parts).toEqual({ exact: 0 })
    const codeAlone = await explainRetrieval({ ...exact, question: 'HP-4010' }, workspace.viewers.admin)
    expect(textsOf(codeAlone, 'pack')[0]).toBe('See HP-4010 in the list.')
  })

  it('marks passages that are held and lets none of them further than the legs', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: [keys], injectionScore: 0.99 })
    await plant(workspace, { texts: [certificates] })
    const report = await explainRetrieval(asked(), workspace.viewers.admin)
    expect(stageOf(report, 'lexical').candidates[0]).toMatchObject({ text: keys, parts: { held: 1 } })
    for (const name of ['fuse', 'rerank', 'diversify', 'expand', 'pack'] as const)
      expect(textsOf(report, name)).not.toContain(keys)
  })

  it('keeps to a filter, and a kept ranking is not given to another one', async () => {
    const workspace = await createTestWorkspace(test.current())
    const ofTheBook = await plant(workspace, { texts: [keys] })
    await plant(workspace, { texts: [`${keys} So it is in the second book.`] })
    const { db } = test.current()
    await db.execute(sql`update document_versions set author = 'Ada' where document_id = ${ofTheBook}`)
    await db.execute(sql`update documents set tags = '{law}' where id = ${ofTheBook}`)
    const found = async (filter: RetrievalQuestion['filter']) =>
      (await retrieve(question, workspace.viewers.member, { filter })).passages.map(({ documentId }) => documentId)
    expect(await found({})).toHaveLength(2)
    expect(await found({ authors: ['Ada'] })).toEqual([ofTheBook])
    expect(await found({ authors: ['Bob'] })).toEqual([])
    expect(await found({ tags: ['law'] })).toEqual([ofTheBook])
    await db.execute(sql`update documents set tags = '{}' where id = ${ofTheBook}`)
    expect(await found({ tags: ['law'] })).toEqual([])
  })

  it('takes no more passages of a document than it may', async () => {
    const workspace = await createTestWorkspace(test.current())
    const many = ['monday', 'tuesday', 'friday'].map((day) => `${keys} On ${day} the signing keys are checked.`)
    const one = await plant(workspace, { texts: many })
    await plant(workspace, { texts: [`${certificates} Signing keys are another matter.`] })
    const report = await explainRetrieval(asked({ perDocumentMax: 1, expand: false }), workspace.viewers.admin)
    const documents = stageOf(report, 'pack').candidates.map(({ documentId }) => documentId)
    expect(documents.filter((id) => id === one)).toHaveLength(1)
    expect(new Set(documents).size).toBe(2)
  })

  it('brings the neighbours of the best along, from the same section alone, as passages of their own', async () => {
    const workspace = await createTestWorkspace(test.current())
    const next = 'This does not hold for the one of the root, which is in the safe.'
    await plant(workspace, { texts: [keys, next] })
    await plant(workspace, { texts: ['Kein Wort davon.'], heading: 'Other' })
    // The neighbour is found by nothing: no words, and no vectors are searched.
    const call = { configuration: retrievalSettingsSchema.parse({ vector: false }) }
    const words = 'signing keys rotated 90 days platform team'
    const wide = await retrieve(words, workspace.viewers.member, call)
    expect(wide.passages.map(({ text }) => text)).toEqual([keys, next])
    expect(wide.passages[1]).toMatchObject({ n: 2, lexical: null, vector: null, charStart: 1_000 })
    expect((await retrieve(words, workspace.viewers.member, { ...call, tokensMax: 30 })).passages).toHaveLength(1)
    expect((await retrieve(words, workspace.viewers.member, { ...call, k: 5 })).passages).toHaveLength(1)
  })

  it('searches the parts of a question by themselves when it is told to', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: [keys, leave, 'The canteen opens at noon.'] })
    const two = { question: `${question} How many days of paid leave are granted?` }
    const report = await explainRetrieval(asked({ rewrite: 'decompose' }, two), workspace.viewers.admin)
    expect(stageOf(report, 'rewrite').note).toContain('paid leave')
    expect(textsOf(report, 'fuse').slice(0, 2).toSorted()).toEqual([leave, keys].toSorted())
  })
})

describe('a reranker of a provider', () => {
  let server: Server | undefined
  afterEach(() => server?.close())

  type Reply = { status?: number; body?: unknown; never?: boolean }
  const sent: { query: string; documents: string[] }[] = []

  /** A workspace whose provider answers to `/rerank` as told; one document in three passages. */
  const withReranker = async (reply: (documents: string[]) => Reply) => {
    sent.length = 0
    server = createServer(async (request, response) => {
      let text = ''
      for await (const part of request) text += part
      const body = JSON.parse(text) as { query: string; documents: string[] }
      sent.push(body)
      const {
        status = 200,
        body: answer = {},
        never = false,
      } = request.url === '/v1/rerank' ? reply(body.documents) : { status: 404 }
      if (never) return
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as AddressInfo
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId } = workspace
    const { db } = test.current()
    const providerId = await addTestModel(db, {
      workspaceId,
      baseUrl: `http://127.0.0.1:${port}/v1`,
      provider: { name: 'own' },
      model: {
        modelId: 'some-reranker',
        tier: 'fast',
        inputMicrosPerMillion: 0,
        outputMicrosPerMillion: 0,
        cachedMicrosPerMillion: 0,
      },
    })
    const taskModels = { rerank: `${providerId}/some-reranker` }
    const redaction = { alsoLocal: true }
    await storeGatewaySettings(db, workspaceId, 0, gatewaySettingsSchema.parse({ taskModels, redaction }))
    await plant(workspace, { texts: [keys, certificates, `${leave} Write to ada@halden.example.`] })
    const explain = (rerankMs = 5_000) =>
      explainRetrieval(asked({ rerank: 'provider', rerankMs, expand: false }), workspace.viewers.admin)
    return { workspaceId, explain }
  }
  const backwards = (documents: string[]): Reply => ({
    body: {
      results: documents.map((_, index) => ({ index, relevance_score: index })),
      usage: { total_tokens: 77 },
    },
  })

  it('puts the best in another order; what leaves is masked, and the call is in the ledger', async () => {
    const { explain, workspaceId } = await withReranker(backwards)
    const report = await explain()
    expect(textsOf(report, 'rerank')).toEqual(textsOf(report, 'fuse').toReversed())
    expect(stageOf(report, 'rerank').candidates[0]).toMatchObject({ moved: 2, parts: { model: 2 } })
    expect(sent[0]).toMatchObject({ query: question, model: 'some-reranker' })
    expect(JSON.stringify(sent)).toContain('thirty days')
    expect(JSON.stringify(sent)).not.toContain('ada@halden')
    const lines = await test.current().db.select().from(modelCalls).where(sql`workspace_id = ${workspaceId}`)
    expect(lines).toMatchObject([{ task: 'rerank', outcome: 'ok', tokensIn: 77, tokensOut: 0 }])
  })

  it.each<[string, (documents: string[]) => Reply]>([
    ['is down', () => ({ status: 400 })],
    ['never answers', () => ({ never: true })],
    ['answers nonsense', () => ({ body: { results: [{ index: 0, relevance_score: 1 }] } })],
    [
      'names passages that are not there',
      (all) => ({ body: { results: all.map((_, at) => ({ index: at + 1, relevance_score: 1 })) } }),
    ],
  ])('that %s leaves the order as it was, and the report says so', async (_, reply) => {
    const { explain } = await withReranker(reply)
    const startedMs = performance.now()
    const report = await explain(300)
    expect(textsOf(report, 'rerank')).toEqual(textsOf(report, 'fuse'))
    expect(stageOf(report, 'rerank').note).toContain('the mixed order stands')
    expect(report.found).toBe(true)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  it('is not there: the order stands, for a cross-encoder and a model as well', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: [keys, leave] })
    for (const rerank of ['provider', 'cross-encoder', 'model'] as const) {
      const report = await explainRetrieval(asked({ rerank }), workspace.viewers.admin)
      expect(stageOf(report, 'rerank').note).toContain('the mixed order stands')
      expect(textsOf(report, 'pack')).toContain(keys)
    }
  })
})
