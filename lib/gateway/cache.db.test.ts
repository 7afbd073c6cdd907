import { beforeEach, describe, expect, it } from 'vitest'
import { type Db, rows, sql } from '#db/client.ts'
import { answersMax } from '#db/queries/answer-cache.ts'
import { deleteDocument } from '#db/queries/documents.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion, publishVersion } from '#db/queries/ingest.ts'
import { toVectorLiteral } from '#db/queries/search.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import {
  type AnswerToKeep,
  cacheCounters,
  keepAnswer,
  type LookUp,
  lookUpAnswer,
  observeAnswer,
  purgeAnswers,
  recipeOf,
  sweepAnswers,
} from './cache.ts'
import { measuredPrior } from './cache-policy.ts'

const test = withDatabase()
const settings = defaultGatewaySettings.cache
const noon = new Date('2026-11-21T12:00:00Z')
const later = (seconds: number): Date => new Date(noon.getTime() + seconds * 1_000)

let workspace: TestWorkspace
let db: Db
let source: { documentId: string; versionId: string }

const newDocument = async (name: string) => {
  const versionId = await createScratchDocument(db, workspace.viewers.admin, {
    collectionId: workspace.collectionId,
    name,
  })
  const claim = await claimVersion(db, versionId)
  if (!claim) throw new Error('no claim')
  await publishVersion(db, claim, { chunks: 0, reused: 0 })
  return { documentId: claim.documentId, versionId }
}

beforeEach(async () => {
  db = test.current().db
  workspace = await createTestWorkspace(test.current())
  source = await newDocument('travel.md')
  // One graph serves all workspaces, and equal vectors by the dozen, dead and alive, crowd each other out of it.
  await db.execute(sql`truncate answer_cache cascade`)
})

/** Unit vectors in a plane: the angle sets the cosine. */
const direction = (cosine: number): Float32Array => {
  const vector = new Float32Array(384)
  vector[0] = cosine
  vector[1] = Math.sqrt(1 - cosine * cosine)
  return vector
}
const embedded = (cosine: number, model = measuredPrior.encoder) => ({ vector: direction(cosine), model })

const recipe = (over: Partial<Parameters<typeof recipeOf>[0]> = {}): string =>
  recipeOf({
    workspaceId: workspace.workspaceId,
    access: 'user',
    task: 'answer',
    promptHash: 'p1',
    modelKey: 'openai/x',
    indexVersion: 'i1',
    ...over,
  })

const citation = (over: Partial<Citation> = {}): Citation => ({
  ordinal: 1,
  n: 1,
  ...source,
  chunkId: '7',
  title: 'Travel',
  collection: 'General',
  mediaType: 'text/plain',
  page: null,
  pages: null,
  headingPath: [],
  quote: 'Trains are paid.',
  charStart: 0,
  charEnd: 16,
  rects: [],
  claim: 'Trains are paid.',
  supported: true,
  removed: false,
  ...over,
})

const question = 'How do I book a train?'
const reworded = 'How can I book a train?'

const keep = (over: Partial<AnswerToKeep> = {}) =>
  db.transaction((tx) =>
    keepAnswer(tx, {
      workspaceId: workspace.workspaceId,
      recipe: recipe(),
      question,
      embedded: embedded(1),
      answer: 'Trains are paid. [^1]',
      citations: [citation()],
      sources: [],
      model: 'x-1',
      tokensIn: 900,
      tokensOut: 100,
      costMicros: 1_234,
      complete: true,
      claims: { total: 1, supported: 1 },
      personalData: false,
      degraded: false,
      settings,
      at: noon,
      ...over,
    }),
  )

type Ask = Partial<Parameters<typeof lookUpAnswer>[0]> & { cosine?: number; bound?: number }
const ask = ({ cosine = 1, bound, ...over }: Ask = {}): Promise<LookUp> =>
  lookUpAnswer({
    db,
    settings: { ...settings, ...(bound === undefined ? {} : { wrongHitsMax: bound }) },
    recipe: recipe(),
    question,
    embed: async () => embedded(cosine),
    at: later(60),
    ...over,
  })

const keptCount = async (): Promise<number> => {
  const [found] = await rows<{ count: number }>(
    db,
    sql`select count(*)::int as count from answer_cache where workspace_id = ${workspace.workspaceId}`,
  )
  return found?.count ?? 0
}

