import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { z } from 'zod'
import { DeskScreen } from '#components/review/desk-screen.tsx'
import { ShutAnswer } from '#components/review/shut-answer.tsx'
import { page } from '#lib/auth/index.ts'
import { loadReview } from '#lib/review/index.ts'
import { toAppError } from '#lib/shared/errors.ts'
import { readReviewAddress } from '#lib/shared/review-address.ts'
import { can } from '#lib/shared/viewer.ts'
import { openReviews } from '../../../open-reviews.ts'
import { askExpert, checkEdit, comment, handOn, listReviewers, saveDraft } from '../actions.ts'
import { noteDocument, saveCurated, saveGolden } from '../corrections/actions.ts'

export const metadata: Metadata = { title: 'Review' }

type Props = {
  params: Promise<{ itemId: string }>
  searchParams: Promise<Record<string, unknown>>
}

export default async function ReviewItemPage({ params, searchParams }: Props) {
  const viewer = await page('review.decide')
  const { itemId } = await params
  if (!z.uuid().safeParse(itemId).success) notFound()
  const [item, waiting] = await Promise.all([
    loadReview(viewer, itemId).catch((thrown) => {
      const error = toAppError(thrown)
      if (error.code === 'not-found') notFound()
      // Their own question, or a source that was closed to them: said in words.
      if (error.code === 'forbidden') return { words: error.publicMessage }
      throw thrown
    }),
    openReviews(viewer),
  ])
  if ('words' in item && !('id' in item)) return <ShutAnswer words={item.words} />
  return (
    <DeskScreen
      initial={{ item, now: new Date().toISOString() }}
      filter={readReviewAddress(await searchParams)}
      openCount={waiting}
      viewer={{
        id: viewer.userId,
        mayTakeOver: can(viewer, 'review.manage'),
        maySeeTraces: can(viewer, 'trace.read'),
      }}
      actions={{
        ...{ saveDraft, checkEdit, comment, listReviewers, handOn, askExpert },
        ...{ saveGolden, saveCurated, noteDocument },
      }}
    />
  )
}
