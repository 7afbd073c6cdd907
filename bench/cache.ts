/**
 * The answer cache: how long a look-up takes as the cache grows, beside two ways that need no index; and, with a folder of labelled
 * pairs of questions, how often its answers would have been right.
 *
 *   node bench/cache.ts               look-ups at 1,000 and 10,000 entries; BENCH_FULL=1 adds 100,000
 *                                     (BENCH_DATABASE_URL: on a server, in an empty database)
 *   node bench/cache.ts DIR           the same, then DIR/pairs.jsonl ({"a", "b", "same"}) replayed as a stream
 *   node bench/cache.ts DIR --fit     prints the prior of lib/gateway/cache-policy.ts, measured on one half of the pairs
 *   node bench/cache.ts DIR --replay  the stream alone, on the other half
 */
import './scratch.ts'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { closeDatabase, type Database, database, holdDatabase, rows, sql } from '#db/client.ts'
import { openMemoryDatabase, openServerDatabase } from '#db/open.ts'
import { findNearAnswers } from '#db/queries/answer-cache.ts'
import { createWorkspace } from '#db/queries/people.ts'
import { toVectorLiteral } from '#db/queries/search.ts'
import { percentile } from '#lib/evals/index.ts'
import { chooseAnswer } from '#lib/gateway/cache.ts'
import { findDifference, isComparable, isSameWording, normalisedQuestion } from '#lib/gateway/cache-guards.ts'
import {
  certaintyOf,
  fitPrior,
  measuredPrior,
  type Observation,
  similarityMin,
  wrongShareLimit,
} from '#lib/gateway/cache-policy.ts'
import { closeGateway, embed, embeddingModel } from '#lib/gateway/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { printMachine, printRows, type Row } from './report.ts'

const dimensions = 384
const near = 5

/** A linear congruential generator (Numerical Recipes): the same vectors on every run. */
const random = (() => {
  let state = 11
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
})()
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

const unit = (vector: Float32Array): Float32Array => {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}
const around = (middle: Float32Array, spread: number): Float32Array =>
  unit(middle.map((value) => value + (spread * normal()) / Math.sqrt(dimensions)))
const anywhere = (): Float32Array => unit(Float32Array.from({ length: dimensions }, normal))

const dotAt = (all: Float32Array, from: number, vector: Float32Array): number => {
  let sum = 0
  for (let at = 0; at < dimensions; at += 1) sum += (all[from + at] ?? 0) * (vector[at] ?? 0)
  return sum
}

// --- Look-ups

const perCluster = 20
const lookUpsPerRound = 40
const rounds = 6

/** Questions come in clusters, as people ask about the same things; a look-up is near one of them. */
const makeVectors = (count: number): Float32Array => {
  const all = new Float32Array(count * dimensions)
  let middle = anywhere()
  for (let at = 0; at < count; at += 1) {
    if (at % perCluster === 0) middle = anywhere()
    all.set(around(middle, 0.6), at * dimensions)
  }
  return all
}

const recipe = 'bench'

const fill = async ({ db }: Database, workspaceId: string, all: Float32Array): Promise<void> => {
  await db.execute(sql.raw('truncate answer_cache cascade'))
  // Built at once after the rows: row by row, 100,000 take the better part of an hour on the embedded database.
  await db.execute(sql.raw('drop index answer_cache_embedding'))
  const count = all.length / dimensions
  const batch = 500
  for (let from = 0; from < count; from += batch) {
    const values = Array.from({ length: Math.min(batch, count - from) }, (_, i) => {
      const at = from + i
      const vector = toVectorLiteral(all.subarray(at * dimensions, (at + 1) * dimensions))
      return sql`(${newId()}::uuid, ${workspaceId}::uuid, ${recipe}, ${`Question ${at}?`}, ${`hash-${at}`}, ${vector}::vector,
        ${'An answer. '.repeat(40)}, '[]'::jsonb, 'bench', 1000, 200, 100, now() + interval '30 days')`
    })
    await db.execute(sql`insert into answer_cache
      (id, workspace_id, recipe, question, question_hash, embedding, answer, citations, model, tokens_in, tokens_out, cost_micros, expires_at)
      values ${sql.join(values, sql`, `)}`)
  }
  await db.transaction(async (tx) => {
    await tx.execute(sql.raw("set local maintenance_work_mem = '512MB'"))
    await tx.execute(
      sql.raw(
        'create index answer_cache_embedding on answer_cache using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64)',
      ),
    )
  })
  await db.execute(sql.raw('analyze answer_cache'))
}

