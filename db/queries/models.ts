/** Providers and models that admins set. Every statement names the workspace; sealed keys are read for calls and for nothing else. */
import { and, asc, count, eq, ne, sql } from 'drizzle-orm'
import type { Tier } from '#lib/shared/gateway-settings.ts'
import type { Executor } from '../client.ts'
import { modelProviders, models } from '../schema/index.ts'

export type StoredProvider = typeof modelProviders.$inferSelect
export type StoredModel = typeof models.$inferSelect
type ProviderValues = Omit<StoredProvider, 'id' | 'workspaceId' | 'createdAt' | 'updatedAt'>
type ModelValues = Omit<StoredModel, 'id' | 'workspaceId' | 'createdAt' | 'position'>

const tierOrder = sql`case ${models.tier} when 'fast' then 0 when 'standard' then 1 else 2 end`

/** Enabled models on enabled providers, by tier and then in the order in which they are asked. */
export const listEnabledModels = (
  db: Executor,
  workspaceId: string,
): Promise<{ provider: StoredProvider; model: StoredModel }[]> =>
  db
    .select({ provider: modelProviders, model: models })
    .from(models)
    .innerJoin(modelProviders, eq(modelProviders.id, models.providerId))
    .where(and(eq(models.workspaceId, workspaceId), eq(models.enabled, true), eq(modelProviders.enabled, true)))
    .orderBy(tierOrder, asc(models.position), asc(models.createdAt), asc(models.id))

/** The provider, locked until the transaction ends when `lock` is set. */
export const getProvider = async (
  db: Executor,
  workspaceId: string,
  id: string,
  lock = false,
): Promise<StoredProvider | undefined> => {
  const query = db
    .select()
    .from(modelProviders)
    .where(and(eq(modelProviders.id, id), eq(modelProviders.workspaceId, workspaceId)))
  const [found] = await (lock ? query.for('update') : query)
  return found
}

export const listSealedKeys = (db: Executor, workspaceId: string): Promise<StoredProvider[]> =>
  db.select().from(modelProviders).where(eq(modelProviders.workspaceId, workspaceId))

export const countProviders = async (db: Executor, workspaceId: string): Promise<number> => {
  const [found] = await db
    .select({ n: count() })
    .from(modelProviders)
    .where(eq(modelProviders.workspaceId, workspaceId))
  return found?.n ?? 0
}

/** False when the name is taken. */
export const insertProvider = async (
  db: Executor,
  row: { id: string; workspaceId: string } & ProviderValues,
): Promise<boolean> => {
  const made = await db.insert(modelProviders).values(row).onConflictDoNothing().returning({ id: modelProviders.id })
  return made.length > 0
}

/** False when another provider has the name. The row must be locked. */
export const updateProvider = async (
  db: Executor,
  { id, workspaceId, ...values }: { id: string; workspaceId: string } & ProviderValues,
): Promise<boolean> => {
  const own = eq(modelProviders.workspaceId, workspaceId)
  const [other] = await db
    .select({ id: modelProviders.id })
    .from(modelProviders)
    .where(and(own, eq(modelProviders.name, values.name), ne(modelProviders.id, id)))
  if (other) return false
  await db
    .update(modelProviders)
    .set({ ...values, updatedAt: sql`now()` })
    .where(and(own, eq(modelProviders.id, id)))
  return true
}

/** Deletes the provider and its models; its name, or undefined when it is not there. */
export const deleteProvider = async (db: Executor, workspaceId: string, id: string): Promise<string | undefined> => {
  const [gone] = await db
    .delete(modelProviders)
    .where(and(eq(modelProviders.id, id), eq(modelProviders.workspaceId, workspaceId)))
    .returning({ name: modelProviders.name })
  return gone?.name
}

export const listProviderModels = (db: Executor, workspaceId: string, providerId: string): Promise<StoredModel[]> =>
  db
    .select()
    .from(models)
    .where(and(eq(models.workspaceId, workspaceId), eq(models.providerId, providerId)))
    .orderBy(tierOrder, asc(models.position))

export const getModel = async (db: Executor, workspaceId: string, id: string): Promise<StoredModel | undefined> => {
  const [found] = await db
    .select()
    .from(models)
    .where(and(eq(models.id, id), eq(models.workspaceId, workspaceId)))
    .for('update')
  return found
}

export const countModels = async (db: Executor, workspaceId: string): Promise<number> => {
  const [found] = await db.select({ n: count() }).from(models).where(eq(models.workspaceId, workspaceId))
  return found?.n ?? 0
}

/** The place after the last of the tier. */
const lastPosition = (workspaceId: string, tier: Tier) =>
  sql<number>`(select coalesce(max(m.position), -1) + 1 from models m where m.workspace_id = ${workspaceId} and m.tier = ${tier})`

/** Without a position it comes last in its tier. False when the provider already has a model of that name. */
export const insertModel = async (
  db: Executor,
  row: { id: string; workspaceId: string; position: number | null } & ModelValues,
): Promise<boolean> => {
  const made = await db
    .insert(models)
    .values({ ...row, position: row.position ?? lastPosition(row.workspaceId, row.tier) })
    .onConflictDoNothing()
    .returning({ id: models.id })
  return made.length > 0
}

/** Without a position it keeps its place, and comes last where the tier is new. False when the name is taken. The row must be locked. */
export const updateModel = async (
  db: Executor,
  before: StoredModel,
  { position, ...values }: { position: number | null } & ModelValues,
): Promise<boolean> => {
  const [other] = await db
    .select({ id: models.id })
    .from(models)
    .where(and(eq(models.providerId, before.providerId), eq(models.modelId, values.modelId), ne(models.id, before.id)))
  if (other) return false
  const kept = values.tier === before.tier ? before.position : lastPosition(before.workspaceId, values.tier)
  await db
    .update(models)
    .set({ ...values, position: position ?? kept })
    .where(eq(models.id, before.id))
  return true
}

/** Deletes the model; its name at the vendor, or undefined when it is not there. */
export const deleteModel = async (db: Executor, workspaceId: string, id: string): Promise<string | undefined> => {
  const [gone] = await db
    .delete(models)
    .where(and(eq(models.id, id), eq(models.workspaceId, workspaceId)))
    .returning({ modelId: models.modelId })
  return gone?.modelId
}

/** Gives the models of a tier the order of `ids`; false unless these are exactly its models. */
export const orderModels = async (
  db: Executor,
  workspaceId: string,
  tier: Tier,
  ids: readonly string[],
): Promise<boolean> => {
  const there = await db
    .select({ id: models.id })
    .from(models)
    .where(and(eq(models.workspaceId, workspaceId), eq(models.tier, tier)))
    .for('update')
  if (there.length !== ids.length || !there.every(({ id }) => ids.includes(id))) return false
  for (const [position, id] of ids.entries())
    await db
      .update(models)
      .set({ position })
      .where(and(eq(models.id, id), eq(models.workspaceId, workspaceId)))
  return true
}
