import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateTokens } from '#lib/shared/text.ts'
import { conversationContext, type Turn } from './context.ts'

const turn = (at: number): Turn[] => [
  { role: 'user', content: `Question ${at}: what does chapter ${at} of the handbook say about leave?` },
  { role: 'assistant', content: `Chapter ${at} grants ${at} days. ${'It goes on for a while. '.repeat(8)}` },
]
const conversation = (turns: number): Turn[] => Array.from({ length: turns }, (_, i) => turn(i + 1)).flat()
const text = (messages: readonly Turn[]): string =>
  messages.map(({ role, content }) => `${role}: ${content}\n`).join('')

describe('the context of a conversation', () => {
  it('is the whole conversation while it fits', () => {
    const turns = conversation(3)
    expect(conversationContext(turns, 10_000)).toEqual({ messages: turns, savedTokens: 0 })
  })

  it('keeps within its budget however long the conversation is, and says what it saved', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 200, max: 1_500 }), (count, tokensMax) => {
        const { messages, savedTokens } = conversationContext(conversation(count), tokensMax)
        const tokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0)
        // The digest has a bounded number of bounded lines.
        expect(tokens).toBeLessThanOrEqual(tokensMax + 1_300)
        expect(savedTokens > 0).toBe(messages.length < count * 2)
        expect(messages.at(-1)).toEqual(conversation(count).at(-1))
      }),
      { numRuns: 60 },
    )
  })

  it('begins with the same bytes from turn to turn, but for the few turns at which the window moves', () => {
    let moved = 0
    for (let count = 2; count < 60; count += 1) {
      const before = text(conversationContext(conversation(count - 1), 1_200).messages)
      const now = text(conversationContext(conversation(count), 1_200).messages)
      if (!now.startsWith(before)) moved += 1
    }
    expect(moved).toBeLessThanOrEqual(9)
  })

  it('keeps what was asked before and what the person said of themselves', () => {
    const turns = [
      { role: 'user' as const, content: 'I work in the Berlin office. How many days of leave do I get?' },
      { role: 'assistant' as const, content: 'Thirty days.' },
      ...conversation(30),
    ]
    const [digest] = conversationContext(turns.slice(0, 14), 300).messages
    expect(digest?.content).toContain('I work in the Berlin office.')
    expect(digest?.content).toContain('Asked:')
  })
})
