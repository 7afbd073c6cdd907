/**
 * Describes published documents by itself where the workspace's rules say so: a few at a time, oldest first, and not while documents
 * are being read. Short ones go into one call together.
 */
import { database } from '#db/client.ts'
import {
  countBeingDescribed,
  isIngesting,
  listDescribingWorkspaces,
  listUndescribed,
  startDescriptions,
  type UndescribedVersion,
} from '#db/queries/changed-documents.ts'
import { settingsOf } from '#lib/gateway/index.ts'
import { enqueue } from '#lib/jobs.ts'
import { quietUntil } from '#lib/shared/quiet-hours.ts'
import { describedTogetherMax } from './describe.ts'

/** Of one workspace, at once. */
const inWorkMax = 24
/** A batch takes up to a day: more of them may be under way. */
const inBatchMax = 400
/** A longer text has enough to say for a call of its own. */
const shortChars = 1_500

/** Who is described with whom: short texts of one person together, the others alone. Keeps the order. Pure. */
export const groupVersions = (found: readonly UndescribedVersion[]): UndescribedVersion[][] => {
  const groups: UndescribedVersion[][] = []
  const open = new Map<string, UndescribedVersion[]>()
  for (const version of found) {
    const group = version.chars <= shortChars ? open.get(version.userId) : undefined
    if (group && group.length < describedTogetherMax) {
      group.push(version)
      continue
    }
    const made = [version]
    groups.push(made)
    if (version.chars <= shortChars) open.set(version.userId, made)
  }
  return groups
}

/**
 * Queues what is to be described now; the worker calls it now and then. `elsewhere` may take versions first, where a workspace has
 * them described through a batch interface; it marks what it takes. Resolves to how many versions were queued.
 */
export const describeChanged = async (
  elsewhere?: (workspaceId: string, found: readonly UndescribedVersion[]) => Promise<ReadonlySet<string>>,
  now: Date = new Date(),
): Promise<number> => {
  const { db } = database()
  const workspaces = await listDescribingWorkspaces(db)
  if (workspaces.length === 0 || (await isIngesting(db))) return 0
  let queued = 0
  for (const { workspaceId, batch } of workspaces) {
    const elsewhereToo = batch && elsewhere !== undefined
    const room = (elsewhereToo ? inBatchMax : inWorkMax) - (await countBeingDescribed(db, workspaceId))
    if (room <= 0) continue
    const { policy } = (await settingsOf(workspaceId)).settings
    if (quietUntil(policy.quietHours, 'summaries', now)) continue
    const found = await listUndescribed(db, workspaceId, room, policy.features.summaries)
    const taken: ReadonlySet<string> = elsewhereToo ? await elsewhere(workspaceId, found) : new Set()
    const rest = found.filter(({ versionId }) => !taken.has(versionId)).slice(0, inWorkMax)
    const groups = groupVersions(rest)
    for (const group of groups) queued += await queueGroup(workspaceId, group)
  }
  return queued
}

/** Marks and queues in one transaction, so that two workers do not describe the same. */
const queueGroup = (workspaceId: string, group: readonly UndescribedVersion[]): Promise<number> =>
  database().db.transaction(async (tx) => {
    const marked = await startDescriptions(
      tx,
      workspaceId,
      group.map(({ versionId }) => versionId),
    )
    const versions = group.filter(({ versionId }) => marked.has(versionId))
    const [first, ...others] = versions
    if (!first) return 0
    const { userId, versionId } = first
    if (others.length === 0) await enqueue(tx, 'document.describe', { versionId, workspaceId, userId })
    else
      await enqueue(tx, 'documents.describe', {
        versionIds: versions.map((version) => version.versionId),
        workspaceId,
        userId,
      })
    return versions.length
  })
