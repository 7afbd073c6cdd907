/** What is said of a source on its screen. */
import type { BadgeProps } from '#components/ui/badge.tsx'
import { formatCount } from '#lib/shared/format.ts'
import { type SourceRow, type SourceTally, schedules } from '#lib/shared/sources-contract.ts'

export const isBusy = ({ state }: Pick<SourceRow, 'state'>): boolean => state === 'queued' || state === 'running'

export const documentsWords = (count: number): string =>
  count === 1 ? 'one document' : `${formatCount(count)} documents`

/** What the last run did, without what it did not: `12 added, 3 failed`. */
export const tallyWords = ({ added, changed, unchanged, deleted, failed }: SourceTally): string => {
  const parts = Object.entries({ added, changed, deleted, failed, unchanged })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${formatCount(count)} ${what}`)
  return parts.join(', ') || 'nothing there'
}

export const stateLook = ({
  state,
  failure,
}: Pick<SourceRow, 'state' | 'failure'>): {
  words: string
  variant: NonNullable<BadgeProps['variant']>
} => {
  if (state === 'queued') return { words: 'Waits its turn', variant: 'accent' }
  if (state === 'running') return { words: 'Runs', variant: 'accent' }
  if (state === 'failed') return { words: 'Failed', variant: 'destructive' }
  return failure === null ? { words: 'Up to date', variant: 'success' } : { words: 'Look here', variant: 'warning' }
}

/** A real count: how many there are is said only when it is known. */
export const progressWords = ({ done, total }: SourceRow['progress']): string =>
  total > 0 ? `${formatCount(done)} of ${formatCount(total)}` : `${formatCount(done)} so far`

/** Where it is: the address, or the folder. */
export const placeOf = ({ config }: Pick<SourceRow, 'config'>): string =>
  [config.url, config.path].find((one) => typeof one === 'string') ?? ''

export const scheduleWords = (everyMinutes: number | null): string =>
  schedules.find(([minutes]) => minutes === everyMinutes)?.[1] ?? `Every ${formatCount(everyMinutes ?? 0)} minutes`

/** When the next run is, as far as a person wants to know. */
export const nextRunWords = (nextRunAt: string | null, nowMs: number = Date.now()): string | null => {
  if (nextRunAt === null) return null
  const minutes = Math.ceil((new Date(nextRunAt).getTime() - nowMs) / 60_000)
  if (minutes <= 1) return 'next run within a minute'
  if (minutes < 90) return `next run in ${minutes} min`
  return minutes < 2_880 ? `next run in ${Math.round(minutes / 60)} h` : `next run in ${Math.round(minutes / 1_440)} d`
}
