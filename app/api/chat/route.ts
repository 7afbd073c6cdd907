import { createUIMessageStreamResponse } from 'ai'
import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { respond } from '#lib/chat/index.ts'
import { chatRequestSchema } from '#lib/shared/chat-contract.ts'

/** A proxy that sees nothing for a minute cuts the line; a comment each 15 s keeps it. */
const keepAliveMs = 15_000

export const POST = route(
  // The length is checked where it can be refused in words.
  { permission: 'chat.use', limit: 'question', body: chatRequestSchema.extend({ text: z.string().default('') }) },
  async ({ viewer, body }) => createUIMessageStreamResponse({ stream: await respond(body, viewer), keepAliveMs }),
)
