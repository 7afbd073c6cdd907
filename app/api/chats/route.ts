import { route } from '#lib/auth/index.ts'
import { listChats } from '#lib/chat/index.ts'

export const GET = route({ permission: 'chat.use', limit: 'read' }, async ({ viewer, request }) => ({
  chats: await listChats(viewer, new URL(request.url).searchParams.get('query') ?? ''),
}))
