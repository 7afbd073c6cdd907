import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { TooltipProvider } from '#components/ui/tooltip.tsx'
import type { MessageMetadata, MessageReview } from '#lib/shared/chat-contract.ts'
import { Answer } from './answer.tsx'

const shown = (text: string, metadata: MessageMetadata) =>
  renderToStaticMarkup(
    <TooltipProvider>
      <Answer
        message={{ id: 'm', role: 'assistant', metadata, parts: [{ type: 'text', text }] }}
        streaming={false}
        stage={null}
        rights={{ canSeeCosts: false, canSeeTraces: false }}
        answerer={{ id: 'built-in', kind: 'built-in' }}
        onAskAgain={null}
        onAsk={null}
      />
    </TooltipProvider>,
  )
const since = '2026-01-01T00:00:00.000Z'
const withheld = (review: MessageReview): MessageMetadata => ({
  status: 'complete',
  withheld: [''],
  review,
})

test('the documents that are promised for an answer nobody could check are there', () => {
  const near = { documentId: 'd', versionId: 'v', title: 'Handbook.pdf', page: 3, charStart: 0, charEnd: 0 }
  const markup = shown('Nobody could check this answer in time. These are the documents it was to be written from.', {
    ...withheld({ state: 'expired', reasons: [], since }),
    nearest: [near],
  })
  expect(markup).toMatch(/<button[^>]*><span[^>]*>.*Handbook.*p\. 3/)
})

test('what a reviewer wrote beside an answer is read once, also where it ends the words of a rejection', () => {
  const note = 'Ask Rita.'
  const rejected = shown(
    `A person has withdrawn it.\n\n${note}`,
    withheld({ state: 'rejected', reasons: [], since, note }),
  )
  expect(rejected.match(/Ask Rita\./g)).toHaveLength(1)
  const approved = shown('30 days.', { status: 'complete', review: { state: 'approved', reasons: [], since, note } })
  expect(approved.match(/Ask Rita\./g)).toHaveLength(1)
})
