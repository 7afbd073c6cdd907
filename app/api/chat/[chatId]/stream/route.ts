import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { eventStreamResponse, resume } from '#lib/chat/index.ts'

/** The answer being written, from its beginning; 204 when none is. */
export const GET = route(
  { permission: 'chat.use', limit: 'read', scope: 'ask', params: z.strictObject({ chatId: z.uuid() }) },
  async ({ viewer, params }) => {
    const stream = await resume(viewer, params.chatId)
    return stream ? eventStreamResponse(stream) : new Response(null, { status: 204 })
  },
)
