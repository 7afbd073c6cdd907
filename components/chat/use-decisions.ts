'use client'
import { useEffect } from 'react'
import { type ChatMessage, isPending } from '#lib/shared/chat-contract.ts'
import { keepDecisionLine } from './decision-line.ts'
import type { OpenChat } from './open-chat.ts'

/** Listens for what people decide on answers of this chat, for as long as any waits for one. */
export const useDecisions = (
  opened: OpenChat,
  messages: readonly ChatMessage[],
  onDecided: (words: string) => void,
): void => {
  const pending = messages.filter(({ metadata }) => metadata?.review && isPending(metadata.review))
  const waiting = pending.length
  // The line is made anew when another answer begins to wait.
  const ids = pending.map(({ id }) => id).join(' ')
  useEffect(() => {
    if (!ids) return
    return keepDecisionLine({
      url: `/api/chat/${opened.chat.id}/decisions`,
      waiting,
      onUnsure: opened.refresh,
      onDecided: (message) => {
        opened.replace(message)
        onDecided(
          message.metadata?.withheld
            ? 'A person has decided not to show an answer.'
            : 'A person has checked an answer.',
        )
      },
    })
  }, [opened, ids, waiting, onDecided])
}
