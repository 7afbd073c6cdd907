/** A summary and tags of a document, as a job with progress; of several short ones in one call. Without a model in the built-in way. */
import { database } from '#db/client.ts'
import { stopDescriptions } from '#db/queries/changed-documents.ts'
import { endDescription, getDescribable, setDescriptionProgress } from '#db/queries/descriptions.ts'
import { inspect, runTask, settingsOf } from '#lib/gateway/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { callsFor, describableParts, summariseParts } from './summarise.ts'

export type DescribeJob = { versionId: string; workspaceId: string; userId: string }

/** On behalf of who asked: their budget pays and their workspace's rules hold. */
const callOf = ({ workspaceId, userId }: Omit<DescribeJob, 'versionId'>, signal: AbortSignal) => {
  const viewer: Viewer = { userId, workspaceId, role: 'admin', name: '', email: '' }
  return { viewer, feature: 'document.description', signal }
}

/** Whether the workspace's policy lets summaries use the collection. */
const mayDescribe = async (workspaceId: string, collectionId: string): Promise<boolean> => {
  const { summaries } = (await settingsOf(workspaceId)).settings.policy.features
  return summaries === null || summaries.includes(collectionId)
}

/** Describes a version; a version that is gone by now is no error. */
export const describeVersion = async (
  { versionId, workspaceId, userId }: DescribeJob,
  signal: AbortSignal,
): Promise<void> => {
  const { db } = database()
  const found = await getDescribable(db, workspaceId, versionId)
  if (!found) return
  const { title, text, collectionId } = found
  // The policy may have changed since it was queued.
  if (!(await mayDescribe(workspaceId, collectionId))) return stopDescriptions(db, [versionId])
  const call = { ...callOf({ workspaceId, userId }, signal), collectionIds: [collectionId] }
  const parts = describableParts(text)
  const total = callsFor(parts) + 1
  let done = 0
  const step = async (): Promise<void> => {
    done += 1
    await setDescriptionProgress(db, versionId, { done, total })
  }
  const { summary } = await summariseParts(title, parts, call, step)
  const about = { title, text: `${summary}\n\n${parts[0] ?? ''}`.slice(0, 8_000) }
  const { tags } = (await runTask('extract', about, call)).output
  await endDescription(db, versionId, { summary, tags })
}

/** Documents that one call describes at most. */
export const describedTogetherMax = 8

export type DescribeTogetherJob = Omit<DescribeJob, 'versionId'> & { versionIds: readonly string[] }

/**
 * Describes short versions in one call, and each that the call did not do well in a call of its own. One that looks as if it gave
 * orders is described alone: what it says must not get into the summary of another.
 */
export const describeVersions = async (
  { versionIds, workspaceId, userId }: DescribeTogetherJob,
  signal: AbortSignal,
): Promise<void> => {
  const { db } = database()
  const call = callOf({ workspaceId, userId }, signal)
  const found = await Promise.all(
    versionIds.map(async (versionId) => ({ versionId, document: await getDescribable(db, workspaceId, versionId) })),
  )
  const there = found.flatMap(({ versionId, document }) => (document ? [{ versionId, ...document }] : []))
  const inspected = await inspect(
    there.map(({ title, text }) => `${title}\n\n${text}`),
    call.viewer,
  )
  const allowed = await Promise.all(there.map(({ collectionId }) => mayDescribe(workspaceId, collectionId)))
  const together = there.filter((_, at) => !inspected[at]?.flagged && allowed[at])
  const done = new Set<string>()
  if (together.length > 1) {
    const documents = together.map(({ title, text }) => ({ title, text }))
    const collectionIds = [...new Set(together.map(({ collectionId }) => collectionId))]
    const { output, model } = await runTask('describe', { documents }, { ...call, collectionIds })
    // Without a model there was no call to share.
    if (model !== null)
      for (const [versionId, made] of readDescriptions(output, together)) {
        await endDescription(db, versionId, made)
        done.add(versionId)
      }
  }
  for (const { versionId } of there)
    if (!done.has(versionId)) await describeVersion({ versionId, workspaceId, userId }, signal)
}

type Described = { summary: string; tags: string[] }

/** Which description is whose; a number that stands there twice, or belongs to nobody, is nobody's. Pure. */
export const readDescriptions = (
  output: { documents: readonly ({ n: number } & Described)[] },
  versions: readonly { versionId: string }[],
): Map<string, Described> => {
  const byNumber = Map.groupBy(output.documents, ({ n }) => n)
  return new Map(
    versions.flatMap(({ versionId }, at) => {
      const [made, twin] = byNumber.get(at + 1) ?? []
      return made && !twin ? [[versionId, { summary: made.summary, tags: made.tags }] as const] : []
    }),
  )
}
