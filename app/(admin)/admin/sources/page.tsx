import type { Metadata } from 'next'
import { SourcesScreen } from '#components/admin/sources-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { sourceForms } from '#lib/shared/sources-contract.ts'
import { listSources } from '#lib/sources.ts'
import { deleteSource, pauseSource, runSource, saveSource } from './actions.ts'

export const metadata: Metadata = { title: 'Sources' }

export default async function SourcesPage() {
  const viewer = await page('document.manage')
  return (
    <SourcesScreen
      initial={await listSources(viewer)}
      forms={sourceForms()}
      actions={{ saveSource, runSource, pauseSource, deleteSource }}
    />
  )
}
