/** What is used up: counters in the shared database, so that a limit holds over all replicas. A limit that cannot be read refuses. */
import { database } from '#db/client.ts'
import { deleteExpiredPoints, returnPoints, takePoint } from '#db/queries/limits.ts'
import { AppError } from './shared/errors.ts'

/** Points a window, per key. Generous for people, narrow for scripts. */
const limits = {
  'sign-in.account': { points: 10, seconds: 300 },
  'sign-in.address': { points: 60, seconds: 300 },
  question: { points: 60, seconds: 60 },
  upload: { points: 600, seconds: 60 },
  read: { points: 1_200, seconds: 60 },
  write: { points: 240, seconds: 60 },
} as const
export type LimitName = keyof typeof limits

/** Takes one point of `name` for `key`; throws `rate-limited` with the seconds to wait when none is left. */
export const spend = async (name: LimitName, key: string): Promise<void> => {
  const { points, seconds } = limits[name]
  const used = await takePoint(database().db, `${name}:${key}`, seconds)
  if (used.points > points)
    throw new AppError('rate-limited', { retryAfterSeconds: used.waitSeconds, context: { limit: name } })
}

/** Gives the points of `key` back, after a success that proves good faith. */
export const release = (name: LimitName, key: string): Promise<void> => returnPoints(database().db, `${name}:${key}`)

/** Forgets windows that are over; the worker calls it now and then. */
export const sweepLimits = (): Promise<void> => deleteExpiredPoints(database().db)
