import { route } from '#lib/auth/index.ts'
import { listChangeable, receiveUpload } from '#lib/documents.ts'

// Who may change documents of which collection is said by grants, not by a role.
export const GET = route({ permission: 'document.read', limit: 'read' }, ({ viewer }) => listChangeable(viewer))

// The same bytes sent twice are one document.
const upload = { permission: 'document.read', limit: 'upload', scope: 'ingest', repetition: 'own' } as const

/** One file a request, as `multipart/form-data`: fields `collectionId` or `collection` (a name) first, then `file`. */
export const POST = route(upload, async ({ viewer, request }) => {
  const result = await receiveUpload(viewer, request)
  return Response.json(result, { status: result.outcome === 'already-there' ? 200 : 201 })
})