const flatScan = (all: Float32Array, vector: Float32Array): number[] => {
  const best: { at: number; cosine: number }[] = []
  for (let at = 0; at < all.length / dimensions; at += 1) {
    const cosine = dotAt(all, at * dimensions, vector)
    const last = best.at(-1)
    if (best.length === near && last && cosine <= last.cosine) continue
    best.push({ at, cosine })
    best.sort((a, b) => b.cosine - a.cosine)
    if (best.length > near) best.pop()
  }
  return best.map(({ at }) => at)
}

/**
 * What the tutorial's cache does, without Redis: list the keys, then for each key one round trip that brings an entry as JSON, parsed
 * and compared. The round trip is one turn of this process's event loop, so the real one, over a socket, is slower than this.
 */
const keysScan = async (stored: ReadonlyMap<string, string>, vector: Float32Array): Promise<number> => {
  let best = -1
  for (const key of [...stored.keys()]) {
    const text = await new Promise<string>((resolve) => setImmediate(() => resolve(stored.get(key) ?? '')))
    const { embedding } = JSON.parse(text) as { embedding: number[] }
    let sum = 0
    for (let at = 0; at < dimensions; at += 1) sum += (embedding[at] ?? 0) * (vector[at] ?? 0)
    best = Math.max(best, sum)
  }
  return best
}

const timed = async (work: () => Promise<unknown> | unknown): Promise<number> => {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}
const median = (values: readonly number[]): number => percentile([...values], 0.5)

const measureLookUps = async (open: Database, count: number): Promise<{ row: Row; ms: number }> => {
  const workspaceId = newId()
  await createWorkspace(open.db, { id: workspaceId, name: `Bench ${count}` })
  const all = makeVectors(count)
  const filledMs = await timed(() => fill(open, workspaceId, all))
  const stored = new Map<string, string>()
  for (let at = 0; at < count; at += 1)
    stored.set(
      `cache:${at}`,
      JSON.stringify({
        query: `Question ${at}?`,
        response: 'An answer. '.repeat(40),
        embedding: Array.from(all.subarray(at * dimensions, (at + 1) * dimensions)),
      }),
    )
  const search = { recipe, at: new Date(), ttlSeconds: 3_600, limit: near }
  const ours: number[] = []
  const flat: number[] = []
  const keys: number[] = []
  const oursToFlat: number[] = []
  const keysToOurs: number[] = []
  let shared = 0
  let looked = 0
  for (let round = 0; round <= rounds; round += 1) {
    const roundOurs: number[] = []
    const roundFlat: number[] = []
    for (let turn = 0; turn < lookUpsPerRound; turn += 1) {
      const from = Math.floor(random() * count) * dimensions
      const vector = around(all.subarray(from, from + dimensions), 0.3)
      let found: { question: string }[] = []
      let flatFound: number[] = []
      roundOurs.push(await timed(async () => (found = await findNearAnswers(open.db, { ...search, vector }))))
      roundFlat.push(await timed(() => (flatFound = flatScan(all, vector))))
      looked += 1
      // Of what is given, only the first counts.
      if (found[0]?.question === `Question ${flatFound[0]}?`) shared += 1
    }
    const roundKeys = await timed(() => keysScan(stored, anywhere()))
    // The first round warms caches and compilers.
    if (round === 0) continue
    ours.push(...roundOurs)
    flat.push(...roundFlat)
    keys.push(roundKeys)
    oursToFlat.push(median(roundOurs) / median(roundFlat))
    keysToOurs.push(roundKeys / median(roundOurs))
  }
  const ms = median(ours)
  return {
    ms,
    row: {
      entries: count,
      'look-up p50 ms': ms.toFixed(2),
      'p95 ms': percentile(ours, 0.95).toFixed(2),
      'flat scan ms': median(flat).toFixed(2),
      'look-up / flat': median(oursToFlat).toFixed(2),
      'KEYS scan ms': median(keys).toFixed(0),
      'KEYS / look-up': median(keysToOurs).toFixed(0),
      'nearest found': (shared / looked).toFixed(3),
      'filled in s': (filledMs / 1_000).toFixed(0),
    },
  }
}