describe('an answer', () => {
  it('is given again for the same question, whatever its case, space and last mark', async () => {
    await keep()
    const found = await ask({
      question: '  how do i BOOK a train ',
      embed: () => Promise.reject(new Error('a word for word hit needs no vector')),
    })
    expect(found).toMatchObject({
      level: 'exact',
      similarity: 1,
      ageMs: 60_000,
      entry: {
        question,
        answer: 'Trains are paid. [^1]',
        citations: [citation()],
        model: 'x-1',
        tokensIn: 900,
        tokensOut: 100,
        costMicros: 1_234,
      },
    })
  })

  it('is given to nobody whose recipe differs in any part', async () => {
    await keep()
    for (const part of ['workspaceId', 'access', 'task', 'promptHash', 'modelKey', 'indexVersion'] as const)
      expect(await ask({ recipe: recipe({ [part]: 'other' }) })).toEqual({ level: null, nearest: null })
    expect(recipe({ access: 'ab', task: 'c' })).not.toBe(recipe({ access: 'a', task: 'bc' }))
  })

  it('ends with its time, and with the time that the settings give it today', async () => {
    await keep()
    expect((await ask({ at: later(settings.ttlSeconds - 1) })).level).toBe('exact')
    expect((await ask({ at: later(settings.ttlSeconds) })).level).toBeNull()
    expect((await ask({ settings: { ...settings, ttlSeconds: 60 }, at: later(61) })).level).toBeNull()
    await sweepAnswers(db, later(settings.ttlSeconds - 1))
    expect(await keptCount()).toBe(1)
    await sweepAnswers(db, later(settings.ttlSeconds))
    expect(await keptCount()).toBe(0)
  })

  it('is replaced by a newer one to the same question', async () => {
    await keep()
    await keep({ answer: 'Trains are paid, first class too. [^1]', at: later(10) })
    expect(await keptCount()).toBe(1)
    expect(await ask()).toMatchObject({ entry: { answer: 'Trains are paid, first class too. [^1]' } })
  })

  it('is kept only when it is whole, supported, without personal data and made with everything', async () => {
    const refused: [Partial<AnswerToKeep>, string][] = [
      [{ complete: false }, 'incomplete'],
      [{ answer: '  ' }, 'incomplete'],
      [{ claims: { total: 2, supported: 1 } }, 'unsupported'],
      [{ claims: { total: 0, supported: 0 } }, 'unsupported'],
      [{ claims: { total: Number.NaN, supported: Number.NaN } }, 'unsupported'],
      [{ citations: [] }, 'unsupported'],
      [{ citations: [citation({ supported: false })] }, 'unsupported'],
      [{ citations: [citation({ removed: true })] }, 'unsupported'],
      [{ personalData: true }, 'personal-data'],
      [{ degraded: true }, 'degraded'],
      [{ settings: { ...settings, exact: false, semantic: false } }, 'off'],
      [{ sources: [{ documentId: newId(), versionId: newId() }] }, 'changed'],
      [{ citations: [citation({ versionId: newId() })] }, 'changed'],
    ]
    for (const [over, why] of refused) expect(await keep(over)).toEqual({ kept: false, why })
    expect(await keptCount()).toBe(0)
  })

  it('is not kept when its document belongs to another workspace', async () => {
    const other = await createTestWorkspace(test.current())
    expect(await keep({ workspaceId: other.workspaceId })).toEqual({ kept: false, why: 'changed' })
  })

  it('goes when the workspace is purged, and others stay', async () => {
    await keep()
    const other = await createTestWorkspace(test.current())
    expect(await purgeAnswers(db, other.workspaceId)).toBe(0)
    expect(await purgeAnswers(db, workspace.workspaceId)).toBe(1)
    expect((await ask()).level).toBeNull()
  })

  it('makes room for itself: the oldest of a full workspace goes', async () => {
    await db.execute(sql`
      insert into answer_cache (id, workspace_id, recipe, question, question_hash, answer, citations, model, tokens_in, tokens_out, cost_micros, created_at, expires_at)
      select gen_random_uuid(), ${workspace.workspaceId}, 'full', 'q' || n, 'h' || n, 'a', '[]', 'm', 1, 1, 1,
        ${noon.toISOString()}::timestamptz - make_interval(secs => n), ${later(3_600).toISOString()}::timestamptz
      from generate_series(1, ${answersMax}::int) n`)
    await keep()
    expect(await keptCount()).toBe(answersMax)
    const gone = await rows(
      db,
      sql`select id from answer_cache where workspace_id = ${workspace.workspaceId} and question = ${`q${answersMax}`}`,
    )
    expect(gone).toEqual([])
    expect((await ask()).level).toBe('exact')
  })
})

