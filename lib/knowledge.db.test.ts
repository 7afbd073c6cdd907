import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { endTaskRun, getOpenTaskRun, setTaskRunProgress } from '#db/queries/task-runs.ts'
import { getPassageDocument, getPassageOrdinal, listFilterChoices } from '#db/reports/passages.ts'
import { chunks, documents, documentVersions, goldenQuestions } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from './jobs.ts'
import {
  chunkPreview,
  deleteGoldenQuestion,
  type Explain,
  findInVersion,
  listGoldenQuestions,
  measureGolden,
  passagePage,
  saveGoldenQuestion,
  startChunkPreview,
} from './knowledge.ts'
import { defaultGatewaySettings } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'
import { goldenMax } from './shared/knowledge-contract.ts'

const test = withDatabase()
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))

type Cut = { documentId: string; versionId: string; chunkIds: string[] }

/** A document that is cut into these passages and published. */
const publish = async (
  { viewers, collectionId, workspaceId }: TestWorkspace,
  passages: readonly string[],
  scores: readonly number[] = [],
): Promise<Cut> => {
  const { db } = test.current()
  const versionId = await createScratchDocument(db, viewers.admin, { collectionId, name: `${newId()}.txt` })
  const [version] = await db
    .update(documentVersions)
    .set({ stage: 'ready', language: 'en', author: 'Ada', tags: ['valves'] })
    .where(eq(documentVersions.id, versionId))
    .returning({ documentId: documentVersions.documentId })
  const documentId = version?.documentId ?? ''
  const rows = await db
    .insert(chunks)
    .values(
      passages.map((text, ordinal) => ({
        workspaceId,
        documentId,
        versionId,
        ordinal,
        text,
        charStart: ordinal * 100,
        charEnd: ordinal * 100 + text.length,
        headingPath: ['Valves'],
        context: '',
        tokens: 10 + ordinal,
        contentHash: `${versionId}-${ordinal}`,
        injectionScore: scores[ordinal] ?? 0,
      })),
    )
    .returning({ id: chunks.id })
  await db.update(documents).set({ publishedVersionId: versionId }).where(eq(documents.id, documentId))
  return { documentId, versionId, chunkIds: rows.map(({ id }) => String(id)) }
}

/** A search that gives these passages, whatever is asked. */
const finding =
  (chunkIds: readonly string[], found = true): Explain =>
  async ({ question, configuration }) => ({
    question,
    encoder: 'none',
    configuration: configuration ?? defaultGatewaySettings.retrieval,
    stages: [
      {
        stage: 'pack',
        on: true,
        ms: 1,
        note: '',
        candidates: chunkIds.map((chunkId, at) => ({
          chunkId,
          documentId: newId(),
          versionId: newId(),
          title: '',
          mediaType: 'text/plain',
          page: null,
          headingPath: [],
          text: '',
          rank: at + 1,
          score: 1,
          moved: null,
          parts: {},
        })),
      },
    ],
    found,
    ms: 1,
  })

describe('golden questions', () => {
  it('are measured by the stored words of what was found, and nothing found counts as nothing', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin } = workspace.viewers
    const { documentId, chunkIds } = await publish(workspace, ['Closed at night.', 'The valve opens at 37 bar.'])
    const [golden] = await saveGoldenQuestion(admin, {
      question: ' When does the valve\0 open? ',
      expected: [{ documentId, quote: 'opens at 37 bar' }],
    })
    expect(golden).toMatchObject({ question: 'When does the valve open?', expected: [{ name: expect.any(String) }] })
    const id = golden?.id ?? ''
    const measure = (explain: Explain) => measureGolden(admin, { ids: [id, newId()] }, explain)
    expect(await measure(finding(chunkIds))).toEqual([{ id, recall: 1, reciprocalRank: 0.5 }])
    expect(await measure(finding(['999999999', ...chunkIds].reverse()))).toMatchObject([{ reciprocalRank: 1 }])
    expect(await measure(finding(chunkIds, false))).toEqual([{ id, recall: 0, reciprocalRank: 0 }])
  })

  it('are replaced by the same question, and deleted once', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin } = workspace.viewers
    const { documentId } = await publish(workspace, ['One.', 'Two.'])
    const save = (quote: string) => saveGoldenQuestion(admin, { question: 'Which?', expected: [{ documentId, quote }] })
    await save('One')
    const [golden, ...others] = await save('Two')
    expect([golden?.expected[0]?.quote, others]).toEqual(['Two', []])
    await deleteGoldenQuestion(admin, golden?.id ?? '')
    expect(await listGoldenQuestions(admin)).toEqual([])
    await expect(deleteGoldenQuestion(admin, golden?.id ?? '')).rejects.toMatchObject({ code: 'not-found' })
  })

  it('of another workspace are not there, and cannot expect its documents', async () => {
    const [mine, theirs] = [await createTestWorkspace(test.current()), await createTestWorkspace(test.current())]
    const { documentId, chunkIds } = await publish(theirs, ['The valve opens at 37 bar.'])
    const golden = { question: 'When?', expected: [{ documentId, quote: 'opens at 37 bar' }] }
    await expect(saveGoldenQuestion(mine.viewers.admin, golden)).rejects.toMatchObject({ code: 'not-found' })
    const [saved] = await saveGoldenQuestion(theirs.viewers.admin, golden)
    const ids = [saved?.id ?? '']
    expect(await measureGolden(mine.viewers.admin, { ids }, finding(chunkIds))).toEqual([])
    await expect(deleteGoldenQuestion(mine.viewers.admin, ids[0] ?? '')).rejects.toMatchObject({ code: 'not-found' })
    expect(await listGoldenQuestions(mine.viewers.admin)).toEqual([])
  })

  it('are refused in words when the set is full', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin } = workspace.viewers
    const { documentId } = await publish(workspace, ['One.'])
    await test
      .current()
      .db.insert(goldenQuestions)
      .values(
        Array.from({ length: goldenMax }, (_, at) => ({
          id: newId(),
          workspaceId: workspace.workspaceId,
          question: `Question ${at}?`,
          expected: [],
        })),
      )
    const save = (question: string) => saveGoldenQuestion(admin, { question, expected: [{ documentId, quote: 'One' }] })
    await expect(save('One more?')).rejects.toMatchObject({ code: 'bad-request' })
    expect(await save('Question 7?')).toHaveLength(goldenMax)
  })
})

