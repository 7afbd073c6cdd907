import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { deleteDocument } from '#lib/documents.ts'

export const DELETE = route(
  { permission: 'document.read', limit: 'write', params: z.strictObject({ documentId: z.uuid() }) },
  async ({ viewer, params }) => {
    await deleteDocument(viewer, params.documentId)
    return new Response(null, { status: 204 })
  },
)