const benchLookUps = async (): Promise<void> => {
  const server = process.env.BENCH_DATABASE_URL
  const open = holdDatabase(server ? await openServerDatabase(server) : await openMemoryDatabase())
  const [used] = await rows(open.db, sql`select id from workspaces limit 1`)
  if (used)
    throw new Error('BENCH_DATABASE_URL must name an empty database: its kept answers are deleted again and again')
  const sizes = [1_000, 10_000, ...(process.env.BENCH_FULL === '1' ? [100_000] : [])]
  const results = []
  for (const size of sizes) results.push({ size, ...(await measureLookUps(open, size)) })
  console.log(`Look-ups of the ${near} nearest, without embedding, on the ${open.mode} database`)
  printRows(results.map(({ row }) => row))
  for (const [at, { size, ms }] of results.entries()) {
    const before = results[at - 1]
    if (before) console.log(`t(${size}) / t(${before.size}) = ${(ms / before.ms).toFixed(2)}`)
  }
  const [plan] = await rows<{ version: string }>(database().db, sql`select version() as version`)
  console.log(plan?.version.split(' on ')[0] ?? '')
  await closeDatabase()
}

// --- The stream of labelled pairs

type LabelledPair = { a: string; b: string; same: boolean }

const readPairs = async (folder: string): Promise<LabelledPair[] | null> => {
  const path = join(folder, 'pairs.jsonl')
  if (!existsSync(path)) return null
  return (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LabelledPair)
}

/** Questions that hang together by any label are in one half, so that no question of the fit is seen in the stream. */
const halves = (pairs: readonly LabelledPair[]): [fit: LabelledPair[], stream: LabelledPair[]] => {
  const groups = unions()
  for (const { a, b } of pairs) groups.join(a, b)
  const isFirst = (question: string) => (createHash('sha256').update(groups.of(question)).digest()[0] ?? 0) % 2 === 0
  return [pairs.filter(({ a }) => isFirst(a)), pairs.filter(({ a }) => !isFirst(a))]
}

const unions = () => {
  const parents = new Map<string, string>()
  const of = (one: string): string => {
    const parent = parents.get(one) ?? one
    if (parent === one) return one
    const top = of(parent)
    parents.set(one, top)
    return top
  }
  return {
    of,
    join: (a: string, b: string) => {
      // The lesser name leads: the same groups whatever the order.
      const [first = a, second = b] = [of(a), of(b)].sort()
      if (first !== second) parents.set(second, first)
    },
  }
}

const embedAll = async (texts: readonly string[]): Promise<Float32Array[]> => {
  const all: Float32Array[] = []
  for (let from = 0; from < texts.length; from += 1_024)
    all.push(...(await embed(texts.slice(from, from + 1_024), { purpose: 'query' })).vectors)
  return all
}

/** True: same by a label or a chain of labels. False: a label tells their two groups apart. Null: nobody knows. */
const judgeOf = (pairs: readonly LabelledPair[]) => {
  const same = unions()
  for (const pair of pairs) if (pair.same) same.join(pair.a, pair.b)
  const apart = new Set(
    pairs.filter((pair) => !pair.same).map(({ a, b }) => [same.of(a), same.of(b)].sort().join('\n')),
  )
  return (a: string, b: string): boolean | null => {
    const [one, other] = [same.of(a), same.of(b)]
    if (one === other) return true
    return apart.has([one, other].sort().join('\n')) ? false : null
  }
}

/** The prior is measured as it is used: each question of the stream with the nearest earlier one that the guards let past. */
const printFit = async (pairs: readonly LabelledPair[]): Promise<void> => {
  const [known] = halves(pairs)
  const asked = await prepareStream(known)
  const judge = judgeOf(pairs)
  const seen = new Set<string>()
  const samples: { cosine: number; sameWording: boolean; same: boolean }[] = []
  for (const { question, near: found } of asked) {
    const normalised = normalisedQuestion(question)
    if (seen.has(normalised)) continue
    seen.add(normalised)
    const first = found
      .slice(0, near)
      .map(({ at, cosine }) => ({ earlier: asked[at]?.question ?? '', cosine }))
      .find(({ earlier }) => findDifference(question, earlier) === null)
    const same = first ? judge(question, first.earlier) : null
    if (first && same !== null)
      samples.push({ cosine: first.cosine, sameWording: isSameWording(question, first.earlier), same })
  }
  const prior = fitPrior(embeddingModel().id, samples)
  console.log(
    `${known.length} pairs as a stream: ${samples.length} questions had a labelled neighbour past the guards, from cosine ${similarityMin}`,
  )
  console.log(JSON.stringify(prior, null, 2))
  printRows(
    [0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99, 1].map((similarity) => ({
      similarity,
      'certain before any observation': certaintyOf(similarity, [], prior).toFixed(4),
    })),
  )
}

