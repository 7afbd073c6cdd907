/**
 * What of a conversation goes into the next prompt: the latest turns as they were, what came before in short, and what the person
 * said about themselves. Pure. The window moves in steps of half its size, so that from turn to turn the prompt begins with the
 * same bytes and a vendor's prompt cache can use them; what is left out is counted.
 */
import { estimateTokens, sentences, truncate } from '#lib/shared/text.ts'

export type Turn = { role: 'user' | 'assistant'; content: string }
export type ConversationContext = {
  messages: Turn[]
  /** Tokens of earlier turns that were left out, less those of their digest. */
  savedTokens: number
}

const tokensOf = (turns: readonly Turn[]): number =>
  turns.reduce((sum, { content }) => sum + estimateTokens(content), 0)

/** Room for the earlier turns in a prompt. */
export const historyTokensMax = 1_200

/** One line of the digest, and lines at most. */
const lineChars = 140
const linesMax = 12
const pinnedMax = 6
/** What a person says of themselves stays true for the whole conversation. */
const aboutThemselves = /^(i['’]?m|i am|i work|i live|i have|i['’]ve|we are|we['’]re|we have|we use|my|our)\b[^?]*$/i

const firstSentence = (text: string): string => {
  const [first] = sentences(text)
  return truncate((first ? text.slice(first.start, first.end) : text).replace(/\s+/g, ' '), lineChars)
}

/** Where the window begins: found again from the first turn on, so that it depends on nothing but the turns. */
const windowStart = (turns: readonly Turn[], tokensMax: number): number => {
  let start = 0
  for (let end = 1; end <= turns.length; end += 1) {
    if (tokensOf(turns.slice(start, end)) <= tokensMax) continue
    while (start < end - 1 && tokensOf(turns.slice(start, end)) > tokensMax / 2) start += 1
  }
  // A window that began with an answer would show it without its question.
  while (start < turns.length && turns[start]?.role === 'assistant') start += 1
  return start
}

const digestOf = (turns: readonly Turn[]): string => {
  const asked = turns.flatMap(({ role, content }, at) => {
    if (role !== 'user') return []
    const answer = turns[at + 1]?.role === 'assistant' ? turns[at + 1] : undefined
    return [`- Asked: ${firstSentence(content)}${answer ? ` Answered: ${firstSentence(answer.content)}` : ''}`]
  })
  const pinned = turns
    .filter(({ role }) => role === 'user')
    .flatMap(({ content }) => sentences(content).map(({ start, end }) => content.slice(start, end)))
    .filter((sentence) => aboutThemselves.test(sentence))
    .map((sentence) => `- ${truncate(sentence.replace(/\s+/g, ' '), lineChars)}`)
  return [
    'Earlier in this conversation, in short:',
    ...asked.slice(-linesMax),
    ...(pinned.length > 0 ? ['What the person said of themselves:', ...new Set(pinned.slice(-pinnedMax))] : []),
  ].join('\n')
}

/** The turns, oldest first, cut to about `tokensMax` tokens. The last turn is always there, cut at its end when it alone is longer. */
export const conversationContext = (turns: readonly Turn[], tokensMax: number): ConversationContext => {
  const start = windowStart(turns, tokensMax)
  const kept = turns.slice(start).map((turn) => ({ ...turn, content: truncate(turn.content, tokensMax * 3) }))
  if (start === 0) return { messages: kept, savedTokens: tokensOf(turns) - tokensOf(kept) }
  const digest: Turn = { role: 'user', content: digestOf(turns.slice(0, start)) }
  return {
    messages: [digest, ...kept],
    savedTokens: Math.max(0, tokensOf(turns) - tokensOf(kept) - estimateTokens(digest.content)),
  }
}
