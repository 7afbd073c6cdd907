/** A workspace's rules for model calls, as they are stored. */
import { and, eq, sql } from 'drizzle-orm'
import { AppError } from '#lib/shared/errors.ts'
import { defaultGatewaySettings, type GatewaySettings, gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import type { Executor } from '../client.ts'
import { gatewaySettings, settingsVersions } from '../schema/index.ts'

type VersionedSettings = { settings: GatewaySettings; version: number }

/**
 * What is stored, as it is: `settings` is null when it cannot be read, and version 0 with the defaults when nothing is stored. For
 * the screen that mends it; calls take `getGatewaySettings`.
 */
export const findGatewaySettings = async (
  db: Executor,
  workspaceId: string,
): Promise<{ settings: GatewaySettings | null; version: number }> => {
  const [stored] = await db
    .select({ settings: gatewaySettings.settings, version: gatewaySettings.version })
    .from(gatewaySettings)
    .where(eq(gatewaySettings.workspaceId, workspaceId))
  if (!stored) return { settings: defaultGatewaySettings, version: 0 }
  return { settings: gatewaySettingsSchema.safeParse(stored.settings).data ?? null, version: stored.version }
}

/**
 * The settings in force; the defaults where nothing is stored. Throws `internal` when what is stored cannot be read: defaults have
 * no budgets, and money must not follow a guess.
 */
export const getGatewaySettings = async (db: Executor, workspaceId: string): Promise<VersionedSettings> => {
  const { settings, version } = await findGatewaySettings(db, workspaceId)
  if (!settings)
    throw new AppError('internal', {
      message:
        'The stored rules for model calls cannot be read, so no model is asked. An admin should save them again under Models.',
      context: { workspaceId, version },
    })
  return { settings, version }
}

/** Who made a version, who else agreed to it, and why. */
export type SettingsChange = { savedBy: string | null; approvedBy?: string | null; reason?: string }

/**
 * Stores `settings` if the version is still `expectedVersion` (0: nothing stored yet); the new version, or null when it moved. The one
 * place where rules are stored: every version is kept with who made it, in the same transaction.
 */
export const storeGatewaySettings = (
  db: Executor,
  workspaceId: string,
  expectedVersion: number,
  settings: GatewaySettings,
  { savedBy, approvedBy = null, reason = '' }: SettingsChange = { savedBy: null },
): Promise<number | null> =>
  db.transaction(async (tx) => {
    // What was stored before versions were kept is one, too.
    await tx.execute(sql`insert into ${settingsVersions} (workspace_id, version, settings, at)
      select workspace_id, version, settings, updated_at from ${gatewaySettings}
      where workspace_id = ${workspaceId} and version = ${expectedVersion} on conflict do nothing`)
    const [stored] =
      expectedVersion === 0
        ? await tx
            .insert(gatewaySettings)
            .values({ workspaceId, settings })
            .onConflictDoNothing()
            .returning({ version: gatewaySettings.version })
        : await tx
            .update(gatewaySettings)
            .set({ settings, version: sql`${gatewaySettings.version} + 1`, updatedAt: sql`now()` })
            .where(and(eq(gatewaySettings.workspaceId, workspaceId), eq(gatewaySettings.version, expectedVersion)))
            .returning({ version: gatewaySettings.version })
    if (!stored) return null
    const { version } = stored
    await tx.insert(settingsVersions).values({ workspaceId, version, settings, savedBy, approvedBy, reason })
    return version
  })
