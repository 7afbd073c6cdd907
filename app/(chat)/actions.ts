'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import { deleteChat, renameChat } from '#lib/chat/index.ts'

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
