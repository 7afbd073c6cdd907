import { route } from '#lib/auth/index.ts'
import { exportLabels } from '#lib/review/index.ts'
import { attachmentHeaders } from '#lib/shared/attachment.ts'

/** Finished labels as JSONL, one answer a line. */
export const GET = route({ permission: 'review.manage', limit: 'read' }, async ({ viewer }) => {
  return new Response(await exportLabels(viewer), {
    headers: { 'content-type': 'application/jsonl; charset=utf-8', ...attachmentHeaders('labels.jsonl') },
  })
})
