/**
 * Which encoder a workspace searches with, and the change to another: its vectors are made beside the old ones, which serve until
 * one transaction swaps the two. A workspace that chose nothing searches with the built-in encoder.
 */
import { createHash } from 'node:crypto'
import { and, eq, inArray, sql } from 'drizzle-orm'
import { defaultGatewaySettings, type VectorGraph } from '#lib/shared/gateway-settings.ts'
import { type Database, type Db, type Executor, rows } from '../client.ts'
import { chunkVectors, type EmbeddingIndexState, embeddingIndexes } from '../schema/index.ts'

/** pgvector's graphs take no longer vectors than this with four-byte numbers, and twice that with two-byte ones. */
const fullDimensionsMax = 2_000

/** Names what may stand in a statement as it is: the names of encoders are checked, never trusted. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The type that vectors of this length are indexed and compared as. */
const typeOf = (dimensions: number): string =>
  `${dimensions <= fullDimensionsMax ? 'vector' : 'halfvec'}(${Math.trunc(dimensions)})`

/** How an encoder's vectors are written in a statement so that its index can serve it: both must say the same. */
export const vectorExpressions = (model: string, dimensions: number) => {
  const type = typeOf(dimensions)
  return { type: sql.raw(type), ofModel: sql.raw(`model = ${literal(model)}`) }
}

const indexName = (model: string): string =>
  `chunk_vectors_${createHash('md5').update(model).digest('hex').slice(0, 12)}`

/** A graph over a model's vectors, as a statement: its parts are numbers of ours and checked names. */
const indexDefinition = (name: string, { model, dimensions, graph }: VectorIndex): string => {
  const type = typeOf(dimensions)
  const operators = type.startsWith('halfvec') ? 'halfvec_cosine_ops' : 'vector_cosine_ops'
  const numbers = `m = ${Math.trunc(graph.m)}, ef_construction = ${Math.trunc(graph.efConstruction)}`
  return `${name} on chunk_vectors using hnsw ((embedding::${type}) ${operators}) with (${numbers}) where model = ${literal(model)}`
}

type VectorIndex = { model: string; dimensions: number; graph: VectorGraph }

/** Makes the index over a model's vectors when it is not there; at its best before there are any. */
export const ensureVectorIndex = async (
  db: Executor,
  model: string,
  dimensions: number,
  graph: VectorGraph = defaultGatewaySettings.vectorIndex,
): Promise<void> => {
  const definition = indexDefinition(indexName(model), { model, dimensions, graph })
  await db.execute(sql.raw(`create index if not exists ${definition}`))
}

/** How the index over a model's vectors was built; null when there is none. */
export const getVectorGraph = async (db: Executor, model: string): Promise<VectorGraph | null> => {
  const [found] = await rows<VectorGraph>(
    db,
    sql`select max(option_value) filter (where option_name = 'm')::int as m,
        max(option_value) filter (where option_name = 'ef_construction')::int as "efConstruction"
      from pg_index i join pg_class c on c.oid = i.indexrelid, pg_options_to_table(c.reloptions)
      where c.oid = to_regclass(${indexName(model)}) and i.indisvalid having count(*) > 0`,
  )
  return found ?? null
}

/**
 * Makes the index over a model's vectors as `graph` says: nothing where it is so already, else anew beside the old one, by which
 * searches go until one statement gives the new one its name. All workspaces that search with the model share it. On a server writes
 * go on meanwhile; embedded, where a database has one connection, the others wait for as long as it takes. Two at a time on a server
 * end in one index, and an error for the job that lost.
 */
