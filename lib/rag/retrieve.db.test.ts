import { describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { searchLexical, searchVector, toVectorLiteral } from '#db/queries/search.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { newId } from '#lib/shared/ids.ts'
import { retrieve } from './index.ts'

const test = withDatabase()
const model = 'test-encoder@1'

/** A unit vector near the first axis, so that cosines are what the test says. */
const vectorAt = (cosine: number): Float32Array => {
  const vector = new Float32Array(384)
  vector[0] = cosine
  vector[1] = Math.sqrt(1 - cosine * cosine)
  return vector
}

type Planted = { text: string; cosine?: number; publish?: boolean; headings?: string[] }

const plant = async (
  { viewers, collectionId }: TestWorkspace,
  { text, cosine = 0.5, publish = true, headings = [] }: Planted,
): Promise<string> => {
  const { db } = test.current()
  const claim = await claimVersion(db, await createScratchDocument(db, viewers.admin, { collectionId, name: newId() }))
  if (!claim) throw new Error('no claim')
  const chunk = {
    ordinal: 0,
    text,
    charStart: 0,
    charEnd: text.length,
    headingPath: headings,
    context: '',
    pageFrom: null,
    pageTo: null,
    tokens: 20,
    contentHash: newId(),
    vector: toVectorLiteral(vectorAt(cosine)),
  }
  expect(await insertChunks(db, claim, model, [chunk])).toBe(true)
  if (publish) await publishVersion(db, claim, { chunks: 1, reused: 0 })
  return claim.documentId
}

const search = async ({ viewers }: TestWorkspace, question: string) => {
  const { db } = test.current()
  const scope = { viewer: viewers.member, collectionIds: [], limit: 50 }
  return {
    lexical: await searchLexical(db, question, scope),
    vector: await searchVector(db, { ...scope, vector: vectorAt(1), model }),
  }
}

describe('retrieval', () => {
  it('ranks by BM25 and by cosine, each leg by itself', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { text: 'The drive belt HP-4010 is replaced every two years.', cosine: 0.2 })
    await plant(workspace, { text: 'Leave is thirty days.', cosine: 0.9 })
    await plant(workspace, { text: 'The belt, the belt and again the belt.', cosine: 0.6 })
    const { lexical, vector } = await search(workspace, 'drive belt HP-4010')
    expect(lexical).toHaveLength(2)
    expect(lexical[0]?.score).toBeGreaterThan(lexical[1]?.score ?? 0)
    expect(vector.map(({ score }) => Number(score.toFixed(2)))).toEqual([0.9, 0.6, 0.2])
  })

  it('searches the headings above a passage as well', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { text: 'Thirty days a year.', headings: ['4 Vacation'] })
    expect((await search(workspace, 'vacation')).lexical).toHaveLength(1)
  })

  it('never returns the nearest neighbour of another workspace, or what is not published', async () => {
    const mine = await createTestWorkspace(test.current())
    const theirs = await createTestWorkspace(test.current())
    for (let copy = 0; copy < 60; copy += 1)
      await plant(theirs, { text: 'The secret torque of the spindle is 42 newton metres.', cosine: 0.99 })
    await plant(mine, { text: 'The secret torque of the spindle is not published.', cosine: 0.98, publish: false })
    await plant(mine, { text: 'A torque of no importance.', cosine: 0.1 })
    const { lexical, vector } = await search(mine, 'secret torque of the spindle')
    expect(lexical).toHaveLength(1)
    expect(vector).toHaveLength(1)
  })

  it('compares vectors of one model only', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { text: 'Anything' })
    const scope = { viewer: workspace.viewers.member, collectionIds: [], limit: 5 }
    expect(await searchVector(test.current().db, { ...scope, vector: vectorAt(1), model: 'another@2' })).toEqual([])
  })

  it('answers a question that is only punctuation, or SQL, with nothing', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { text: 'Anything at all' })
    for (const question of ['???', "'; drop table chunks; --", '\u0000'.replace('\u0000', ' '), '%_\\'])
      expect((await search(workspace, question)).lexical).toEqual([])
  })

  it('says that nothing relevant is there instead of handing on what is', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { text: 'Signing keys are rotated every 90 days by the platform team.' })
    const answered = await retrieve('How often are signing keys rotated?', workspace.viewers.member)
    expect(answered).toMatchObject({
      found: true,
      degraded: null,
      passages: [{ n: 1, text: expect.stringContaining('90 days') }],
    })
    const refused = await retrieve('Who painted the ceiling of the Sistine chapel?', workspace.viewers.member)
    expect(refused).toMatchObject({ found: false, passages: [] })
  })

  it('keeps to the collections that were chosen', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { text: 'Signing keys are rotated every 90 days.' })
    const elsewhere = await retrieve('How often are signing keys rotated?', workspace.viewers.member, {
      collectionIds: [newId()],
    })
    expect(elsewhere).toMatchObject({ found: false, passages: [] })
  })
})
