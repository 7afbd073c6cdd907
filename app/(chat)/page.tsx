import type { Metadata } from 'next'
import { page } from '#lib/auth/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { Conversation } from './conversation.tsx'

export const metadata: Metadata = { title: 'New question' }

export default async function NewChatPage() {
  return <Conversation viewer={await page('chat.use')} chatId={newId()} chat={null} />
}
