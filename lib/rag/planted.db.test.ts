import { beforeAll, describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { searchGraph } from '#db/queries/graph.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { getChunks, getCosines, searchLexical, searchVector, toVectorLiteral } from '#db/queries/search.ts'
import { countInScope, listFacets } from '#db/reports/facets.ts'
import { listFilterChoices } from '#db/reports/passages.ts'
import { collections } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { readAsRole } from '#db/visibility.ts'
import { embed, embeddingModel, warmGateway } from '#lib/gateway/index.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { retrieve } from './index.ts'

const test = withDatabase()
const db = () => test.current().db

/** Every question is of these words; what must not be found says questions word for word, and lies exactly where they point. */
const subjects = ['spindle', 'belt', 'pump', 'valve', 'filter', 'bearing', 'gasket', 'coupling', 'rotor', 'sensor']
const properties = [
  'torque',
  'pressure',
  'clearance',
  'weight',
  'lifetime',
  'voltage',
  'temperature',
  'speed',
  'price',
  'supplier',
]
const parts = [
  'of the press',
  'of the mill',
  'of the lathe',
  'in winter',
  'at sea',
  'under load',
  'by night',
  'on ice',
  'for export',
  'in Lisbon',
]
const questions = subjects.flatMap((subject) =>
  properties.flatMap((property) => parts.map((part) => `What is the ${property} of the ${subject} ${part}?`)),
)
/** What must not be found is nearest to so many directions, and the questions share them. */
const directions = 100
/** The whole way costs an encoding: one of so many goes it. */
const wholeEvery = 25

/** A linear congruential generator (Numerical Recipes): the same vectors in every run. */
const numbers = (() => {
  let state = 7
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32 - 0.5
  }
})()

const direction = (): Float32Array => {
  const vector = Float32Array.from({ length: 384 }, numbers)
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

type Passage = { text: string; vector: Float32Array }

const plant = async (viewer: Viewer, collectionId: string, passages: readonly Passage[]): Promise<string> => {
  const versionId = await createScratchDocument(db(), viewer, { collectionId, name: `${newId()}.md` })
  const claim = await claimVersion(db(), versionId)
  if (!claim) throw new Error('no claim')
  const about = { charStart: 0, headingPath: [], context: '', pageFrom: null, pageTo: null, tokens: 12 }
  for (let from = 0; from < passages.length; from += 250)
    await insertChunks(
      db(),
      claim,
      embeddingModel().id,
      passages.slice(from, from + 250).map(({ text, vector }, at) => ({
        ...about,
        ordinal: from + at,
        text,
        charEnd: text.length,
        contentHash: newId(),
        vector: toVectorLiteral(vector),
      })),
    )
  await publishVersion(db(), claim, { chunks: passages.length, reused: 0 })
  return claim.documentId
}

describe('a thousand questions whose nearest passage is not to be read', () => {
  let mine: TestWorkspace
  let theirs: TestWorkspace
  let own: string
  let planted: string[]
  const ways = Array.from({ length: directions }, direction)
  const vectors = questions.map((_, at) => ways[at % directions] ?? direction())

  beforeAll(async () => {
    await warmGateway()
    mine = await createTestWorkspace(test.current())
    theirs = await createTestWorkspace(test.current())
    const closed = newId()
    await db().insert(collections).values({ id: closed, workspaceId: mine.workspaceId, name: 'Closed' })
    const exact = questions
      .filter((_, at) => at % (questions.length / directions) === 0)
      .map((text, at) => ({ text, vector: ways[at] ?? direction() }))
    // The passages that some questions go the whole way to are as near by the real encoder.
    const whole = questions.filter((_, at) => at % wholeEvery === 0)
    const { vectors: real } = await embed(whole, { purpose: 'passage' })
    const near = whole.map((text, at) => ({ text, vector: real[at] ?? direction() }))
    planted = [
      await plant(mine.viewers.admin, closed, [...exact, ...near]),
      await plant(theirs.viewers.admin, theirs.collectionId, [...exact, ...near]),
    ]
    own = await plant(
      mine.viewers.admin,
      mine.collectionId,
      subjects.map((subject) => ({ text: `A few words on the ${subject} and its care.`, vector: direction() })),
    )
  }, 60_000)

  it('finds it by no leg, and reads it by no number', async () => {
    const viewer = mine.viewers.member
    const asked = { model: embeddingModel().id }
    const [readable] = await searchVector(db(), {
      viewer: mine.viewers.member,
      collectionIds: [],
      limit: 1,
      vector: vectors[0] ?? direction(),
      ...asked,
    })
    expect(readable).toBeDefined()
    const found = new Set<number>()
    for (const [at, question] of questions.entries()) {
      const vector = vectors[at] ?? direction()
      const scope = { viewer, collectionIds: [], limit: 5 }
      const legs = await Promise.all([
        searchLexical(db(), question, scope),
        searchVector(db(), { ...scope, vector, ...asked }),
        ...(at % 100 === 0 ? [searchGraph(db(), question, scope)] : []),
      ])
      for (const { chunkId } of legs.flat()) found.add(chunkId)
    }
    const read = await getChunks(db(), viewer, [...found])
    expect(read).toHaveLength(found.size)
    expect(new Set(read.map(({ documentId }) => documentId))).toEqual(new Set([own]))
    const all = await db().query.chunks.findMany({ columns: { id: true, documentId: true } })
    const closed = all.flatMap(({ id, documentId }) => (planted.includes(documentId) ? [id] : []))
    expect(closed.length).toBe(2 * (directions + questions.length / wholeEvery))
    expect(await getChunks(db(), viewer, closed.slice(0, 500))).toEqual([])
    const cosines = await getCosines(db(), viewer, { vector: direction(), ...asked, chunkIds: closed.slice(0, 500) })
    expect(cosines.size).toBe(0)
    // A thousand questions through two legs: a busy machine takes its time.
  }, 240_000)

  it('cites, keeps and names it on no whole way, the same question asked twice', async () => {
    for (const question of questions.filter((_, at) => at % wholeEvery === 0)) {
      const [first, again] = [
        await retrieve(question, mine.viewers.member),
        await retrieve(question, mine.viewers.member),
      ]
      for (const { passages, nearest } of [first, again])
        for (const { documentId } of [...passages, ...nearest]) expect(documentId).toBe(own)
    }
  })

  it('counts it nowhere', async () => {
    const viewer = mine.viewers.member
    expect(await countInScope(db(), viewer, { collectionIds: [], filter: {} })).toBe(1)
    expect((await listFacets(db(), viewer)).mediaTypes).toEqual([{ value: 'text/plain', count: 1 }])
    expect((await listFilterChoices(db(), viewer)).mediaTypes).toEqual(['text/plain'])
  })

  it('finds the same as the role behind the wall', async () => {
    const scope = { collectionIds: [], limit: 5 }
    for (const question of questions.slice(0, 20)) {
      const open = await searchLexical(db(), question, { ...scope, viewer: mine.viewers.member })
      const walled = await readAsRole(db(), mine.viewers.member, (executor, viewer) =>
        searchLexical(executor, question, { ...scope, viewer }),
      )
      expect(walled).toEqual(open)
    }
  })
})
