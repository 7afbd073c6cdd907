import { route } from '#lib/auth/index.ts'
import { exportData } from '#lib/data-export.ts'
import { attachmentHeaders } from '#lib/shared/attachment.ts'

/** Everything that is kept about the viewer, as a tar file. */
export const GET = route({ permission: 'account.manage', limit: 'export' }, async ({ viewer }) => {
  const { name, bytes, stream } = await exportData(viewer)
  return new Response(stream, {
    headers: {
      'content-type': 'application/x-tar',
      'content-length': String(bytes),
      ...attachmentHeaders(name),
    },
  })
})
