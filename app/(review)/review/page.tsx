import type { Metadata, Route } from 'next'
import { redirect } from 'next/navigation'
import { QueueScreen } from '#components/review/queue-screen.tsx'
import { listCollections } from '#db/reports/documents.ts'
import { readFor } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'
import { listQueue, listUnreachable } from '#lib/review/index.ts'
import { toAppError } from '#lib/shared/errors.ts'
import { readReviewAddress, reviewQuery } from '#lib/shared/review-address.ts'
import { can } from '#lib/shared/viewer.ts'
import { decideMany } from './actions.ts'

export const metadata: Metadata = { title: 'Review' }

export default async function ReviewPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('review.decide')
  const filter = readReviewAddress(await searchParams)
  const [queue, collections, unreachable] = await Promise.all([
    listQueue(viewer, filter).catch((thrown) => {
      // A place in the list that is none: begin at its top.
      if (filter.after && toAppError(thrown).code === 'bad-request') return null
      throw thrown
    }),
    readFor(viewer, listCollections),
    can(viewer, 'review.manage') ? listUnreachable(viewer) : null,
  ])
  if (!queue) redirect(`/review${reviewQuery(filter)}` as Route)
  return (
    <QueueScreen
      initial={{ ...queue, now: new Date().toISOString() }}
      filter={filter}
      collections={collections.map(({ id, name }) => ({ id, name }))}
      viewerId={viewer.userId}
      unreachable={unreachable}
      actions={{ decideMany }}
    />
  )
}
