import type { Metadata } from 'next'
import { z } from 'zod'
import { RetentionScreen, type RetentionShown } from '#components/admin/retention-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { listErasures } from '#lib/erasure.ts'
import { listHolds } from '#lib/legal-holds.ts'
import { listRuns, previewRetention } from '#lib/retention.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { findTargets, placeHold, planErasure, releaseHold, requestErasure, runRetention } from './actions.ts'

export const metadata: Metadata = { title: 'Retention' }

const addressSchema = z.object({ tab: z.enum(['days', 'holds', 'erase']).catch('days') })

const read = async (viewer: Viewer, tab: RetentionShown['tab']): Promise<RetentionShown> => {
  if (tab === 'holds') return { tab, holds: await listHolds(viewer) }
  if (tab === 'erase') return { tab, erasures: await listErasures(viewer) }
  const [report, runs] = await Promise.all([previewRetention(viewer), listRuns(viewer)])
  return { tab, report, runs }
}

export default async function RetentionPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[]>>
}) {
  const viewer = await page('record.manage')
  const { tab } = addressSchema.parse(await searchParams)
  return (
    <RetentionScreen
      shown={await read(viewer, tab)}
      actions={{ findTargets, runRetention, placeHold, releaseHold, planErasure, requestErasure }}
    />
  )
}