type Asked = { question: string; vector: Float32Array; near: { at: number; cosine: number }[] }

/** Each question with the earlier ones that are near enough to matter. */
const prepareStream = async (stream: readonly LabelledPair[]): Promise<Asked[]> => {
  const questions = stream.flatMap(({ a, b }) => [a, b])
  const texts = [...new Set(questions)]
  const vectors = await embedAll(texts)
  const vectorOf = new Map(texts.map((text, at) => [text, vectors[at]]))
  const all = new Float32Array(questions.length * dimensions)
  return questions.map((question, now) => {
    const vector = vectorOf.get(question) ?? new Float32Array(dimensions)
    all.set(vector, now * dimensions)
    const found: { at: number; cosine: number }[] = []
    for (let at = 0; at < now; at += 1) {
      const cosine = dotAt(all, at * dimensions, vector)
      if (cosine >= similarityMin) found.push({ at, cosine })
    }
    return { question, vector, near: found.sort((a, b) => b.cosine - a.cosine) }
  })
}

const replay = (
  asked: readonly Asked[],
  judge: (a: string, b: string) => boolean | null,
  wrongHitsMax: number,
): Row => {
  const kept = new Map<number, Observation[]>()
  const exact = new Set<string>()
  const count = { exact: 0, right: 0, wrong: 0, unlabelled: 0, abstained: 0 }
  for (const [now, { question, near: found }] of asked.entries()) {
    const normalised = normalisedQuestion(question)
    if (exact.has(normalised)) {
      count.exact += 1
      continue
    }
    const candidates = isComparable(question)
      ? found
          .filter(({ at }) => kept.has(at))
          .slice(0, near)
          .map(({ at, cosine }) => ({
            question: asked[at]?.question ?? '',
            cosine,
            observations: kept.get(at) ?? [],
          }))
      : []
    const choice = chooseAnswer(question, candidates, wrongHitsMax)
    if (choice) {
      const same = judge(question, choice.row.question)
      if (choice.hit) {
        count[same === null ? 'unlabelled' : same ? 'right' : 'wrong'] += 1
        continue
      }
      count.abstained += 1
      // The caller sees whether the fresh answer was the same; here, the label says it.
      if (same !== null) choice.row.observations.push({ similarity: choice.similarity, same })
    }
    kept.set(now, [])
    exact.add(normalised)
  }
  const labelled = count.right + count.wrong
  const share = (wrong: number, of: number) => (of === 0 ? '-' : `${((100 * wrong) / of).toFixed(2)} %`)
  const limit = (wrong: number, of: number) =>
    of === 0 ? '-' : `${(100 * wrongShareLimit(wrong, of, 0.05)).toFixed(2)} %`
  return {
    bound: `${wrongHitsMax * 100} %`,
    questions: asked.length,
    'exact hits': count.exact,
    'semantic hits': labelled + count.unlabelled,
    'of them labelled': labelled,
    wrong: count.wrong,
    'wrong share': share(count.wrong, labelled),
    'at most (95 %)': limit(count.wrong, labelled),
    'of all hits': share(count.wrong, labelled + count.exact),
    'all: at most': limit(count.wrong, labelled + count.exact),
    abstained: count.abstained,
    'hit rate': share(labelled + count.unlabelled + count.exact, asked.length),
  }
}

const printReplay = async (pairs: readonly LabelledPair[]): Promise<void> => {
  const [, stream] = halves(pairs)
  const asked = await prepareStream(stream)
  const judge = judgeOf(pairs)
  console.log(
    `\n${stream.length} pairs as a stream of ${asked.length} questions, none of them among the pairs the prior (${measuredPrior.encoder}) was measured on`,
  )
  printRows([0.02, 0.05, 0.1, 0.2].map((bound) => replay(asked, judge, bound)))
}

const [folder] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
printMachine(['@electric-sql/pglite', '@electric-sql/pglite-pgvector', 'onnxruntime-node'])
const pairs = folder ? await readPairs(folder) : null
if (folder && !pairs) console.log(`${join(folder, 'pairs.jsonl')}: not there`)
if (pairs && process.argv.includes('--fit')) await printFit(pairs)
else {
  if (!process.argv.includes('--replay')) await benchLookUps()
  if (pairs) await printReplay(pairs)
}
await closeGateway()
