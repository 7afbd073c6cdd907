/** Descriptions of changed documents through a provider's batch interface: cheaper, within a day. What it leaves undone is queued. */
import { database, type Tx } from '#db/client.ts'
import { startDescriptions, type UndescribedVersion } from '#db/queries/changed-documents.ts'
import { endDescription, getDescribable } from '#db/queries/descriptions.ts'
import { deleteOldBatches } from '#db/queries/provider-batches.ts'
import { advanceBatches, type BatchResult, batchOutput, inspect, offerBatch } from '#lib/gateway/index.ts'
import { enqueue } from '#lib/jobs.ts'
import { readDescriptions } from './describe.ts'
import { groupVersions } from './describe-changed.ts'

/** What is longer is read in parts, whose summaries wait for each other: not for a batch. */
const batchCharsMax = 16_000
const endedDays = 7

const versionIdsOf = (about: Record<string, unknown>): string[] =>
  Array.isArray(about.versionIds) ? about.versionIds.map(String) : []

/** Offers one person's versions; those that were taken are marked as being described, and stored to be sent. */
const offerGroups = async (
  workspaceId: string,
  userId: string,
  groups: readonly UndescribedVersion[][],
  options: { findReach?: Parameters<typeof offerBatch>[3] },
): Promise<string[]> => {
  const { db } = database()
  const requests: Parameters<typeof offerBatch<'describe'>>[1][number][] = []
  for (const group of groups) {
    const found = await Promise.all(group.map(({ versionId }) => getDescribable(db, workspaceId, versionId)))
    const there = group.flatMap(({ versionId }, at) => {
      const document = found[at]
      return document ? [{ versionId, document }] : []
    })
    const inspected = await inspect(
      there.map(({ document: { title, text } }) => `${title}\n\n${text}`),
      { workspaceId },
    )
    // One that looks as if it gave orders shares its call with nobody.
    const shared = there.filter((_, at) => !inspected[at]?.flagged)
    const alone = there.filter((_, at) => inspected[at]?.flagged)
    for (const versions of [shared, ...alone.map((one) => [one])])
      if (versions.length > 0)
        requests.push({
          input: { documents: versions.map(({ document: { title, text } }) => ({ title, text })) },
          collectionIds: [...new Set(versions.map(({ document }) => document.collectionId))],
          about: { versionIds: versions.map(({ versionId }) => versionId) },
        })
  }
  const call = { workspaceId, userId, feature: 'document.description' }
  const offer = await offerBatch('describe', requests, call, options.findReach)
  if (!offer) return []
  const versionIds = offer.places.flatMap((at) => versionIdsOf(requests[at]?.about ?? {}))
  const queued = await db
    .transaction(async (tx) => {
      const marked = await startDescriptions(tx, workspaceId, versionIds)
      // What another worker has taken a part of is left to it; the others come with the next sweep.
      if (marked.size < versionIds.length || !(await offer.queue(tx))) throw new NotTaken()
      return true
    })
    .catch((error: unknown) => {
      if (error instanceof NotTaken) return false
      throw error
    })
  return queued ? versionIds : []
}

/** Undoes the marks. */
class NotTaken extends Error {}

/** What a batch interface takes of the versions; for `describeChanged`. */
export const describeInBatch = async (
  workspaceId: string,
  found: readonly UndescribedVersion[],
  options: { findReach?: Parameters<typeof offerBatch>[3] } = {},
): Promise<Set<string>> => {
  const taken = new Set<string>()
  const groups = groupVersions(found.filter(({ chars }) => chars <= batchCharsMax))
  for (const [userId, own] of Map.groupBy(groups, ([first]) => first?.userId ?? ''))
    for (const id of await offerGroups(workspaceId, userId, own, options)) taken.add(id)
  return taken
}

/** Stores the descriptions of a batch; a document that it left without one is described in the ordinary way. */
const takeDescriptions = async (tx: Tx, workspaceId: string, results: readonly BatchResult[]): Promise<void> => {
  for (const result of results) {
    const versions = versionIdsOf(result.about).map((versionId) => ({ versionId }))
    const output = batchOutput('describe', result)
    const made = output ? readDescriptions(output, versions) : new Map()
    for (const { versionId } of versions) {
      const description = made.get(versionId)
      if (description) await endDescription(tx, versionId, description)
      else await enqueue(tx, 'document.describe', { versionId, workspaceId, userId: result.userId })
    }
  }
}

/** Looks after the batches; the worker calls it now and then. */
export const advanceDescriptions = async (options?: Parameters<typeof advanceBatches>[1]): Promise<void> => {
  await advanceBatches(takeDescriptions, options)
  await deleteOldBatches(database().db, endedDays)
}