export const rebuildVectorIndex = async ({ db, mode }: Database, index: VectorIndex): Promise<void> => {
  const { model, dimensions, graph } = index
  const name = indexName(model)
  const [next, before] = [`${name}_next`, `${name}_before`]
  const run = (executor: Executor, statement: string) => executor.execute(sql.raw(statement))
  // `concurrently` takes no lock that a search or a write waits for.
  const dropBeside = async (): Promise<void> => {
    for (const one of [next, before]) await run(db, `drop index concurrently if exists ${one}`)
  }
  // What a broken attempt left would be kept up to date for nothing. Embedded, a transaction leaves nothing.
  if (mode === 'server') await dropBeside()
  await ensureVectorIndex(db, model, dimensions, graph)
  const built = await getVectorGraph(db, model)
  if (built?.m === graph.m && built.efConstruction === graph.efConstruction) return
  const swap = async (tx: Executor): Promise<void> => {
    await run(tx, `alter index if exists ${name} rename to ${before}`)
    await run(tx, `alter index ${next} rename to ${name}`)
  }
  if (mode === 'embedded')
    return db.transaction(async (tx) => {
      await run(tx, `create index ${indexDefinition(next, index)}`)
      await swap(tx)
      await run(tx, `drop index ${before}`)
    })
  await run(db, `create index concurrently ${indexDefinition(next, index)}`)
  await db.transaction(swap)
  await dropBeside()
}

/** Before many vectors are added at once. */
export const dropVectorIndex = async (db: Executor, model: string): Promise<void> => {
  await db.execute(sql.raw(`drop index if exists ${indexName(model)}`))
}

export type EmbeddingIndex = {
  id: string
  workspaceId: string
  name: string
  model: string | null
  dimensions: number | null
  state: EmbeddingIndexState
}

const columns = {
  id: embeddingIndexes.id,
  workspaceId: embeddingIndexes.workspaceId,
  name: embeddingIndexes.name,
  model: embeddingIndexes.model,
  dimensions: embeddingIndexes.dimensions,
  state: embeddingIndexes.state,
}

/** The index that a workspace searches; undefined when that is the built-in encoder's. */
export const getServingIndex = async (db: Executor, workspaceId: string): Promise<EmbeddingIndex | undefined> => {
  const [found] = await db
    .select(columns)
    .from(embeddingIndexes)
    .where(and(eq(embeddingIndexes.workspaceId, workspaceId), eq(embeddingIndexes.state, 'serving')))
  return found
}

/** The index that a workspace is changing to. */
export const getBuildingIndex = async (db: Executor, workspaceId: string): Promise<EmbeddingIndex | undefined> => {
  const [found] = await db
    .select(columns)
    .from(embeddingIndexes)
    .where(and(eq(embeddingIndexes.workspaceId, workspaceId), eq(embeddingIndexes.state, 'building')))
  return found
}

/** Names of the encoders that workspaces search with, the most used first; without the built-in one where nobody chose it. */
export const listServingNames = async (db: Executor): Promise<string[]> => {
  const found = await db
    .select({ name: embeddingIndexes.name })
    .from(embeddingIndexes)
    .where(eq(embeddingIndexes.state, 'serving'))
    .groupBy(embeddingIndexes.name)
    .orderBy(sql`count(*) desc`)
  return found.map(({ name }) => name)
}

export const getEmbeddingIndex = async (db: Executor, id: string): Promise<EmbeddingIndex | undefined> => {
  const [found] = await db.select(columns).from(embeddingIndexes).where(eq(embeddingIndexes.id, id))
  return found
}

/** Begins the change to `name`; one that is under way is given up. */
export const beginIndex = (db: Db, index: { id: string; workspaceId: string; name: string }): Promise<void> =>
  db.transaction(async (tx) => {
    await tx
      .update(embeddingIndexes)
      .set({ state: 'retired' })
      .where(and(eq(embeddingIndexes.workspaceId, index.workspaceId), eq(embeddingIndexes.state, 'building')))
    await tx.insert(embeddingIndexes).values({ ...index, state: 'building', step: 'fetch' })
  })

type Changes = Partial<
  Pick<typeof embeddingIndexes.$inferInsert, 'model' | 'dimensions' | 'step' | 'progressDone' | 'progressTotal'>
>

/** Writes how far a build is; false when it was given up. */
export const updateBuilding = async (db: Executor, id: string, changes: Changes): Promise<boolean> => {
  const kept = await db
    .update(embeddingIndexes)
    .set(changes)
    .where(and(eq(embeddingIndexes.id, id), eq(embeddingIndexes.state, 'building')))
    .returning({ id: embeddingIndexes.id })
  return kept.length > 0
}

export const failIndex = async (db: Executor, id: string, failure: string): Promise<void> => {
  await db
    .update(embeddingIndexes)
    .set({ state: 'failed', failure })
    .where(and(eq(embeddingIndexes.id, id), eq(embeddingIndexes.state, 'building')))
}

