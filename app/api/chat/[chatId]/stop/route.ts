import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { stop } from '#lib/chat/index.ts'

export const POST = route(
  { permission: 'chat.use', limit: 'write', scope: 'ask', params: z.strictObject({ chatId: z.uuid() }) },
  async ({ viewer, params }) => {
    await stop(viewer, params.chatId)
    return new Response(null, { status: 202 })
  },
)
