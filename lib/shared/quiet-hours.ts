/** Hours in which some jobs wait, in the workspace's own time zone. Pure: the clock is handed in. */
import type { Policy, QuietJob } from './policy-contract.ts'

type QuietHours = NonNullable<Policy['quietHours']>

const dayMinutes = 1_440
const minuteMs = 60_000

/** Whether this machine knows the time zone by that name (IANA: `Europe/Berlin`). */
export const isTimeZone = (name: string): boolean => {
  try {
    return name !== '' && new Intl.DateTimeFormat('en-GB', { timeZone: name }).format(0) !== ''
  } catch {
    return false
  }
}

const minutesOf = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

/** The minute of the day that it is there. */
const minuteIn = (timeZone: string, at: Date): number =>
  minutesOf(
    new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at),
  )

/**
 * When the quiet hours end that `job` is in at the moment `at`; null when it may run. Off by the hour in the night in which a clock
 * is changed: whoever waits looks again.
 */
export const quietUntil = (quiet: QuietHours | null, job: QuietJob, at: Date): Date | null => {
  if (!quiet?.jobs.includes(job) || !isTimeZone(quiet.timeZone)) return null
  const [from, to, now] = [minutesOf(quiet.from), minutesOf(quiet.to), minuteIn(quiet.timeZone, at)]
  // From an hour to itself is no time; the form refuses it.
  const inside = from <= to ? now >= from && now < to : now >= from || now < to
  if (!inside) return null
  const intoMinuteMs = at.getTime() % minuteMs
  return new Date(at.getTime() - intoMinuteMs + ((to - now + dayMinutes) % dayMinutes) * minuteMs)
}
