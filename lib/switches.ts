/**
 * What incident switches have turned off, as everything that asks a model or writes an answer looks it up: read at most once a second
 * a process, so that a switch counts within that second on every replica. Who throws and lifts them is in incidents.ts.
 */
import { database } from '#db/client.ts'
import { listSwitchesOn, type SwitchOn } from '#db/queries/incidents.ts'
import { log } from './log.ts'
import { AppError } from './shared/errors.ts'
import { createMemo, type Memo } from './shared/memo.ts'

export type { SwitchOn }

const freshMs = 1_000
const workspacesMax = 1_000
/** So often an open call asks whether it may go on. */
const watchMs = 1_000

type Held = { footnoteSwitches?: Memo<readonly SwitchOn[]> }
const held = globalThis as typeof globalThis & Held
/** One a process, whichever bundle asks. */
const memo = (): Memo<readonly SwitchOn[]> => {
  held.footnoteSwitches ??= createMemo({ entriesMax: workspacesMax, ttlMs: freshMs })
  return held.footnoteSwitches
}

/** What is off in the workspace. Throws `not-ready` when that cannot be read: whoever generates fails closed. */
export const switchesOn = async (workspaceId: string): Promise<readonly SwitchOn[]> => {
  try {
    // Made a promise here: a query by itself runs anew for each that waits for it.
    return await memo().get(workspaceId, async () => listSwitchesOn(database().db, workspaceId))
  } catch (cause) {
    throw new AppError('not-ready', {
      cause,
      message: 'It cannot be read right now what is switched off, so no model is asked. Try again in a moment.',
    })
  }
}

/** After a change in this process. */
export const forgetSwitches = (workspaceId: string): void => memo().purge(workspaceId)

/** `14:02 UTC`, with the day where it is not today: those who read it are in many time zones. */
const sinceWords = (since: Date, now: Date): string => {
  const [day, time] = since.toISOString().split('T') as [string, string]
  const clock = `${time.slice(0, 5)} UTC`
  return now.toISOString().startsWith(day) ? clock : `${clock} on ${day}`
}

/** What is off, since when and why, for whoever is kept from it. */
export const switchWords = ({ kind, label, since, reason }: SwitchOn, now = new Date()): string => {
  const what = {
    generation: 'Answers are',
    provider: `The provider ${label} is`,
    model: `The model ${label} is`,
    collection: `The collection ${label} is`,
    document: `The document ${label} is`,
    person: `${label} is`,
  }[kind]
  return `${what} switched off since ${sinceWords(since, now)}: ${reason}`
}

const refusal = (off: SwitchOn): AppError =>
  new AppError('switched-off', { message: switchWords(off), context: { switch: off.id, kind: off.kind } })

/** Throws `switched-off` while all answers are, `not-ready` when that cannot be read. */
export const assertAnswersOn = async (workspaceId: string): Promise<void> => {
  const off = (await switchesOn(workspaceId)).find(({ kind }) => kind === 'generation')
  if (off) throw refusal(off)
}

export type Watch = { signal: AbortSignal; end(): void }

/**
 * A signal that aborts with `switched-off` within two seconds of a switch that `meets`. Whoever calls this must call `end`. While the
 * switches cannot be read what has begun goes on, since nothing new begins.
 */
export const watchSwitches = (workspaceId: string, meets: (off: SwitchOn) => boolean): Watch => {
  const abort = new AbortController()
  const look = async (): Promise<void> => {
    try {
      const off = (await switchesOn(workspaceId)).find(meets)
      if (off) abort.abort(refusal(off))
    } catch (error) {
      log.warn({ err: error, workspaceId }, 'it could not be read what is switched off')
    }
  }
  const timer = setInterval(() => void look(), watchMs)
  timer.unref()
  return { signal: abort.signal, end: () => clearInterval(timer) }
}
