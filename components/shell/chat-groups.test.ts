import { describe, expect, it } from 'vitest'
import { groupChats } from './chat-groups.ts'

const now = new Date('2026-03-10T09:00:00Z')
const chat = (id: string, updatedAt: string) => ({ id, title: id, updatedAt })

describe('groupChats', () => {
  it('groups by calendar day, newest first, and leaves out empty groups', () => {
    const groups = groupChats(
      [
        chat('old', '2025-12-24T10:00:00.000Z'),
        chat('yesterday', '2026-03-09T23:59:59.000Z'),
        chat('early today', '2026-03-10T00:00:00.000Z'),
        chat('just now', '2026-03-10T08:59:00.000Z'),
        chat('a week ago', '2026-03-03T00:00:00.000Z'),
      ],
      now,
      'utc',
    )
    expect(groups.map(({ title, chats }) => [title, chats.map(({ id }) => id)])).toEqual([
      ['Today', ['just now', 'early today']],
      ['Yesterday', ['yesterday']],
      ['Last week', ['a week ago']],
      ['Older', ['old']],
    ])
    expect(groupChats([], now)).toEqual([])
  })
})
