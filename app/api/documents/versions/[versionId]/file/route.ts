import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { openVersionFile } from '#lib/documents.ts'

/** The file as uploaded, always as a download: nothing in it may run in our origin. The viewer reads PDF bytes through fetch. */
export const GET = route(
  { permission: 'document.read', limit: 'read', params: z.strictObject({ versionId: z.uuid() }) },
  async ({ viewer, params }) => {
    const { name, bytes, stream } = await openVersionFile(viewer, params.versionId)
    return new Response(stream, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(bytes),
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`,
        'content-security-policy': "sandbox; default-src 'none'",
        'x-content-type-options': 'nosniff',
      },
    })
  },
)
