import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { eventStreamResponse, respond } from '#lib/chat/index.ts'
import { chatRequestSchema } from '#lib/shared/chat-contract.ts'

export const POST = route(
  // The length is checked where it can be refused in words.
  {
    permission: 'chat.use',
    limit: 'question',
    scope: 'ask',
    body: chatRequestSchema.extend({ text: z.string().default('') }),
    // The same message sent twice is one message.
    repetition: 'own',
  },
  async ({ viewer, body }) => eventStreamResponse(await respond(body, viewer)),
)
