import './fixtures/scratch.ts'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { demoDocuments, demoQuestions, unanswerableQuestions } from '#db/demo/questions.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { ensureCollection, listDocuments, uploadDocument } from '#lib/documents.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { retrieve } from '#lib/rag/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { clarify } from '#lib/trust/clarify.ts'
import { ingestVersion } from './pipeline.ts'

const test = withDatabase()
const folder = join(import.meta.dirname, '../db/demo')

let viewer: Viewer
beforeAll(async () => {
  await openQueue()
  viewer = (await createTestWorkspace(test.current())).viewers.admin
  for (const { file, collection } of demoDocuments) {
    const collectionId = await ensureCollection(viewer, collection)
    const { document } = await uploadDocument(viewer, {
      name: file,
      collectionId,
      source: createReadStream(join(folder, file)),
    })
    await ingestVersion(document.versionId, new AbortController().signal)
  }
}, 120_000)
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
})

const plain = (text: string): string => text.replace(/\s+/g, ' ').toLowerCase()

it('reads every demo document, forty pages of paper among them', async () => {
  const { documents } = await listDocuments(viewer)
  expect(documents.map(({ name, stage }) => `${name}: ${stage}`).sort()).toEqual(
    demoDocuments.map(({ file }) => `${file}: ready`).sort(),
  )
})

it('finds the passage that answers each demo question', async () => {
  const missed: string[] = []
  for (const { question, contains } of demoQuestions) {
    const evidence = await retrieve(question, viewer)
    // Each of them is clear.
    expect(clarify(question, evidence)).toBeNull()
    const { passages } = evidence
    if (!passages.some(({ text }) => plain(text).includes(plain(contains)))) missed.push(question)
  }
  expect(missed).toEqual([])
})

it('takes none of the questions that nothing here is about for answered', async () => {
  const far = unanswerableQuestions.slice(0, 4)
  const found = await Promise.all(
    far.map(async (question) => ((await retrieve(question, viewer)).found ? question : null)),
  )
  expect(found.filter(Boolean)).toEqual([])
})
