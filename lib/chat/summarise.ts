/**
 * Summaries that a person asks for in a conversation: of the whole of it, or of a stretch of text that they marked. Each is a job
 * with a row that tells how far it is, so that a reload, another tab or a restart finds it; what is quick is back at once.
 *
 * Promises: only one's own conversations; asked for twice while it is being made is one summary; nothing is waited for longer than
 * two seconds.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { database } from '#db/client.ts'
import { getChat, listMessages } from '#db/queries/chats.ts'
import {
  countOpenTaskRuns,
  findOpenTaskRun,
  getTaskRun,
  insertTaskRun,
  type StoredTaskRun,
} from '#db/queries/task-runs.ts'
import { enqueue } from '#lib/jobs.ts'
import { AppError, type ErrorCode, publicError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { type SummaryRun, selectionCharsMax, selectionCharsMin } from '#lib/shared/summary-contract.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

/** What takes longer is shown with its progress instead of waited for. */
const waitMs = 2_000
const lookEveryMs = 80
/** Of one person at once; the rest of the queue is for others. */
const openMax = 5
const titleCharsMax = 200

const features = { chat: 'chat.summary', selection: 'selection.summary' } as const

const toSummaryRun = ({ id, feature, done, total, output, failureCode, endedAt }: StoredTaskRun): SummaryRun => {
  const state = endedAt === null ? 'running' : failureCode === null ? 'done' : 'failed'
  const message = typeof output?.message === 'string' ? { message: output.message } : {}
  return {
    id,
    of: feature === features.chat ? 'chat' : 'selection',
    state,
    done,
    total,
    summary: typeof output?.summary === 'string' ? output.summary : null,
    model: typeof output?.model === 'string' ? output.model : null,
    cached: output?.cached === true,
    error: state === 'failed' ? publicError(new AppError((failureCode ?? 'internal') as ErrorCode, message)) : null,
  }
}

/** Looks until the run has ended, but not for longer than a person waits without a sign. */
const waitShortly = async (viewer: Viewer, runId: string): Promise<SummaryRun> => {
  const untilMs = performance.now() + waitMs
  for (;;) {
    const run = await summaryRun(viewer, runId)
    if (run.state !== 'running' || performance.now() >= untilMs) return run
    await pause(lookEveryMs)
  }
}

const start = async (
  viewer: Viewer,
  of: keyof typeof features,
  subject: { chatId: string } & Record<string, unknown>,
): Promise<SummaryRun> => {
  const feature = features[of]
  const runId = await database().db.transaction(async (tx) => {
    // Locked, so that a double click is one summary.
    if (!(await getChat(tx, viewer, subject.chatId, true))) throw new AppError('not-found')
    const open = await findOpenTaskRun(tx, viewer, subject, feature)
    if (open) return open.id
    if (of === 'chat') {
      const messages = await listMessages(tx, subject.chatId)
      if (!messages.some(({ role, text, status }) => role === 'assistant' && text && status !== 'streaming'))
        throw new AppError('bad-request', {
          message: 'There is no answer to summarise yet. Ask a question and wait for its answer.',
        })
    }
    if ((await countOpenTaskRuns(tx, viewer)) >= openMax)
      throw new AppError('busy', {
        message: `${openMax} summaries are being made for you already. Wait for one of them, then try again.`,
      })
    const id = newId()
    await insertTaskRun(tx, viewer, { id, feature, subject })
    await enqueue(tx, 'task.run', { runId: id })
    return id
  })
  return waitShortly(viewer, runId)
}

/**
 * Summarises the viewer's conversation: the summary if it is there within two seconds, else how far it is.
 * Throws `not-found` (another person's chat), `bad-request` (no answer yet), `busy` (too many at once).
 */
export const summariseChat = (viewer: Viewer, chatId: string): Promise<SummaryRun> => start(viewer, 'chat', { chatId })

export type Selection = { chatId: string; title: string; text: string }

/** Summarises a text that the viewer marked in their conversation or in a source beside it. Throws as `summariseChat`. */
export const summariseSelection = async (viewer: Viewer, { chatId, ...marked }: Selection): Promise<SummaryRun> => {
  // PostgreSQL refuses a NUL.
  const text = marked.text.replaceAll('\0', '').normalize('NFC').trim()
  if (text.length < selectionCharsMin)
    throw new AppError('bad-request', {
      message: 'Too little text is selected to be summarised. Select at least a sentence or two.',
    })
  if (text.length > selectionCharsMax)
    throw new AppError('bad-request', {
      message: `The selection is over ${selectionCharsMax.toLocaleString('en-US')} characters. Select less of it.`,
    })
  const title = truncate(marked.title.replaceAll('\0', '').replace(/\s+/g, ' ').trim(), titleCharsMax)
  return start(viewer, 'selection', { chatId, title, text })
}

/** How far the viewer's summary is. Throws `not-found`. */
export const summaryRun = async (viewer: Viewer, runId: string): Promise<SummaryRun> => {
  const run = await getTaskRun(database().db, viewer, runId)
  if (!run) throw new AppError('not-found')
  return toSummaryRun(run)
}

/** The summary that is being made in the viewer's conversation right now, or null: what a reload shows again. */
export const openSummary = async (viewer: Viewer, chatId: string): Promise<SummaryRun | null> => {
  const run = await findOpenTaskRun(database().db, viewer, { chatId })
  return run ? toSummaryRun(run) : null
}
