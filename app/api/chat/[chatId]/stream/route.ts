import { createUIMessageStreamResponse } from 'ai'
import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { resume } from '#lib/chat/index.ts'

const keepAliveMs = 15_000

/** The answer being written, from its beginning; 204 when none is. */
export const GET = route(
  { permission: 'chat.use', limit: 'read', params: z.strictObject({ chatId: z.uuid() }) },
  async ({ viewer, params }) => {
    const stream = await resume(viewer, params.chatId)
    return stream ? createUIMessageStreamResponse({ stream, keepAliveMs }) : new Response(null, { status: 204 })
  },
)
