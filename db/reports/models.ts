/** What the Models screen shows of providers and models. The sealed key is not among it. */
import { asc, eq, sql } from 'drizzle-orm'
import type { Viewer } from '#lib/shared/viewer.ts'
import { modelProviders, models } from '../schema/index.ts'
import type { Reader } from './reader.ts'

type Insider = Pick<Viewer, 'workspaceId'>

type ProviderFacts = Omit<typeof modelProviders.$inferSelect, 'sealedKey' | 'workspaceId' | 'createdAt' | 'updatedAt'>
type ModelFacts = Omit<typeof models.$inferSelect, 'workspaceId' | 'createdAt'>

/** Providers in the order in which they were made. */
export const listProviders = (db: Reader, viewer: Insider): Promise<ProviderFacts[]> =>
  db
    .select({
      id: modelProviders.id,
      name: modelProviders.name,
      kind: modelProviders.kind,
      baseUrl: modelProviders.baseUrl,
      keyHint: modelProviders.keyHint,
      local: modelProviders.local,
      enabled: modelProviders.enabled,
      requestsPerMinute: modelProviders.requestsPerMinute,
      tokensPerMinute: modelProviders.tokensPerMinute,
    })
    .from(modelProviders)
    .where(eq(modelProviders.workspaceId, viewer.workspaceId))
    .orderBy(asc(modelProviders.createdAt), asc(modelProviders.id))

/** All models, by tier and then in the order in which they are asked. */
export const listModels = (db: Reader, viewer: Insider): Promise<ModelFacts[]> =>
  db
    .select({
      id: models.id,
      providerId: models.providerId,
      modelId: models.modelId,
      tier: models.tier,
      position: models.position,
      contextTokensMax: models.contextTokensMax,
      inputMicrosPerMillion: models.inputMicrosPerMillion,
      outputMicrosPerMillion: models.outputMicrosPerMillion,
      cachedMicrosPerMillion: models.cachedMicrosPerMillion,
      enabled: models.enabled,
    })
    .from(models)
    .where(eq(models.workspaceId, viewer.workspaceId))
    .orderBy(
      sql`case ${models.tier} when 'fast' then 0 when 'standard' then 1 else 2 end`,
      asc(models.position),
      asc(models.createdAt),
      asc(models.id),
    )
