'use client'
import { useEffect } from 'react'
import { type ChatMessage, isPending } from '#lib/shared/chat-contract.ts'
import type { OpenChat } from './open-chat.ts'

/** Listens for what people decide on answers of this chat, for as long as any waits for one. */
export const useDecisions = (
  opened: OpenChat,
  messages: readonly ChatMessage[],
  onDecided: (words: string) => void,
): void => {
  // The listener is made anew when another answer begins to wait.
  const pending = messages
    .filter(({ metadata }) => metadata?.review && isPending(metadata.review))
    .map(({ id }) => id)
    .join(' ')
  useEffect(() => {
    if (!pending) return
    const source = new EventSource(`/api/chat/${opened.chat.id}/decisions`)
    source.addEventListener('decided', (event) => {
      const message = JSON.parse(event.data) as ChatMessage
      opened.replace(message)
      onDecided(
        message.metadata?.withheld ? 'A person has decided not to show an answer.' : 'A person has checked an answer.',
      )
    })
    // Gone, or decided before the line was open: only the server knows how it stands.
    source.addEventListener('gone', () => opened.refresh())
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) opened.refresh()
    })
    return () => source.close()
  }, [opened, pending, onDecided])
}
