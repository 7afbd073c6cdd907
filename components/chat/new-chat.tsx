'use client'
import { usePathname } from 'next/navigation'
import { useEffect, useState } from 'react'
import { newId } from '#lib/shared/ids.ts'
import { ChatScreen, type ChatScreenProps } from './chat-screen.tsx'
import { chatPath, hasAddress, isOpen } from './open-chat.ts'

const chatIdIn = (pathname: string): string | null => /^\/c\/([^/]+)$/.exec(pathname)?.[1] ?? null

const nothingSaid = {}

/**
 * The page for a new question. Its first question gives the chat an address without a new page, so this page then stands for two:
 * back at `/` it begins another chat, and a step back in the history to that address shows the chat again.
 */
export const NewChat = (
  props: Omit<ChatScreenProps, 'title' | 'initialMessages' | 'resume' | 'openSummary' | 'feedback'>,
) => {
  const { viewerId } = props
  const addressed = chatIdIn(usePathname())
  const [fresh, setFresh] = useState(props.chatId)
  if (!addressed && hasAddress(fresh)) setFresh(newId())
  const chatId = addressed ?? fresh

  useEffect(() => {
    // The browser's history knows the address but this tab has forgotten the chat: the server has it.
    if (addressed && !isOpen(viewerId, addressed)) window.location.replace(chatPath(addressed))
  }, [addressed, viewerId])

  return (
    <ChatScreen
      {...props}
      key={chatId}
      chatId={chatId}
      title=""
      initialMessages={[]}
      resume={false}
      openSummary={null}
      feedback={nothingSaid}
    />
  )
}