describe('passages', () => {
  it('come a page at a time with the held ones marked, and are found by their exact words', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin } = workspace.viewers
    const texts = Array.from({ length: 60 }, (_, at) => (at === 55 ? '100% Sure_Thing' : `Passage ${at} is 100 sure`))
    const { documentId, versionId, chunkIds } = await publish(workspace, texts, [0, 0.9])
    const first = await passagePage(admin, versionId, 0)
    expect([first.from, first.passages.length]).toEqual([0, 50])
    expect(first.passages.filter(({ held }) => held).map(({ ordinal }) => ordinal)).toEqual([1])
    const last = await passagePage(admin, versionId, 57)
    expect([last.from, last.passages.map(({ ordinal }) => ordinal)]).toEqual([
      50,
      [...Array(10)].map((_, at) => 50 + at),
    ])
    expect((await passagePage(admin, versionId, 900)).passages).toEqual([])
    // The signs of a pattern are letters like any other.
    expect(await findInVersion(admin, versionId, '100% sure_t')).toEqual([55])
    expect(await findInVersion(admin, versionId, '\0 ')).toEqual([])
    expect(await getPassageOrdinal(test.current().db, admin, { documentId, chunkId: Number(chunkIds[55]) })).toBe(55)
    expect(await getPassageDocument(test.current().db, admin, documentId)).toMatchObject({
      newerVersion: false,
      language: 'en',
      figures: { passages: 60, maxTokens: 69, meanTokens: 39.5 },
    })
    expect(await listFilterChoices(test.current().db, admin)).toEqual({
      languages: ['en'],
      mediaTypes: ['text/plain'],
      authors: ['Ada'],
      tags: ['valves'],
    })
  })

  it('of another workspace are not there', async () => {
    const [mine, theirs] = [await createTestWorkspace(test.current()), await createTestWorkspace(test.current())]
    const { documentId, versionId, chunkIds } = await publish(theirs, ['The valve opens at 37 bar.'])
    const { db } = test.current()
    const { admin } = mine.viewers
    expect((await passagePage(admin, versionId, 0)).passages).toEqual([])
    expect(await findInVersion(admin, versionId, 'valve')).toEqual([])
    expect(await getPassageDocument(db, admin, documentId)).toBeUndefined()
    expect(await getPassageOrdinal(db, admin, { documentId, chunkId: Number(chunkIds[0]) })).toBeUndefined()
    expect(await listFilterChoices(db, admin)).toEqual({ languages: [], mediaTypes: [], authors: [], tags: [] })
    const preview = { versionId, strategy: 'fixed' as const, targetTokens: 200 }
    await expect(startChunkPreview(admin, preview)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('a preview of another cutting', () => {
  it('is one run while it is made, tells how far it is, and then what it came to', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin, reviewer } = workspace.viewers
    const { db } = test.current()
    const { versionId } = await publish(workspace, ['One.'])
    const wanted = { versionId, strategy: 'fixed' as const, targetTokens: 200 }
    const { id } = await startChunkPreview(admin, wanted)
    expect((await startChunkPreview(admin, wanted)).id).toBe(id)
    expect((await startChunkPreview(admin, { ...wanted, targetTokens: 300 })).id).not.toBe(id)
    await setTaskRunProgress(db, id, { done: 2, total: 9 })
    expect(await chunkPreview(admin, id)).toMatchObject({ state: 'running', done: 2, total: 9 })
    await expect(chunkPreview(reviewer, id)).rejects.toMatchObject({ code: 'not-found' })
    const run = await getOpenTaskRun(db, id)
    expect(run?.subject).toEqual(wanted)
    const output = {
      strategy: 'fixed',
      targetTokens: 200,
      passages: [{ start: 0, end: 4, headingPath: [], context: '', tokens: 2 }],
      figures: { passages: 1, meanTokens: 2, maxTokens: 2 },
      sameBorders: 1,
    }
    await endTaskRun(db, id, { output })
    expect(await chunkPreview(admin, id)).toMatchObject({ state: 'done', result: output, failure: null })
  })

  it('says why it failed', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin } = workspace.viewers
    const { versionId } = await publish(workspace, ['One.'])
    const { id } = await startChunkPreview(admin, { versionId, strategy: 'fixed', targetTokens: 200 })
    const message = 'The file is damaged or cut short. Get a fresh copy.'
    await endTaskRun(test.current().db, id, { failureCode: 'bad-request', output: { message } })
    expect(await chunkPreview(admin, id)).toMatchObject({ state: 'failed', result: null, failure: message })
  })
})
