import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { z } from 'zod'
import { AccessScreen } from '#components/admin/access-screen.tsx'
import { listCollectionsForAccess, whatCanRead, whoCanRead } from '#lib/access.ts'
import { page } from '#lib/auth/index.ts'
import { listGroups } from '#lib/people.ts'
import { toAppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import {
  createCollection,
  deleteCollection,
  findPeople,
  giveGrant,
  planCollectionDeletion,
  renameCollection,
  takeGrant,
} from './actions.ts'

export const metadata: Metadata = { title: 'Access' }

/** What the address says; what cannot be read of it is as if it were not there. */
const addressSchema = z.object({
  tab: z.enum(['collections', 'people']).catch('collections'),
  collection: z.uuid().optional().catch(undefined),
  document: z.uuid().optional().catch(undefined),
  person: z.uuid().optional().catch(undefined),
  q: z.string().trim().max(100).catch(''),
})

const found = <Value,>(asked: Promise<Value>): Promise<Value> =>
  asked.catch((error: unknown) => {
    if (toAppError(error).code === 'not-found') notFound()
    throw error
  })

const read = async (
  viewer: Viewer,
  { tab, collection: collectionId, document: documentId, person, q }: z.output<typeof addressSchema>,
) => {
  if (tab === 'people') return { tab, what: person ? await found(whatCanRead(viewer, person)) : null } as const
  const of = documentId ? { documentId } : collectionId ? { collectionId } : null
  if (of) return { tab: 'readers', who: await found(whoCanRead(viewer, of, q)), asked: q } as const
  return { tab, collections: await listCollectionsForAccess(viewer) } as const
}

export default async function AccessPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[]>>
}) {
  const viewer = await page('access.manage')
  const address = addressSchema.parse(await searchParams)
  const [shown, groups] = await Promise.all([read(viewer, address), listGroups(viewer)])
  return (
    <AccessScreen
      workspaceId={viewer.workspaceId}
      groups={groups.map(({ id, name, members }) => ({ id, name, members }))}
      shown={shown}
      actions={{
        createCollection,
        renameCollection,
        planCollectionDeletion,
        deleteCollection,
        giveGrant,
        takeGrant,
        findPeople,
      }}
    />
  )
}
