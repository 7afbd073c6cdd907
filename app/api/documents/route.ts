import { route } from '#lib/auth/index.ts'
import { listDocuments, receiveUpload } from '#lib/documents.ts'

export const GET = route({ permission: 'document.manage', limit: 'read' }, ({ viewer }) => listDocuments(viewer))

// The same bytes sent twice are one document.
const upload = { permission: 'document.manage', limit: 'upload', scope: 'ingest', repetition: 'own' } as const

/** One file a request, as `multipart/form-data`: fields `collectionId` or `collection` (a name) first, then `file`. */
export const POST = route(upload, async ({ viewer, request }) => {
  const result = await receiveUpload(viewer, request)
  return Response.json(result, { status: result.outcome === 'already-there' ? 200 : 201 })
})
