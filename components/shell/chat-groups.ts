import type { ChatSummary } from '#lib/shared/chat-contract.ts'

export type ChatGroup = { title: 'Today' | 'Yesterday' | 'Last week' | 'Older'; chats: ChatSummary[] }

/** Midnight of the day of `now`, in the machine's time zone or, before the browser has said which, in UTC. */
const startOfDay = (now: Date, zone: 'local' | 'utc', daysAgo: number): number =>
  zone === 'utc'
    ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - daysAgo)
    : new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo).getTime()

/** Conversations by calendar day of their last change, newest first; groups without any are left out. */
export const groupChats = (chats: readonly ChatSummary[], now: Date, zone: 'local' | 'utc' = 'local'): ChatGroup[] => {
  const since: [ChatGroup['title'], number][] = [
    ['Today', startOfDay(now, zone, 0)],
    ['Yesterday', startOfDay(now, zone, 1)],
    ['Last week', startOfDay(now, zone, 7)],
    ['Older', Number.NEGATIVE_INFINITY],
  ]
  const groups = since.map(([title]): ChatGroup => ({ title, chats: [] }))
  for (const chat of [...chats].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt))) {
    const at = Date.parse(chat.updatedAt)
    groups[since.findIndex(([, from]) => at >= from)]?.chats.push(chat)
  }
  return groups.filter((group) => group.chats.length > 0)
}
