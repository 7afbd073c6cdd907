import type { Metadata } from 'next'
import { DocumentsScreen } from '#components/admin/documents-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { listDocuments } from '#lib/documents.ts'
import {
  deleteDocument,
  describeDocument,
  listHeldPassages,
  releasePassage,
  retryDocument,
  tagDocument,
} from './actions.ts'

export const metadata: Metadata = { title: 'Documents' }

export default async function DocumentsPage() {
  const viewer = await page('document.manage')
  return (
    <DocumentsScreen
      initial={await listDocuments(viewer)}
      actions={{ retryDocument, deleteDocument, describeDocument, listHeldPassages, releasePassage, tagDocument }}
    />
  )
}
