import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { listNotifications, markRead } from '#lib/review/index.ts'

/** Marks some of the viewer's own as read, or all that had come by `until`; answers with how it stands then. */
export const POST = route(
  {
    permission: 'chat.use',
    limit: 'write',
    repetition: 'own',
    body: z.union([
      z.strictObject({ ids: z.array(z.uuid()).min(1).max(100) }),
      z.strictObject({ until: z.iso.datetime() }),
    ]),
  },
  async ({ viewer, body }) => {
    await markRead(viewer, 'ids' in body ? body : { until: new Date(body.until) })
    return listNotifications(viewer)
  },
)
