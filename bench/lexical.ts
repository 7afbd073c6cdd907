/**
 * The lexical leg against PostgreSQL's own ranking: `node bench/lexical.ts DIR...`, folders in BEIR layout. Both search the same
 * texts, each a passage by itself, in one embedded database: ours over its postings with everything it decides (access, quarantine),
 * `ts_rank` and `ts_rank_cd` over a column with a GIN index, the question's words as alternatives, in every normalisation. Questions go
 * round by round to each in turn. Printed are nDCG@10 and the time of a search.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { closeDatabase, database, holdDatabase, rows } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { createScratchDocument, listChunkDocuments } from '#db/queries/evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { searchLexical } from '#db/queries/search.ts'
import { mean, ndcg, percentile } from '#lib/evals/metrics.ts'
import { detectLanguage, textConfigOf } from '#lib/language.ts'
import { newId } from '#lib/shared/ids.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { printMachine, printRows, type Row } from './report.ts'

const depth = 60
/** Bits of ts_rank's normalisation: none, the logarithm of the length, the length, unique words, its logarithm, and of the rank. */
const normalisations = [0, 1, 2, 8, 16, 32, 1 | 32]
/** Every so many questions are timed and counted in the search for the best normalisation; all of them for it. */
const sampleOf = 4

const document = z.object({ _id: z.coerce.string(), title: z.string().default(''), text: z.string() })
const question = z.object({ _id: z.coerce.string(), text: z.string() })
type Question = z.output<typeof question>

const readLines = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => schema.parse(JSON.parse(line)))

const readGrades = async (path: string): Promise<Map<string, Map<string, number>>> => {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(1)
  const judged = lines.map((line) => line.trim().split('\t')).filter(([, id]) => id)
  return new Map(
    [...Map.groupBy(judged, ([asked = '']) => asked)].map(([asked, all]) => [
      asked,
      new Map(all.map(([, id = '', grade]) => [id, Number(grade)])),
    ]),
  )
}

const fill = async (dir: string, viewer: Viewer): Promise<string> => {
  const { db } = database()
  const collectionId = await upsertCollection(db, viewer, { id: newId(), name: 'Bench' })
  const corpus = await readLines(join(dir, 'corpus.jsonl'), document)
  const language = detectLanguage(
    corpus
      .slice(0, 20)
      .map(({ text }) => text)
      .join('\n'),
  )
  for (const { _id, title, text: body } of corpus) {
    const text = [title, body].filter(Boolean).join('\n')
    const claim = await claimVersion(db, await createScratchDocument(db, viewer, { collectionId, name: _id }))
    if (!claim) throw new Error('no claim')
    await db.execute(sql`update document_versions set language = ${language} where id = ${claim.versionId}`)
    const chunk = { ordinal: 0, text, charStart: 0, charEnd: text.length, headingPath: [], context: '' }
    const rest = {
      pageFrom: null,
      pageTo: null,
      tokens: estimateTokens(text),
      contentHash: newId(),
      vector: null,
      language,
    }
    await insertChunks(db, claim, 'none', [{ ...chunk, ...rest }])
    await publishVersion(db, claim, { chunks: 1, reused: 0 })
  }
  await db.execute(sql.raw(`alter table chunks add column words tsvector`))
  await db.execute(sql`update chunks set words = to_tsvector(${textConfigOf(language)}::regconfig, text)`)
  await db.execute(sql`create index chunks_words on chunks using gin (words)`)
  await analyzeWhenGrown(db)
  await db.execute(sql`analyze chunks`)
  return textConfigOf(language)
}

type Search = (text: string) => Promise<readonly { chunkId: number }[]>

const ranked =
  (rank: 'ts_rank' | 'ts_rank_cd', { config, normalisation }: { config: string; normalisation: number }): Search =>
  (text) =>
    rows(
      database().db,
      sql`select id::int as "chunkId" from chunks, (
          select replace(plainto_tsquery(${config}::regconfig, ${text})::text, '&', '|')::tsquery as asked) q
        where words @@ asked order by ${sql.raw(rank)}(words, asked, ${normalisation}::int) desc, id limit ${depth}`,
    )

