import { route } from '#lib/auth/index.ts'
import { listDocuments, receiveUpload } from '#lib/documents.ts'

export const GET = route({ permission: 'document.manage', limit: 'read' }, ({ viewer }) => listDocuments(viewer))

/** One file a request, as `multipart/form-data`: fields `collectionId` or `collection` (a name) first, then `file`. */
export const POST = route({ permission: 'document.manage', limit: 'upload' }, async ({ viewer, request }) => {
  const result = await receiveUpload(viewer, request)
  return Response.json(result, { status: result.outcome === 'already-there' ? 200 : 201 })
})
