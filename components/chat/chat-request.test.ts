import { describe, expect, it } from 'vitest'
import { type ChatMessage, chatRequestSchema } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { isNewer, readRefusal, toChatRequest } from './chat-request.ts'
import { everywhere } from './scope-words.ts'

const message = (role: 'user' | 'assistant', text: string, createdAt = ''): ChatMessage => ({
  id: newId(),
  role,
  metadata: { createdAt },
  parts: [{ type: 'text', text }],
})

describe('a request of the chat screen', () => {
  const chatId = newId()
  const messages = [message('user', 'One?'), message('assistant', 'One.'), message('user', 'Two?')]

  it('carries only the new question, in the shape that the server reads', () => {
    const request = toChatRequest({
      chatId,
      messages,
      trigger: 'submit-message',
      messageId: undefined,
      ...everywhere,
    })
    expect(request).toEqual({ chatId, messageId: messages[2]?.id, text: 'Two?', trigger: 'submit', collectionIds: [] })
    expect(chatRequestSchema.safeParse(request).success).toBe(true)
  })

  it('names the answer to write again and sends no text', () => {
    const answerId = newId()
    const request = toChatRequest({
      chatId,
      messages,
      trigger: 'regenerate-message',
      messageId: answerId,
      collectionIds: [],
      filter: { languages: ['de'] },
    })
    expect(request).toMatchObject({
      messageId: answerId,
      text: '',
      trigger: 'regenerate',
      filter: { languages: ['de'] },
    })
    expect(chatRequestSchema.safeParse(request).success).toBe(true)
  })
})

describe('a filter', () => {
  const sent = (filter: unknown) =>
    chatRequestSchema.safeParse({ chatId: newId(), messageId: newId(), text: 'One?', filter }).success

  it('is taken only in the shape that a search knows', () => {
    expect(sent({ tags: ['leave'], mediaTypes: ['application/pdf'], datedFrom: '2024-02-29' })).toBe(true)
    expect(sent({ datedFrom: '2023-02-29' })).toBe(false)
    expect(sent({ workspaceId: newId() })).toBe(false)
    expect(sent({ tags: Array.from({ length: 21 }, String) })).toBe(false)
  })
})

describe('a refusal', () => {
  const refusal = (error: object) => readRefusal({ responseBody: JSON.stringify({ error }) })

  it('is said in the words of the server', () => {
    expect(refusal({ code: 'busy', message: 'Wait for it.' }).message).toBe('Wait for it.')
    expect(refusal({ code: 'rate-limited', message: 'A lot.', retryAfterSeconds: 7 }).message).toContain('in 7 s')
    expect(refusal({ code: 'unauthenticated', message: 'Signed out.' }).signedOut).toBe(true)
  })

  it('is about the connection when there was no answer', () => {
    expect(readRefusal(new TypeError('Failed to fetch')).message).toContain('connection')
  })

  it('never shows a page that a proxy put in between', () => {
    expect(readRefusal({ responseBody: '<html>502</html>' }).message).not.toContain('html')
  })
})

describe('what the server loaded', () => {
  const question = message('user', 'One?')
  const early = message('assistant', 'One.', '2026-11-21T08:00:00.000Z')
  const late = message('assistant', 'Two.', '2026-11-21T09:00:00.000Z')

  it('replaces what the browser holds when it knows more', () => {
    expect(isNewer([question, early], [])).toBe(true)
    expect(isNewer([question, late], [question, early])).toBe(true)
    expect(isNewer([question, early, question], [question, early])).toBe(true)
  })

  it('does not when it is an old page from the history', () => {
    expect(isNewer([], [question, early])).toBe(false)
    expect(isNewer([question, early], [question, late])).toBe(false)
  })
})