describe('a near question', () => {
  it('abstains until the answer has earned it, and then hits', async () => {
    const kept = await keep()
    if (!kept.kept) throw new Error(kept.why)
    const near: Ask = { question: reworded, cosine: 0.985, bound: 0.05 }
    const first = await ask(near)
    expect(first).toMatchObject({
      level: null,
      nearest: { answerId: kept.answerId, citations: [citation()] },
    })
    if (first.level !== null || !first.nearest) throw new Error('expected a near miss')
    expect(first.nearest.similarity).toBeCloseTo(0.985, 3)

    for (let time = 0; time < 95; time += 1)
      await observeAnswer(db, kept.answerId, first.nearest.similarity - 0.01, true)
    expect(await ask(near)).toMatchObject({ level: 'semantic', entry: { id: kept.answerId }, ageMs: 60_000 })
    expect((await ask({ ...near, bound: 0.02 })).level).toBeNull()

    for (let time = 0; time < 10; time += 1) await observeAnswer(db, kept.answerId, first.nearest.similarity, false)
    expect((await ask(near)).level).toBeNull()
  })

  it('hits at once where more wrong answers are put up with', async () => {
    await keep()
    expect((await ask({ question: reworded, cosine: 0.995, bound: 0.1 })).level).toBe('semantic')
    expect((await ask({ question: reworded, cosine: 0.9, bound: 0.1 })).level).toBeNull()
  })

  it('is never answered when it differs in a number, a negation, a name or a direction, however near it is', async () => {
    await keep({ question: 'How do I book 2 trains to Paris?' })
    for (const other of [
      'How do I book 3 trains to Paris?',
      'How do I not book 2 trains to Paris?',
      'How do I book 2 trains to Berlin?',
      'How did I book 2 trains to Paris?',
      'Who can book 2 trains to Paris?',
    ])
      expect([other, await ask({ question: other, cosine: 1, bound: 0.2 })]).toEqual([
        other,
        { level: null, nearest: null },
      ])
    expect((await ask({ question: 'How can I book 2 trains to Paris?', bound: 0.2 })).level).toBe('semantic')
  })

  it('passes over a nearer one that differs, for the next that does not', async () => {
    await keep({ question: 'How do I book 2 trains?', embedded: embedded(1) })
    await keep({ question: 'How do I book 3 trains?', embedded: embedded(0.999) })
    const found = await ask({ question: 'How can I book 3 trains?', cosine: 1, bound: 0.2 })
    expect(found).toMatchObject({ level: 'semantic', entry: { question: 'How do I book 3 trains?' } })
  })

  it('is never answered from another recipe, and neither is the own answer starved by many others', async () => {
    for (let at = 0; at < 60; at += 1) await keep({ recipe: recipe({ access: `other ${at}` }), embedded: embedded(1) })
    expect((await ask({ question: reworded, bound: 0.2 })).level).toBeNull()
    await keep({ embedded: embedded(0.995) })
    expect((await ask({ question: reworded, bound: 0.2 })).level).toBe('semantic')
  })

  it('is never answered by vectors of another encoder, nor kept with them', async () => {
    await keep()
    const foreign = { question: reworded, bound: 0.2, embed: async () => embedded(1, 'other@1') }
    expect((await ask(foreign)).level).toBeNull()
    await keep({ embedded: embedded(1, 'other@1') })
    expect((await ask({ question: reworded, bound: 0.2 })).level).toBeNull()
    expect((await ask()).level).toBe('exact')
  })

  it('is not looked for when the settings say so, and neither is the exact one', async () => {
    await keep()
    const near: Ask = { question: reworded, bound: 0.2 }
    const on = { ...settings, wrongHitsMax: 0.2 }
    expect((await ask({ ...near, settings: on })).level).toBe('semantic')
    expect((await ask({ ...near, settings: { ...on, semantic: false } })).level).toBeNull()
    expect((await ask({ settings: { ...on, semantic: false } })).level).toBe('exact')
    expect((await ask({ settings: { ...on, exact: false, semantic: false } })).level).toBeNull()
  })

  it('is found by walking the graph: neither table nor recipe is read through', async () => {
    await db.execute(sql`
      insert into answer_cache (id, workspace_id, recipe, question, question_hash, embedding, answer, citations, model, tokens_in, tokens_out, cost_micros, expires_at)
      select gen_random_uuid(), ${workspace.workspaceId}, ${recipe()}, 'q' || n, 'h' || n,
        (select array_agg(sin(n * d) + cos(n + d * d)) from generate_series(1, 384) d)::float4[]::vector, 'a', '[]', 'm', 1, 1, 1, now() + interval '1 hour'
      from generate_series(1, 2000) n`)
    await db.execute(sql`analyze answer_cache`)
    // The statement as the database keeps it, with its settings, and with its arguments in place of their names.
    const [kept] = await rows<{ body: string; settings: string[] }>(
      db,
      sql`select prosrc as body, proconfig as settings from pg_proc where proname = 'near_answers'`,
    )
    if (!kept) throw new Error('no such function')
    const statement = kept.body
      .replaceAll('"near"', `'${toVectorLiteral(direction(1))}'::vector`)
      .replaceAll('"wanted"', `'${recipe()}'`)
      .replaceAll('"living_at"', 'now()')
      .replaceAll('"made_after"', `now() - interval '1 hour'`)
      .replaceAll('"most"', '5')
    const plan = await db.transaction(async (tx) => {
      for (const setting of kept.settings) {
        const [name, value] = setting.split('=')
        await tx.execute(sql`select set_config(${name}, ${value}, true)`)
      }
      return rows<Record<'QUERY PLAN', string>>(tx, sql.raw(`explain ${statement}`))
    })
    const text = plan.map((line) => line['QUERY PLAN']).join('\n')
    expect(text).toContain('Index Scan using answer_cache_embedding on answer_cache')
    expect(text).not.toMatch(/Seq Scan on answer_cache\b|answer_cache_exact|Sort Key: \(\(a\.embedding/)
  })
})

describe('a document that an answer rests on', () => {
  beforeEach(async () => {
    await keep()
    expect(await keptCount()).toBe(1)
  })

  it('takes it away when it is deleted, in the same transaction', async () => {
    await db
      .transaction(async (tx) => {
        await deleteDocument(tx, workspace.viewers.admin, source.documentId)
        throw new Error('rolled back')
      })
      .catch(() => undefined)
    expect(await keptCount()).toBe(1)
    await db.transaction((tx) => deleteDocument(tx, workspace.viewers.admin, source.documentId))
    expect(await keptCount()).toBe(0)
  })

  it('takes it away when another version is published', async () => {
    await db.execute(sql`update documents set published_version_id = ${newId()} where id = ${source.documentId}`)
    expect(await keptCount()).toBe(0)
  })

  it('takes it away when it moves to another collection', async () => {
    const other = newId()
    await db.execute(
      sql`insert into collections (id, workspace_id, name) values (${other}, ${workspace.workspaceId}, 'Closed')`,
    )
    await db.execute(sql`update documents set collection_id = ${other} where id = ${source.documentId}`)
    expect(await keptCount()).toBe(0)
  })

  it('takes it away when it was read and not cited', async () => {
    const read = await newDocument('read.md')
    await keep({ question: 'Who books trains?', sources: [read] })
    expect(await keptCount()).toBe(2)
    await db.execute(sql`delete from documents where id = ${read.documentId}`)
    expect(await keptCount()).toBe(1)
  })

  it('leaves it when nothing of this changes, and when it is another document', async () => {
    await db.execute(
      sql`update documents set name = 'renamed.md', published_version_id = published_version_id, collection_id = collection_id where id = ${source.documentId}`,
    )
    const other = await newDocument('other.md')
    await db.execute(sql`delete from documents where id = ${other.documentId}`)
    expect(await keptCount()).toBe(1)
  })
})

describe('the cache', () => {
  it('is a miss when the encoder or the database does not answer', async () => {
    await keep()
    const failedBefore = cacheCounters().failed
    expect(await ask({ question: reworded, embed: () => Promise.reject(new Error('no encoder')) })).toEqual({
      level: null,
      nearest: null,
    })
    const broken = { execute: () => Promise.reject(new Error('no database')) } as unknown as Db
    expect(await ask({ db: broken })).toEqual({ level: null, nearest: null })
    await observeAnswer(broken, newId(), 0.9, true)
    expect(cacheCounters().failed).toBe(failedBefore + 2)
  })

  it('drops an observation of an answer that is gone, and numbers off the scale', async () => {
    const before = cacheCounters()
    await observeAnswer(db, newId(), 0.9, true)
    await observeAnswer(db, newId(), Number.NaN, true)
    await observeAnswer(db, newId(), 2, true)
    expect(await rows(db, sql`select id from answer_cache_observations where similarity > 1.5`)).toEqual([])
    expect(cacheCounters().observed).toBe(before.observed + 1)
  })

  it('counts what it did', async () => {
    await keep()
    const before = cacheCounters()
    await ask()
    await ask({ question: reworded, cosine: 0.98 })
    await ask({ question: 'Who pays for lunch?', cosine: 0 })
    const after = cacheCounters()
    expect([after.exact - before.exact, after.abstained - before.abstained, after.missed - before.missed]).toEqual([
      1, 1, 1,
    ])
  })
})
