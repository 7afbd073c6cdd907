import type { Metadata } from 'next'
import { z } from 'zod'
import { CalibrationScreen } from '#components/review/calibration-screen.tsx'
import { figureDays } from '#components/review/desk-contract.ts'
import { page } from '#lib/auth/index.ts'
import { calibrationReport } from '#lib/review/index.ts'

export const metadata: Metadata = { title: 'Calibration' }

const daysSchema = z.enum(figureDays).catch('90')

export default async function CalibrationPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('review.decide')
  const days = daysSchema.parse((await searchParams).days)
  return <CalibrationScreen report={await calibrationReport(viewer, Number(days))} days={days} />
}
