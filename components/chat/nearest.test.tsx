import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import type { ChatMessage, MessageMetadata, MessageReview, NearestDocument } from '#lib/shared/chat-contract.ts'
import { Nearest } from './nearest.tsx'

const near = (title: string, charStart = 0): NearestDocument => ({
  documentId: `document of ${title}`,
  versionId: `version of ${title}`,
  title,
  mediaType: 'application/pdf',
  page: 3,
  charStart,
  charEnd: charStart + 10,
})
const reviewed = (state: MessageReview['state']): MessageMetadata => ({
  status: 'complete',
  withheld: ['No.'],
  review: { state, reasons: [], since: '' },
})

const shown = (metadata: MessageMetadata, cited: readonly NearestDocument[] = []) => {
  const message: ChatMessage = { id: 'm', role: 'assistant', metadata, parts: [] }
  return renderToStaticMarkup(<Nearest message={message} citations={cited} />)
}

test('an answer that nobody could check in time leads to the documents it was to be written from', () => {
  // Also once a person has been asked for it.
  for (const state of ['expired', 'queued'] as const) {
    const markup = shown({ ...reviewed(state), nearest: [near('Handbook')] })
    expect(markup).toContain('The documents it was to be written from:')
    expect(markup).toMatch(/<button[^>]*>.*Handbook/)
    expect(markup).not.toContain('Try the words')
  }
})

test('and says so when they have been closed since, instead of naming none', () => {
  expect(shown({ ...reviewed('expired'), nearest: [] })).toContain('None of the documents')
  expect(shown(reviewed('expired'))).toBe('')
})

test('where nothing was found stands what was nearest, and how to go on', () => {
  const markup = shown({ status: 'no-source', nearest: [near('Handbook')] })
  expect(markup).toContain('Nearest to the question:')
  expect(markup).toContain('Try the words')
  expect(shown({ status: 'no-source' })).toContain('Try the words')
  const rejected = shown({ ...reviewed('rejected'), nearest: [near('Handbook')] })
  expect(rejected).toContain('Nearest to the question:')
  expect(rejected).not.toContain('Try the words')
})

test('what the answer itself cites is not named twice', () => {
  const cited = near('Handbook')
  expect(shown({ status: 'complete', nearest: [cited] }, [cited])).toBe('')
  expect(shown({ status: 'complete', nearest: [cited, near('Handbook', 90)] }, [cited]).match(/<button/g)).toHaveLength(
    1,
  )
  expect(shown({ status: 'complete' })).toBe('')
})
