import { readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import { beforeAll, describe, expect, it } from 'vitest'
import { textConfigOf } from '#lib/language.ts'
import { newId } from '#lib/shared/ids.ts'
import { sentences } from '#lib/shared/text.ts'
import { type Executor, rows } from '../client.ts'
import { demoQuestions } from '../demo/questions.ts'
import { collectionGrants } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { ensureVectorIndex } from './embedding-indexes.ts'
import { createScratchDocument } from './evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from './ingest.ts'
import { analyzeWhenGrown } from './lexical-index.ts'
import { getCosines, searchLexical, searchVector, toVectorLiteral } from './search.ts'

const test = withDatabase()

type Planted = {
  texts: readonly string[]
  language?: string
  collectionId?: string
  model?: string
  vectors?: readonly Float32Array[]
}

const plant = async (workspace: TestWorkspace, planted: Planted): Promise<string> => {
  const { db } = test.current()
  const { texts, language = 'en', collectionId = workspace.collectionId, model = 'none', vectors = [] } = planted
  const versionId = await createScratchDocument(db, workspace.viewers.admin, { collectionId, name: newId() })
  const claim = await claimVersion(db, versionId)
  if (!claim) throw new Error('no claim')
  await db.execute(sql`update document_versions set language = ${language} where id = ${versionId}`)
  const chunk = { charStart: 0, headingPath: [], context: '', pageFrom: null, pageTo: null, tokens: 20, language }
  await insertChunks(
    db,
    claim,
    model,
    texts.map((text, ordinal) => {
      const vector = vectors[ordinal]
      const literal = vector ? toVectorLiteral(vector) : null
      return { ...chunk, ordinal, text, charEnd: text.length, contentHash: newId(), vector: literal }
    }),
  )
  await publishVersion(db, claim, { chunks: texts.length, reused: 0 })
  return claim.documentId
}

const termsOf = async (language: string, text: string): Promise<Record<string, number>> => {
  const found = await rows<{ term: string; frequency: number }>(
    test.current().db,
    sql`select term, frequency from terms(${language}, ${text})`,
  )
  return Object.fromEntries(found.map(({ term, frequency }) => [term, frequency]))
}

describe('the terms of a text', () => {
  it('have identifiers, codes and numbers whole, in small letters, and in parts', async () => {
    const terms = await termsOf('en', 'ERR_CONN_RESET of foo.bar, HP-4010, v3.2.1, C++, 10,000 and getUserName.')
    expect(Object.keys(terms)).toEqual(
      expect.arrayContaining(['err_conn_reset', 'conn', 'foo.bar', 'bar', 'hp-4010', '4010', 'v3.2.1', 'c++', '10000']),
    )
    expect(Object.keys(terms)).toEqual(expect.arrayContaining(['getusernam', 'user', 'name']))
  })

  it('are stems of the language, which every language that has stems here has', async () => {
    expect(await termsOf('en', 'Rotations of the rotated keys')).toEqual({ rotat: 2, key: 1 })
    expect(await termsOf('und', 'Rotations of keys')).toEqual({ rotations: 1, of: 1, keys: 1 })
    const text = 'Die Häuser were running desde большие города'
    for (const language of ['de', 'es', 'fr', 'ru', 'tr', 'hu', 'fi', 'id', 'el', 'xx']) {
      const [own] = await rows<{ lexemes: string[] }>(
        test.current().db,
        sql`select tsvector_to_array(to_tsvector(${textConfigOf(language)}::regconfig, ${text})) as lexemes`,
      )
      expect(Object.keys(await termsOf(language, text)).sort()).toEqual(own?.lexemes.toSorted())
    }
  })

  it('are pairs of characters where words are not set apart, and the rest of the line stays as it is', async () => {
    expect(await termsOf('zh', '我喜欢学习，NBA 水')).toEqual({ 我喜: 1, 喜欢: 1, 欢学: 1, 学习: 1, nba: 1, 水: 1 })
    expect(await termsOf('th', 'กขค')).toEqual({ กข: 1, ขค: 1 })
    // Wide letters, a ligature and a soft hyphen are what they look like.
    expect(await termsOf('en', 'ＡＢＣ ﬁnal so\u00adft')).toEqual({ abc: 1, final: 1, soft: 1 })
  })
})

describe('a search by words', () => {
  const find = (workspace: TestWorkspace, question: string) =>
    searchLexical(test.current().db, question, { viewer: workspace.viewers.member, collectionIds: [], limit: 10 })
  const textsOf = async (workspace: TestWorkspace, question: string): Promise<string[]> => {
    const found = await find(workspace, question)
    const texts = await rows<{ id: number; text: string }>(
      test.current().db,
      sql`select id::int as id, text from chunks where workspace_id = ${workspace.workspaceId}`,
    )
    return found.map(({ chunkId }) => texts.find(({ id }) => id === chunkId)?.text ?? '')
  }

  it('finds a code exactly as it is typed before what shares a part with it', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, {
      texts: ['Connection reset; err on the line, conn lost.', 'Seen: ERR_CONN_RESET in the log.'],
    })
    expect((await textsOf(workspace, 'What does ERR_CONN_RESET mean?'))[0]).toContain('Seen')
  })

  it('understands a question in the languages of the passages, and passes over what is common in its own', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: ['The signing keys are rotated by the platform team.'] })
    await plant(workspace, { texts: ['Die Schlüssel werden alle neunzig Tage gewechselt.'], language: 'de' })
    await plant(workspace, { texts: ['密钥每九十天轮换一次。'], language: 'zh' })
    expect(await textsOf(workspace, 'Wie oft wird der Schlüssel gewechselt?')).toEqual([
      'Die Schlüssel werden alle neunzig Tage gewechselt.',
    ])
    expect(await textsOf(workspace, '密钥多久轮换一次？')).toEqual(['密钥每九十天轮换一次。'])
    expect(await textsOf(workspace, 'Who rotates the key?')).toEqual([
      'The signing keys are rotated by the platform team.',
    ])
  })

  it('finds what may be seen behind any number of better passages that may not', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { db } = test.current()
    const hidden = await plant(workspace, { texts: Array.from({ length: 700 }, () => 'Belt, belt and belt.') })
    await plant(workspace, { texts: ['A belt among many other things that are spoken of here at some length.'] })
    await db.execute(sql`update documents set published_version_id = null where id = ${hidden}`)
    expect(await find(workspace, 'belt')).toHaveLength(1)
  })

  it('gives what adding up all postings gives, of what may be seen', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { db } = test.current()
    const { workspaceId } = workspace
    const texts = await Promise.all(
      ['security-policy.md', 'expenses-faq.txt', 'source/handbook.md'].map((name) =>
        readFile(new URL(`../demo/${name}`, import.meta.url), 'utf8'),
      ),
    )
    const known = texts.flatMap((text) => sentences(text).map(({ start, end }) => text.slice(start, end)))
    // Words of one sentence stand in several passages, and one word in so many that it tells nothing.
    const passages = Array.from({ length: 240 }, (_, at) =>
      ['Item:', ...[1, 7, 31].map((step) => known[(at * step) % known.length])].join(' '),
    )
    const hidden = await plant(workspace, { texts: passages.slice(0, 80) })
    await plant(workspace, { texts: passages.slice(80) })
    await db.execute(sql`update documents set published_version_id = null where id = ${hidden}`)
    for (const question of ['Which item is it, and who approves it?', ...demoQuestions.map((one) => one.question)]) {
      const wanted = await rows<{ chunkId: number; score: number }>(
        db,
        sql`
        with asked as (
          select term, max(frequency) * ln(1 + (greatest(n, count(*)) - count(*) + 0.5) / (count(*) + 0.5))::float8 as rarity, count(*) as chunks, n
          from terms('en', ${question}) t join postings p using (term) cross join (select chunks as n from lexical_stats where workspace_id = ${workspaceId}) stats
          where p.workspace_id = ${workspaceId} group by term, n
        )
        select c.id::int as "chunkId", sum(rarity * p.weight) as score
        from asked join postings p using (term) join chunks c on c.id = p.chunk_id join documents d on d.published_version_id = c.version_id
        where p.workspace_id = ${workspaceId} and asked.chunks <= greatest(200, 0.3 * n)
        group by c.id order by round(sum(rarity * p.weight)::numeric, 9) desc, c.id limit 60`,
      )
      const found = await searchLexical(db, question, {
        viewer: workspace.viewers.member,
        collectionIds: [],
        limit: 60,
      })
      const rounded = ({ chunkId, score }: { chunkId: number; score: number }) => ({ chunkId, score: score.toFixed(9) })
      expect(found.map(rounded)).toEqual(wanted.map(rounded))
      expect(wanted.length).toBeGreaterThan(0)
    }
  })

  it('reads postings from their index alone once they have settled', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { db } = test.current()
    await plant(workspace, { texts: ['A belt and a buckle.'] })
    // As of thousands of passages.
    await db.execute(sql`
      insert into postings (chunk_id, workspace_id, term, weight)
      select id, workspace_id, 'n' || n, 1 from chunks, generate_series(1, 10000) n where workspace_id = ${workspace.workspaceId}`)
    const plan = () => {
      const explaining = {
        execute: (statement: Parameters<Executor['execute']>[0]) => db.execute(sql`explain (analyze) ${statement}`),
      }
      const scope = { viewer: workspace.viewers.member, collectionIds: [], limit: 10, breadth: 'all' as const }
      return searchLexical(explaining as Executor, 'belt', scope).then((lines) => JSON.stringify(lines))
    }
    expect(await plan()).toMatch(/Heap Fetches: [1-9]/)
    await analyzeWhenGrown(db)
    expect(await plan()).toMatch(/postings_search.*Heap Fetches: 0/)
    // On a server another session may still need the old rows of a page; the server's own vacuum comes back to it.
    if (test.current().mode === 'embedded') expect(await plan()).not.toMatch(/Heap Fetches: [1-9]/)
  })

  it('says what all of the question would score, so that one common word of it is seen to be little', async () => {
    const workspace = await createTestWorkspace(test.current())
    await plant(workspace, { texts: ['The belt is blue.', 'Nothing of it.'] })
    const [only] = await find(workspace, 'When was the cathedral near the belt consecrated?')
    expect(only?.score).toBeGreaterThan(0)
    expect(only?.whole).toBeGreaterThan(3 * (only?.score ?? 0))
  })
})

