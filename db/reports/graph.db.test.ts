import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { rows, sql } from '../client.ts'
import { createScratchDocument } from '../queries/evaluation.ts'
import { storeGraphPart } from '../queries/graph.ts'
import { claimVersion, insertChunks, publishVersion } from '../queries/ingest.ts'
import { gatewaySettings, modelCalls } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { getGraphSize, getNeighbourhood, listEdgeSources, searchEntities } from './graph.ts'

const test = withDatabase()

type Said = [from: string, predicate: string, to: string]

/** A published passage and what is drawn from it; every thing is spoken of where its name stands. */
const publish = async (workspace: TestWorkspace, text: string, things: string[], said: Said[]): Promise<string> => {
  const { db } = test.current()
  const { viewers, collectionId, workspaceId } = workspace
  const claim = await claimVersion(db, await createScratchDocument(db, viewers.admin, { collectionId, name: newId() }))
  if (!claim) throw new Error('no claim')
  const chunk = {
    ordinal: 0,
    text,
    charStart: 100,
    charEnd: 100 + text.length,
    headingPath: [],
    context: '',
    pageFrom: 3,
    pageTo: 3,
    tokens: 9,
    contentHash: newId(),
    vector: null,
  }
  await insertChunks(db, claim, 'none', [chunk])
  await publishVersion(db, claim, { chunks: 1, reused: 0 })
  const [row] = await rows<{ id: number }>(
    db,
    sql`select id::int as id from chunks where version_id = ${claim.versionId}`,
  )
  const chunkId = row?.id ?? 0
  await db.transaction((tx) =>
    storeGraphPart(tx, {
      versionId: claim.versionId,
      workspaceId,
      chunkIds: [chunkId],
      entities: things.map((name) => ({ key: name, name, kind: 'name', aliases: [name.toLowerCase()] })),
      mentions: things.map((key) => ({
        key,
        chunkId,
        start: 100 + text.indexOf(key),
        end: 100 + text.indexOf(key) + key.length,
      })),
      relations: said.map(([fromKey, predicate, toKey]) => ({ fromKey, predicate, toKey, chunkId })),
    }),
  )
  return claim.documentId
}

describe('the graph page', () => {
  let home: TestWorkspace
  let abroad: TestWorkspace
  let documentId: string

  beforeAll(async () => {
    const { db } = test.current()
    home = await createTestWorkspace(test.current())
    abroad = await createTestWorkspace(test.current())
    documentId = await publish(home, 'Ada leads Optics.', ['Ada', 'Optics'], [['Ada', 'leads', 'Optics']])
    await publish(
      home,
      'Ada, again, leads Optics in Lund.',
      ['Ada', 'Optics', 'Lund'],
      [
        ['Ada', 'leads', 'Optics'],
        ['Optics', 'in', 'Lund'],
        ['Ada', 'with', 'Lund'],
      ],
    )
    await publish(abroad, 'Ada leads Welding.', ['Ada', 'Welding'], [['Ada', 'leads', 'Welding']])
    await db
      .insert(gatewaySettings)
      .values({ workspaceId: home.workspaceId, settings: { graph: { extract: 'patterns' } }, version: 1 })
    const call = {
      workspaceId: home.workspaceId,
      at: new Date(),
      task: 'extract',
      outcome: 'ok',
      requestedModel: 'small',
    }
    await db.insert(modelCalls).values([
      { ...call, id: newId(), feature: 'document.graph', costMicros: 120 },
      { ...call, id: newId(), feature: 'document.graph', costMicros: null },
      { ...call, id: newId(), feature: 'document.description', costMicros: 5_000 },
    ])
  })

  const idOf = async (name: string, workspace = home): Promise<string> =>
    (await searchEntities(test.current().db, workspace.viewers.admin, name))[0]?.id ?? 'none'

  it('finds things by a part of a name, those that are spoken of most first, of its own workspace only', async () => {
    const { db } = test.current()
    const found = async (words: string) =>
      (await searchEntities(db, home.viewers.admin, words)).map(({ name, passages }) => [name, passages])
    expect(await found('')).toEqual([
      ['Ada', 2],
      ['Optics', 2],
      ['Lund', 1],
    ])
    expect(await found('OPT')).toEqual([['Optics', 2]])
    expect(await found('Welding')).toEqual([])
    expect(await found('%_')).toHaveLength(3)
  })

  it('shows what a thing stands to and how, counted in passages', async () => {
    const [ada, optics, lund] = [await idOf('Ada'), await idOf('Optics'), await idOf('Lund')]
    const around = await getNeighbourhood(test.current().db, home.viewers.admin, ada)
    expect(around?.centre).toEqual({ id: ada, name: 'Ada', kind: 'name', passages: 2, aliases: [] })
    expect(around?.neighbours.map(({ name }) => name)).toEqual(['Optics', 'Lund'])
    expect(around?.edges).toEqual([
      { between: [ada, optics], passages: 2, said: [{ fromId: ada, toId: optics, predicate: 'leads' }] },
      { between: [ada, lund], passages: 1, said: [{ fromId: ada, toId: lund, predicate: 'with' }] },
      { between: [optics, lund], passages: 1, said: [{ fromId: optics, toId: lund, predicate: 'in' }] },
    ])
    expect(around?.more).toBe(0)
  })

  it('gives the passages of a relation with both things marked', async () => {
    const sources = await listEdgeSources(test.current().db, home.viewers.admin, [
      await idOf('Ada'),
      await idOf('Optics'),
    ])
    const first = sources.find((source) => source.documentId === documentId)
    expect(sources).toHaveLength(2)
    expect(first).toMatchObject({ ordinal: 0, page: 3, predicates: ['leads'], text: 'Ada leads Optics.' })
    expect(first?.marks.map(({ start, end }) => first.text.slice(start, end))).toEqual(['Ada', 'Optics'])
  })

  it('has nothing for another workspace, and nothing for what is no id', async () => {
    const { db } = test.current()
    const [ada, optics] = [await idOf('Ada'), await idOf('Optics')]
    expect(await getNeighbourhood(db, abroad.viewers.admin, ada)).toBeUndefined()
    expect(await listEdgeSources(db, abroad.viewers.admin, [ada, optics])).toEqual([])
    for (const id of ['', '0', '-1', '1 or 1=1', '99999999999999999999'])
      expect(await getNeighbourhood(db, home.viewers.admin, id)).toBeUndefined()
  })

  it('says how large the graph is, how far, and what models cost for it', async () => {
    expect(await getGraphSize(test.current().db, home.viewers.admin)).toEqual({
      extract: 'patterns',
      searched: false,
      entities: 3,
      relations: 3,
      documents: { done: 0, waiting: 0, failed: 0, untouched: 2 },
      costMicros: 120,
      unpricedCalls: 1,
    })
    expect(await getGraphSize(test.current().db, abroad.viewers.admin)).toMatchObject({
      extract: 'off',
      entities: 2,
      costMicros: 0,
    })
  })
})
