import { exportAuditLog } from '#lib/audit-log.ts'
import { route } from '#lib/auth/index.ts'
import { attachmentHeaders } from '#lib/shared/attachment.ts'
import { readAuditAddress } from '#lib/shared/audit-address.ts'

/** The audit log as CSV: what the page shows with the same address, and all of it. */
export const GET = route({ permission: 'audit.read', limit: 'read' }, async ({ viewer, request }) => {
  const { filter } = readAuditAddress(Object.fromEntries(new URL(request.url).searchParams))
  return new Response(await exportAuditLog(viewer, filter), {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      ...attachmentHeaders('audit.csv'),
    },
  })
})
