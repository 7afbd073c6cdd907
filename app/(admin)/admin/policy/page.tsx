import type { Metadata } from 'next'
import { z } from 'zod'
import { PolicyScreen } from '#components/admin/policy-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { policyView } from '#lib/policy.ts'
import {
  applyDraft,
  discardDraft,
  preview,
  proposeDraft,
  rejectDraft,
  renewDraft,
  rollBack,
  saveDraft,
  tryRule,
} from './actions.ts'

export const metadata: Metadata = { title: 'Policy' }

/** Parts of the address that make no sense are as if they were not there. */
const searchSchema = z.object({ before: z.coerce.number().int().min(1).max(2_147_483_647).optional().catch(undefined) })

export default async function PolicyPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('policy.manage')
  const { before } = searchSchema.parse(await searchParams)
  return (
    <PolicyScreen
      view={await policyView(viewer, before)}
      actions={{
        saveDraft,
        proposeDraft,
        applyDraft,
        rejectDraft,
        discardDraft,
        renewDraft,
        rollBack,
        preview,
        tryRule,
      }}
    />
  )
}
