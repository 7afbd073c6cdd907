import { route } from '#lib/auth/index.ts'
import { listNotifications } from '#lib/review/index.ts'

/** What the viewer has been told lately, and how much of it is unread. Every open page asks again and again. */
export const GET = route({ permission: 'chat.use', limit: 'read' }, async ({ viewer }) =>
  Response.json(await listNotifications(viewer), { headers: { 'cache-control': 'private, no-store' } }),
)