type Measured = { ndcg10: number; ms: number[] }

const measure = async (
  searches: ReadonlyMap<string, Search>,
  {
    questions,
    grades,
    names,
  }: { questions: readonly Question[]; grades: Map<string, Map<string, number>>; names: Map<number, string> },
): Promise<Map<string, Measured>> => {
  const scores = new Map([...searches.keys()].map((name) => [name, { all: [] as number[], ms: [] as number[] }]))
  for (const { _id, text } of questions)
    for (const [name, search] of searches) {
      const startedMs = performance.now()
      const found = await search(text)
      const own = scores.get(name)
      own?.ms.push(performance.now() - startedMs)
      const ids = found.flatMap(({ chunkId }) => names.get(chunkId) ?? [])
      own?.all.push(ndcg(ids, grades.get(_id) ?? new Map(), 10))
    }
  return new Map([...scores].map(([name, { all, ms }]) => [name, { ndcg10: mean(all), ms }]))
}

const benchOf = async (dir: string): Promise<Row[]> => {
  holdDatabase(await openMemoryDatabase())
  try {
    const viewer: Viewer = {
      userId: newId(),
      workspaceId: newId(),
      role: 'admin',
      name: 'Bench',
      email: 'b@scratch.local',
    }
    await createWorkspace(database().db, { id: viewer.workspaceId, name: 'Bench' })
    await upsertAccount(database().db, { ...viewer, passwordHash: '' })
    const config = await fill(dir, viewer)
    const grades = await readGrades(join(dir, 'qrels.tsv'))
    const questions = (await readLines(join(dir, 'queries.jsonl'), question)).filter(({ _id }) => grades.has(_id))
    const names = await listChunkDocuments(database().db, viewer)
    const all = { grades, names }
    const theirs = new Map(
      (['ts_rank', 'ts_rank_cd'] as const).flatMap((rank) =>
        normalisations.map((normalisation): [string, Search] => [
          `${rank} ${normalisation}`,
          ranked(rank, { config, normalisation }),
        ]),
      ),
    )
    const sample = questions.filter((_, at) => at % sampleOf === 0)
    const tried = [...(await measure(theirs, { ...all, questions: sample }))].sort((a, b) => b[1].ndcg10 - a[1].ndcg10)
    const bestName = tried[0]?.[0] ?? ''
    const best = theirs.get(bestName) ?? ranked('ts_rank', { config, normalisation: 1 })
    const ours: Search = (text) => searchLexical(database().db, text, { viewer, collectionIds: [], limit: depth })
    const both = await measure(
      new Map([
        ['ours', ours],
        ['theirs', best],
      ]),
      { ...all, questions },
    )
    const [own, other] = [both.get('ours'), both.get('theirs')]
    if (!own || !other) throw new Error('nothing was measured')
    return [
      {
        set: `${basename(dirname(resolve(dir)))}/${basename(resolve(dir))}`,
        passages: names.size,
        questions: questions.length,
        'BM25 nDCG': own.ndcg10.toFixed(4),
        best: bestName,
        'its nDCG': other.ndcg10.toFixed(4),
        ratio: (own.ndcg10 / other.ndcg10).toFixed(2),
        'BM25 p50 ms': percentile(own.ms, 0.5).toFixed(1),
        'its p50 ms': percentile(other.ms, 0.5).toFixed(1),
        'time ratio': (percentile(own.ms, 0.5) / percentile(other.ms, 0.5)).toFixed(2),
      },
    ]
  } finally {
    await closeDatabase()
  }
}

const dirs = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
if (dirs.length === 0) {
  process.stderr.write(
    'node bench/lexical.ts DIR... [--json]; folders with corpus.jsonl, queries.jsonl and qrels.tsv\n',
  )
  process.exit(2)
}
printMachine(['@electric-sql/pglite'])
const table: Row[] = []
for (const dir of dirs)
  if (existsSync(join(dir, 'corpus.jsonl'))) table.push(...(await benchOf(dir)))
  else process.stderr.write(`${dir}: not there\n`)
printRows(table)
