/**
 * What is used up: counters in the shared database, so that a limit holds over all replicas. A limit that cannot be read refuses.
 * Where a limit is generous and hit often, a process takes some points at once and gives them out itself: never more than the limit
 * are given out, and a page that is only read writes nothing.
 */
import { database } from '#db/client.ts'
import { deleteOldResults } from '#db/queries/idempotency.ts'
import { deleteExpiredPoints, returnPoint, returnPoints, takePoint } from '#db/queries/limits.ts'
import { AppError } from './shared/errors.ts'

type Limit = { points: number; seconds: number; atOnce?: number }

/** Points a window, per key. Generous for people, narrow for scripts. */
const limits = {
  'sign-in.account': { points: 5, seconds: 60 },
  'sign-in.address': { points: 20, seconds: 60 },
  /** Codes of the second step: a million of them, three good at a time, so that guessing takes years. */
  'sign-in.code': { points: 5, seconds: 900 },
  'reset.account': { points: 3, seconds: 3_600 },
  'reset.address': { points: 20, seconds: 3_600 },
  question: { points: 60, seconds: 60 },
  upload: { points: 600, seconds: 60 },
  read: { points: 1_200, seconds: 60, atOnce: 20 },
  write: { points: 240, seconds: 60, atOnce: 4 },
  page: { points: 1_200, seconds: 60, atOnce: 20 },
  /** People invited into one workspace: each may be a mail to a stranger. */
  invitation: { points: 2_000, seconds: 86_400 },
  /** Archives of all that is kept about a person. */
  export: { points: 5, seconds: 3_600 },
  /** Forms that are open to all, from one place: a whole office may share one. */
  'form.address': { points: 120, seconds: 60 },
  /** Lines in the audit log about one person's denials at one door, and at all of them: addresses can be made up without end. */
  denial: { points: 1, seconds: 60 },
  denials: { points: 30, seconds: 60 },
  /** Lines in the audit log about one person's reading of it. */
  'audit.read': { points: 1, seconds: 3_600 },
} as const satisfies Record<string, Limit>
export type LimitName = keyof typeof limits

/** Points that this process has taken and not given out, until their window is over; none left for anybody when `empty`. */
type Purse = { left: number; empty: boolean; untilMs: number }
const purses = new Map<string, Promise<Purse>>()
const pursesMax = 10_000

const refuse = (name: LimitName, retryAfterSeconds: number): AppError =>
  new AppError('rate-limited', { retryAfterSeconds, context: { limit: name } })

const takePurse = async (full: string, { points, seconds, atOnce = 1 }: Limit): Promise<Purse> => {
  const used = await takePoint(database().db, full, seconds, atOnce)
  const left = Math.min(atOnce, points - (used.points - atOnce))
  // Seconds are rounded up: one less, so that nothing of this window is given out in the next.
  return { left: Math.max(0, left), empty: left <= 0, untilMs: Date.now() + (used.waitSeconds - 1) * 1_000 }
}

/** Whether a point came out of the purse; false when others were faster. Looks and takes in one go: nothing comes between. */
const takeOut = (purse: Purse, name: LimitName): boolean => {
  if (purse.empty) throw refuse(name, Math.max(1, Math.ceil((purse.untilMs - Date.now()) / 1_000)))
  if (purse.left === 0) return false
  purse.left -= 1
  return true
}

/** One call to the database for all that come at once; then the next. */
const spendFromPurse = async (name: LimitName, full: string, limit: Limit): Promise<void> => {
  for (;;) {
    const held = purses.get(full)
    const purse = await held
    if (purse && purse.untilMs > Date.now() && takeOut(purse, name)) return
    // Somebody else has begun to take the next one meanwhile.
    if (purses.get(full) !== held) continue
    // What is forgotten is lost to its person for a minute at most; nobody gets more by it.
    if (purses.size >= pursesMax) purses.clear()
    const taken = takePurse(full, limit)
    purses.set(full, taken)
    taken.catch(() => purses.delete(full))
    // Also in the last second of a window, when it is no longer kept for others.
    if (takeOut(await taken, name)) return
  }
}

/** Takes one point of `name` for `key`; throws `rate-limited` with the seconds to wait when none is left. */
export const spend = async (name: LimitName, key: string): Promise<void> => {
  const limit: Limit = limits[name]
  const full = `${name}:${key}`
  if (limit.atOnce !== undefined) return spendFromPurse(name, full, limit)
  const used = await takePoint(database().db, full, limit.seconds)
  if (used.points > limit.points) throw refuse(name, used.waitSeconds)
}

/** Gives the points of `key` back, after a success that proves good faith. */
export const release = async (name: LimitName, key: string): Promise<void> => {
  purses.delete(`${name}:${key}`)
  await returnPoints(database().db, `${name}:${key}`)
}

/** Gives one point back: a success of one person is no try of the others who share the key. */
export const giveBack = (name: LimitName, key: string): Promise<void> => returnPoint(database().db, `${name}:${key}`)

/** Whether this is among the first of its kind for `key` in the window: for what is said so often and not a thousand times. */
export const isFirst = async (name: LimitName, key: string): Promise<boolean> =>
  (await takePoint(database().db, `${name}:${key}`, limits[name].seconds)).points <= limits[name].points

/** Forgets windows that are over and answers kept for repeated requests; the worker calls it now and then. */
export const sweepLimits = async (): Promise<void> => {
  await deleteExpiredPoints(database().db)
  await deleteOldResults(database().db)
}