describe('a search by vectors', () => {
  const model = `tiny-${newId()}@1`
  const dimensions = 8
  const many = 5_000
  let workspace: TestWorkspace
  let elsewhere: string

  /** Directions that go round and round: the same in every run. */
  const direction = (seed: number): Float32Array => {
    const numbers = Float32Array.from({ length: dimensions }, (_, at) => Math.sin(seed * (at + 1) * 0.7) + 0.01 * at)
    const length = Math.hypot(...numbers)
    return numbers.map((value) => value / length)
  }
  const scope = () => ({ viewer: workspace.viewers.member, collectionIds: [], limit: 60, model, vector: direction(3) })

  beforeAll(async () => {
    const { db } = test.current()
    workspace = await createTestWorkspace(test.current())
    await ensureVectorIndex(db, model, dimensions)
    const documentId = await plant(workspace, { texts: ['One of many.'] })
    // Passages as ingestion would write them, without its postings.
    await db.execute(sql`
      insert into chunks (workspace_id, document_id, version_id, ordinal, text, char_start, char_end, heading_path, context, tokens, content_hash)
      select workspace_id, document_id, version_id, n, text, 0, 10, '{}', '', 5, 'many-' || n
      from chunks, generate_series(1, ${many}) n where document_id = ${documentId} and ordinal = 0`)
    await db.execute(sql`
      insert into chunk_vectors (chunk_id, model, workspace_id, document_id, version_id, embedding)
      select c.id, ${model}, c.workspace_id, c.document_id, c.version_id, (
        select l2_normalize(array_agg(sin(c.ordinal * d * 0.7) + 0.01 * (d - 1) order by d)::vector) from generate_series(1, ${dimensions}) d)
      from chunks c where c.document_id = ${documentId} and c.ordinal > 0`)
    elsewhere = newId()
    await db.execute(
      sql`insert into collections (id, workspace_id, name) values (${elsewhere}, ${workspace.workspaceId}, 'Elsewhere')`,
    )
    await db.insert(collectionGrants).values({
      id: newId(),
      workspaceId: workspace.workspaceId,
      collectionId: elsewhere,
      subject: 'workspace',
      subjectId: workspace.workspaceId,
      level: 'read',
    })
    // The only one of its collection, of its language and with its tag, and as far from what is asked for as can be.
    const only = direction(3).map((value) => -value)
    const onlyId = await plant(workspace, {
      texts: ['Die einzige.'],
      language: 'de',
      collectionId: elsewhere,
      model,
      vectors: [only],
    })
    await db.execute(sql`update documents set tags = '{rare}' where id = ${onlyId}`)
    await db.execute(sql`analyze chunks, chunk_vectors, documents, document_versions`)
  })

  it('walks the graph and does not measure every vector', async () => {
    const { db } = test.current()
    const explaining = {
      execute: (statement: Parameters<Executor['execute']>[0]) => db.execute(sql`explain ${statement}`),
    }
    const plan = await searchVector(explaining as Executor, { ...scope(), breadth: 'all' })
    expect(JSON.stringify(plan)).toContain('using chunk_vectors_')
  })

  it.each([
    ['a collection', () => ({ collectionIds: [elsewhere] })],
    ['a language', () => ({ filter: { languages: ['de'] } })],
    ['a tag', () => ({ filter: { tags: ['rare'] } })],
  ])('finds the one passage among thousands that %s leaves', async (_, narrowed) => {
    const { db } = test.current()
    const found = await searchVector(db, { ...scope(), ...narrowed() })
    expect(found).toHaveLength(1)
    expect(found[0]?.score).toBeCloseTo(-1, 3)
    const words = await searchLexical(db, 'einzige', { ...scope(), ...narrowed() })
    expect(words.map(({ chunkId }) => chunkId)).toEqual(found.map(({ chunkId }) => chunkId))
  })

  it('finds all that a wide filter leaves as well', async () => {
    const filter = { mediaTypes: ['text/plain'] }
    const nearest: number[] = []
    for (let n = 3; n < 13; n++) {
      const found = await searchVector(test.current().db, { ...scope(), vector: direction(n), filter })
      expect(found).toHaveLength(60)
      nearest.push(found[0]?.score ?? 0)
    }
    // The graph is another each time that it is made, and may miss one.
    expect(nearest.filter((score) => score > 0.999).length).toBeGreaterThanOrEqual(8)
  })

  it('looks at as many candidates as it is told, for that search alone', async () => {
    const { db } = test.current()
    const found = await db.transaction(async (tx) => {
      // Without going on, the walk returns no more than its candidates.
      await tx.execute(sql`set local hnsw.iterative_scan = off`)
      const usual = await searchVector(tx, scope())
      return { usual, few: await searchVector(tx, { ...scope(), efSearch: 12 }) }
    })
    expect(found.few).toHaveLength(12)
    expect(found.usual).toHaveLength(60)
    expect(await rows(db, sql`select current_setting('hnsw.ef_search') as ef`)).toEqual([{ ef: '100' }])
  })

  it('tells the cosine of what was found by something else, and of nothing that may not be seen', async () => {
    const { db } = test.current()
    const [first, second] = await searchVector(db, scope())
    if (!first || !second) throw new Error('nothing was found')
    const asked = { model, vector: scope().vector, chunkIds: [first.chunkId, second.chunkId] }
    const cosines = await getCosines(db, workspace.viewers.member, asked)
    expect(cosines.get(second.chunkId)).toBeCloseTo(second.score, 6)
    const stranger = await createTestWorkspace(test.current())
    expect((await getCosines(db, stranger.viewers.member, asked)).size).toBe(0)
  })
})
