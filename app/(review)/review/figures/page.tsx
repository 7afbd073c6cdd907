import type { Metadata } from 'next'
import { z } from 'zod'
import { figureDays } from '#components/review/desk-contract.ts'
import { FiguresScreen } from '#components/review/figures-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { reviewMetrics } from '#lib/review/index.ts'
import { can } from '#lib/shared/viewer.ts'
import { seed } from '../actions.ts'

export const metadata: Metadata = { title: 'Review figures' }

const daysSchema = z.enum(figureDays).catch('30')

export default async function ReviewFiguresPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('review.decide')
  const days = daysSchema.parse((await searchParams).days)
  return (
    <FiguresScreen
      metrics={await reviewMetrics(viewer, Number(days))}
      days={days}
      seed={can(viewer, 'review.manage') ? seed : null}
    />
  )
}
