'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import { deleteChat, renameChat, summariseChat, summariseSelection } from '#lib/chat/index.ts'
import { askPerson, giveFeedback } from '#lib/review/index.ts'
import { askPersonSchema, feedbackSchema } from '#lib/shared/review-contract.ts'
import { selectionCharsMax } from '#lib/shared/summary-contract.ts'

export const renameChatAction = action(
  z.strictObject({ chatId: z.uuid(), title: z.string().max(500) }),
  'chat.use',
  async ({ chatId, title }, viewer) => {
    await renameChat(viewer, chatId, title)
    return null
  },
)

export const deleteChatAction = action(z.strictObject({ chatId: z.uuid() }), 'chat.use', async ({ chatId }, viewer) => {
  await deleteChat(viewer, chatId)
  return null
})

export const summariseChatAction = action(z.strictObject({ chatId: z.uuid() }), 'chat.use', ({ chatId }, viewer) =>
  summariseChat(viewer, chatId),
)

export const summariseSelectionAction = action(
  // Wider than what is summarised, so that too much is refused in words that say so.
  z.strictObject({ chatId: z.uuid(), title: z.string().max(2_000), text: z.string().max(selectionCharsMax * 4) }),
  'chat.use',
  (marked, viewer) => summariseSelection(viewer, marked),
)

export const giveFeedbackAction = action(feedbackSchema, 'chat.use', (said, viewer) => giveFeedback(viewer, said))

export const askPersonAction = action(askPersonSchema, 'chat.use', ({ messageId, words }, viewer) =>
  askPerson(viewer, messageId, words),
)
