import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { followDecisions } from '#lib/chat/index.ts'

/** The answers of a chat that a person looks at, each as soon as they have decided; 204 when nobody looks at any. */
export const GET = route(
  { permission: 'chat.use', limit: 'read', params: z.strictObject({ chatId: z.uuid() }) },
  ({ viewer, params }) => followDecisions(viewer, params.chatId),
)
