import type { Metadata } from 'next'
import { CorrectionsScreen } from '#components/review/corrections-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { listCorrections } from '#lib/review/index.ts'
import { can } from '#lib/shared/viewer.ts'
import { resolveNote, retireCurated } from './actions.ts'

export const metadata: Metadata = { title: 'Corrections' }

export default async function CorrectionsPage() {
  const viewer = await page('review.decide')
  return (
    <CorrectionsScreen
      corrections={await listCorrections(viewer)}
      opensRetrieval={can(viewer, 'document.manage')}
      actions={{ retireCurated, resolveNote }}
    />
  )
}
