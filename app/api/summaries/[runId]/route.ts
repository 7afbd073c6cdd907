import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { summaryRun } from '#lib/chat/index.ts'

export const GET = route(
  { permission: 'chat.use', limit: 'read', params: z.strictObject({ runId: z.uuid() }) },
  ({ viewer, params }) => summaryRun(viewer, params.runId),
)
