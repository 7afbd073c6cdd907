import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { openVersionFile } from '#lib/documents.ts'
import { attachmentHeaders } from '#lib/shared/attachment.ts'
import { inertTypeOf } from './inert-type.ts'

/**
 * The file as uploaded, always as a download: nothing in it may run in our origin. The viewer reads PDF bytes through fetch and draws
 * pictures, which alone are sent as what they are.
 */
export const GET = route(
  { permission: 'document.read', limit: 'read', params: z.strictObject({ versionId: z.uuid() }) },
  async ({ viewer, params }) => {
    const { name, bytes, stream } = await openVersionFile(viewer, params.versionId)
    return new Response(stream, {
      headers: {
        'content-type': inertTypeOf(name),
        'content-length': String(bytes),
        ...attachmentHeaders(name),
      },
    })
  },
)