const published = sql`documents d join chunks c on c.version_id = d.published_version_id`
const without = (model: string) =>
  sql`not exists (select from chunk_vectors v where v.chunk_id = c.id and v.model = ${model})`

export type Vectorless = {
  chunkId: number
  collectionId: string
  documentId: string
  versionId: string
  headingPath: string[]
  context: string
  text: string
}

/** Published passages of a workspace that `model` has made no vector of, oldest first. */
export const listVectorless = (
  db: Executor,
  { workspaceId, model, limit }: { workspaceId: string; model: string; limit: number },
): Promise<Vectorless[]> =>
  rows<Vectorless>(
    db,
    sql`select c.id::int8::text::int as "chunkId", d.collection_id as "collectionId", c.document_id as "documentId", c.version_id as "versionId",
        c.heading_path as "headingPath", c.context, c.text
      from ${published} where d.workspace_id = ${workspaceId} and ${without(model)} order by c.id limit ${limit}`,
  )

/** How many published passages a workspace has, and of how many `model` has made no vector. */
export const countVectorless = async (
  db: Executor,
  { workspaceId, model }: { workspaceId: string; model: string },
): Promise<{ passages: number; missing: number }> => {
  const [found] = await rows<{ passages: number; missing: number }>(
    db,
    sql`select count(*)::int as passages, (count(*) filter (where ${without(model)}))::int as missing
      from ${published} where d.workspace_id = ${workspaceId}`,
  )
  return found ?? { passages: 0, missing: 0 }
}

export type NewVector = { chunkId: number; documentId: string; versionId: string; vector: string }

/** Adds vectors; passages that were deleted meanwhile are left out, and what is there already stays. */
export const insertVectors = async (
  db: Executor,
  { workspaceId, model }: { workspaceId: string; model: string },
  batch: readonly NewVector[],
): Promise<void> => {
  if (batch.length === 0) return
  await db.execute(sql`
    insert into chunk_vectors (chunk_id, model, workspace_id, document_id, version_id, embedding)
    select n.chunk_id, ${model}, ${workspaceId}::uuid, c.document_id, c.version_id, n.embedding::vector
    from (values ${sql.join(
      batch.map(({ chunkId, vector }) => sql`(${chunkId}::bigint, ${vector}::text)`),
      sql`, `,
    )}) n (chunk_id, embedding)
    join chunks c on c.id = n.chunk_id
    on conflict do nothing`)
}

/**
 * Makes a built index the one that is searched, when no published passage lacks its vector; false while some do. From the commit on
 * every search uses it, and the vectors of the one before are gone.
 */
export const swapIndex = (db: Db, index: EmbeddingIndex): Promise<boolean> =>
  db.transaction(async (tx) => {
    const { id, workspaceId, model } = index
    if (!model) return false
    const [held] = await tx
      .select({ id: embeddingIndexes.id })
      .from(embeddingIndexes)
      .where(and(eq(embeddingIndexes.id, id), eq(embeddingIndexes.state, 'building')))
      .for('update')
    if (!held || (await countVectorless(tx, { workspaceId, model })).missing > 0) return false
    await tx
      .update(embeddingIndexes)
      .set({ state: 'retired' })
      .where(and(eq(embeddingIndexes.workspaceId, workspaceId), eq(embeddingIndexes.state, 'serving')))
    await tx.update(embeddingIndexes).set({ state: 'serving', servedAt: sql`now()` }).where(eq(embeddingIndexes.id, id))
    return true
  })

/** Removes the vectors of encoders that a workspace neither searches with nor is changing to; some at a time. */
export const deleteUnusedVectors = async (
  db: Executor,
  { workspaceId, used, limit }: { workspaceId: string; used: readonly string[]; limit: number },
): Promise<number> => {
  const gone = await db
    .delete(chunkVectors)
    .where(
      inArray(
        sql`(chunk_id, model)`,
        sql`(select chunk_id, model from chunk_vectors where workspace_id = ${workspaceId} and not model = any(${sql`array[${sql.join(
          used.map((one) => sql`${one}`),
          sql`, `,
        )}]::text[]`}) limit ${limit})`,
      ),
    )
    .returning({ chunkId: chunkVectors.chunkId })
  return gone.length
}
