import type { Metadata } from 'next'
import { DocumentsScreen } from '#components/admin/documents-screen.tsx'
import { page } from '#lib/auth/index.ts'
import { changesDocuments, listChangeable } from '#lib/documents.ts'
import { can } from '#lib/shared/viewer.ts'
import { deleteCollection, planCollectionDeletion } from '../access/actions.ts'
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
  const viewer = await page('document.read', changesDocuments)
  return (
    <DocumentsScreen
      initial={await listChangeable(viewer)}
      administers={can(viewer, 'document.manage')}
      actions={{
        retryDocument,
        deleteDocument,
        describeDocument,
        listHeldPassages,
        releasePassage,
        tagDocument,
        planCollectionDeletion,
        deleteCollection,
      }}
    />
  )
}
