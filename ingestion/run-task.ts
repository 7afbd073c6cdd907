/**
 * Does the work that a person asked for and the queue holds: summaries, and other ways of cutting that are tried. The run's row tells how
 * far it is. It is read again for its owner only: a chat that was deleted in the meantime is not summarised.
 */
import { database } from '#db/client.ts'
import { getChat, listMessages } from '#db/queries/chats.ts'
import { endTaskRun, getOpenTaskRun, type StoredTaskRun, setTaskRunProgress } from '#db/queries/task-runs.ts'
import { settingsOf } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import { carriedCollections, citationMarker } from '#lib/shared/chat-contract.ts'
import { AppError, toAppError } from '#lib/shared/errors.ts'
import { chunkPreviewFeature } from '#lib/shared/knowledge-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { previewChunks } from './preview-chunks.ts'
import { callsFor, describableParts, summariseParts } from './summarise.ts'

type Readable = { title: string; text: string; collectionIds: string[] | 'unknown' }

/** What is summarised; undefined when it is not there any more. */
const textOf = async ({ feature, subject, userId, workspaceId }: StoredTaskRun): Promise<Readable | undefined> => {
  const { db } = database()
  const chat = await getChat(db, { userId, workspaceId }, String(subject.chatId))
  if (!chat) return undefined
  const messages = await listMessages(db, chat.id)
  // What is marked stands in the conversation or in a source beside it.
  const collectionIds = carriedCollections(messages)
  if (feature === 'selection.summary')
    return { title: String(subject.title ?? ''), text: String(subject.text ?? ''), collectionIds }
  const turns = messages.flatMap(({ role, text, status }) => {
    const said = text.replace(citationMarker, '').trim()
    return said && status !== 'streaming' ? [`${role === 'user' ? 'Question' : 'Answer'}: ${said}`] : []
  })
  return { title: chat.title, text: turns.join('\n\n'), collectionIds }
}

/** Throws where the workspace's policy keeps summaries from what the text may be of. */
const assertUsable = async (workspaceId: string, collectionIds: Readable['collectionIds']): Promise<void> => {
  const { summaries } = (await settingsOf(workspaceId)).settings.policy.features
  if (summaries === null || (collectionIds !== 'unknown' && collectionIds.every((id) => summaries.includes(id)))) return
  throw new AppError('bad-request', {
    message:
      'In this workspace summaries may not use every collection that this conversation is about. Read its sources, or ask an admin about it.',
  })
}

/** Does a run to its end, whatever the end is; one that has ended is left alone. Throws only when the worker stops. */
export const runTaskRun = async (runId: string, signal: AbortSignal): Promise<void> => {
  const { db } = database()
  const run = await getOpenTaskRun(db, runId)
  if (!run) return
  // On behalf of who asked: their budget pays and their workspace's rules hold.
  const viewer: Viewer = { userId: run.userId, workspaceId: run.workspaceId, role: 'member', name: '', email: '' }
  try {
    if (run.feature === chunkPreviewFeature) {
      const onProgress = (progress: { done: number; total: number }) => setTaskRunProgress(db, run.id, progress)
      return await endTaskRun(db, run.id, { output: await previewChunks(run.subject, { viewer, signal, onProgress }) })
    }
    const found = await textOf(run)
    const parts = describableParts(found?.text ?? '')
    if (!found || parts.length === 0) throw new AppError('not-found')
    await assertUsable(run.workspaceId, found.collectionIds)
    const total = callsFor(parts)
    let done = 0
    await setTaskRunProgress(db, run.id, { done, total })
    const made = await summariseParts(
      found.title,
      parts,
      { viewer, feature: run.feature, collectionIds: found.collectionIds, signal },
      async () => {
        done += 1
        await setTaskRunProgress(db, run.id, { done, total })
      },
    )
    await endTaskRun(db, run.id, { output: made })
  } catch (thrown) {
    if (signal.aborted) throw thrown
    const error = toAppError(thrown)
    log.warn({ err: error.cause ?? error, code: error.code, runId }, 'a task was not done')
    await endTaskRun(db, run.id, { failureCode: error.code, output: { message: error.publicMessage } })
  }
}
