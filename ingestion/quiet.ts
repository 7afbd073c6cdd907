/**
 * Quiet hours: a job that the workspace's policy names is put back into the queue instead of being done, to be looked at again when
 * they end, or in a quarter of an hour where that is sooner: a policy that changed meanwhile counts by then. Nothing is lost: the
 * new job is there before the old one counts as done.
 */
import { database } from '#db/client.ts'
import { type JobSubject, workspaceOfJob } from '#db/queries/job-workspaces.ts'
import { settingsOf } from '#lib/gateway/index.ts'
import { enqueue, type JobName, type JobPayload, work } from '#lib/jobs.ts'
import type { QuietJob } from '#lib/shared/policy-contract.ts'
import { quietUntil } from '#lib/shared/quiet-hours.ts'

const lookAgainMs = 15 * 60_000

/** Which part of the policy a job belongs to; the others wait for nothing. */
const quietJobOf = {
  'source.run': 'sources',
  'document.describe': 'summaries',
  'documents.describe': 'summaries',
  'document.graph': 'graph',
  'document.recognise': 'recognition',
  'index.build': 'encoders',
} as const satisfies Partial<Record<JobName, QuietJob>>
type QuietJobName = keyof typeof quietJobOf

/** Whether the job was put back. The clock is handed in. */
export const putBackWhileQuiet = async <Name extends QuietJobName>(
  name: Name,
  payload: JobPayload<Name>,
  now: Date = new Date(),
): Promise<boolean> => {
  const { db } = database()
  const named = payload as JobSubject | { workspaceId: string }
  const workspaceId = 'workspaceId' in named ? named.workspaceId : await workspaceOfJob(db, named)
  if (workspaceId === undefined) return false
  const { quietHours } = (await settingsOf(workspaceId)).settings.policy
  const until = quietUntil(quietHours, quietJobOf[name], now)
  if (!until) return false
  const startAfter = new Date(Math.min(until.getTime(), now.getTime() + lookAgainMs))
  await db.transaction((tx) => enqueue(tx, name, payload, { startAfter }))
  return true
}

/** As `work`, for jobs that keep quiet hours. */
export const workOutsideQuietHours = <Name extends QuietJobName>(
  name: Name,
  handler: (payload: JobPayload<Name>, signal: AbortSignal) => Promise<void>,
): Promise<void> =>
  work(name, async (payload, signal) => {
    if (!(await putBackWhileQuiet(name, payload))) await handler(payload, signal)
  })
