/** The canaries of models: what came of the last run, against what the model did before. */
import { and, desc, eq, gt, or, sql } from 'drizzle-orm'
import type { Executor, Tx } from '../client.ts'
import { modelCalls, modelCanaries, modelProviders, models } from '../schema/index.ts'

export type Canary = typeof modelCanaries.$inferSelect

type Key = Pick<Canary, 'workspaceId' | 'key'>
const keyIs = ({ workspaceId, key }: Key) => and(eq(modelCanaries.workspaceId, workspaceId), eq(modelCanaries.key, key))

export const listCanaries = (db: Executor, workspaceId: string): Promise<Canary[]> =>
  db.select().from(modelCanaries).where(eq(modelCanaries.workspaceId, workspaceId))

/** The row, held until the transaction ends, so that of two who change it the second sees what the first did. */
export const holdCanary = async (tx: Tx, key: Key): Promise<Canary | undefined> => {
  const [found] = await tx.select().from(modelCanaries).where(keyIs(key)).for('update')
  return found
}

/** Stores the row whole. */
export const storeCanary = async (db: Executor, canary: Canary): Promise<void> => {
  const { workspaceId, key, ...values } = canary
  await db
    .insert(modelCanaries)
    .values(canary)
    .onConflictDoUpdate({ target: [modelCanaries.workspaceId, modelCanaries.key], set: values })
}

export const deleteCanary = async (db: Executor, key: Key): Promise<void> => {
  await db.delete(modelCanaries).where(keyIs(key))
}

/**
 * Gives a run to the caller or to nobody: it is theirs when the model was last checked at `seenAt` (null: never) and nobody has
 * begun since. A model without a row gets one that says that it has not answered.
 */
export const claimCanary = async (
  db: Executor,
  { workspaceId, key, seenAt, at }: Key & { seenAt: Date | null; at: Date },
): Promise<boolean> => {
  const claimed =
    seenAt === null
      ? await db
          .insert(modelCanaries)
          .values({ workspaceId, key, state: 'unreachable', detail: notYet, checkedAt: at, changedAt: at })
          .onConflictDoNothing()
          .returning({ key: modelCanaries.key })
      : await db
          .update(modelCanaries)
          .set({ checkedAt: at })
          .where(
            and(
              keyIs({ workspaceId, key }),
              // A date of ours has milliseconds, the column has more.
              sql`date_trunc('milliseconds', ${modelCanaries.checkedAt}) = ${seenAt.toISOString()}::timestamptz`,
            ),
          )
          .returning({ key: modelCanaries.key })
  return claimed.length > 0
}

const notYet = 'It has not answered its first check yet.'

/** Who a model said it is. */
export type Served = { servedModel: string | null; fingerprint: string | null }

/** Under which id and fingerprint each model answered last since `since`, by its provider's name and the id it was asked by. */
export const listLastServed = (
  db: Executor,
  workspaceId: string,
  since: Date,
): Promise<(Served & { provider: string | null; requestedModel: string | null })[]> =>
  db
    .selectDistinctOn([modelCalls.provider, modelCalls.requestedModel], {
      provider: modelCalls.provider,
      requestedModel: modelCalls.requestedModel,
      servedModel: modelCalls.servedModel,
      fingerprint: modelCalls.fingerprint,
    })
    .from(modelCalls)
    .where(
      and(
        eq(modelCalls.workspaceId, workspaceId),
        gt(modelCalls.at, since),
        eq(modelCalls.outcome, 'ok'),
        sql`${modelCalls.cache} is null and ${modelCalls.requestedModel} is not null`,
      ),
    )
    .orderBy(modelCalls.provider, modelCalls.requestedModel, desc(modelCalls.at), desc(modelCalls.id))

/** The keys of the models whose canary has dropped. */
export const listDroppedKeys = async (db: Executor, workspaceId: string): Promise<string[]> => {
  const found = await db
    .select({ key: modelCanaries.key })
    .from(modelCanaries)
    .where(and(eq(modelCanaries.workspaceId, workspaceId), eq(modelCanaries.state, 'dropped')))
  return found.map(({ key }) => key)
}

export type DroppedModel = Pick<Canary, 'score' | 'baselineScore' | 'detail'> & {
  /** A provider of ours goes by its name; the environment's by the key it has. */
  name: string
}

/**
 * The models whose canary has dropped and that may still be asked: an admin's while it is on, one that the environment names while it
 * has been checked since `checkedSince`, because no table says when it was taken out.
 */
export const listDroppedModels = (db: Executor, workspaceId: string, checkedSince: Date): Promise<DroppedModel[]> =>
  db
    .select({
      name: sql<string>`coalesce(${modelProviders.name} || '/' || ${models.modelId}, ${modelCanaries.key})`,
      score: modelCanaries.score,
      baselineScore: modelCanaries.baselineScore,
      detail: modelCanaries.detail,
    })
    .from(modelCanaries)
    .leftJoin(
      models,
      and(
        eq(models.workspaceId, modelCanaries.workspaceId),
        eq(models.enabled, true),
        sql`${modelCanaries.key} = ${models.providerId}::text || '/' || ${models.modelId}`,
      ),
    )
    .leftJoin(modelProviders, and(eq(modelProviders.id, models.providerId), eq(modelProviders.enabled, true)))
    .where(
      and(
        eq(modelCanaries.workspaceId, workspaceId),
        eq(modelCanaries.state, 'dropped'),
        or(
          sql`${modelProviders.id} is not null`,
          and(sql`starts_with(${modelCanaries.key}, 'env-')`, gt(modelCanaries.checkedAt, checkedSince)),
        ),
      ),
    )
    .orderBy(modelCanaries.key)
