import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { cache } from 'react'
import { z } from 'zod'
import { page } from '#lib/auth/index.ts'
import { loadChat } from '#lib/chat/index.ts'
import { Conversation } from '../../conversation.tsx'

type Props = { params: Promise<{ chatId: string }> }

/** The title and the page read the same chat once. */
const load = cache(async (chatId: string) => {
  const viewer = await page('chat.use')
  return { viewer, chat: z.uuid().safeParse(chatId).success ? await loadChat(viewer, chatId) : null }
})

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { chat } = await load((await params).chatId)
  return { title: chat?.title ?? 'Not found' }
}

export default async function ChatPage({ params }: Props) {
  const { chatId } = await params
  const { viewer, chat } = await load(chatId)
  if (!chat) notFound()
  return <Conversation viewer={viewer} chatId={chatId} chat={chat} />
}
