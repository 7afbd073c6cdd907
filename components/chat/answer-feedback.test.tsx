import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { TooltipProvider } from '#components/ui/tooltip.tsx'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'
import type { Feedback } from '#lib/shared/review-contract.ts'
import { AnswerFeedback, AnswerFeedbackProvider } from './answer-feedback.tsx'

const never = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const shown = (metadata: MessageMetadata, said: Record<string, Feedback> = {}, canAsk = true) =>
  renderToStaticMarkup(
    <TooltipProvider>
      <AnswerFeedbackProvider
        actions={{ giveFeedback: never, askPerson: never }}
        said={said}
        canAsk={canAsk}
        onAsked={() => undefined}
      >
        <AnswerFeedback messageId="m" metadata={metadata} />
      </AnswerFeedbackProvider>
    </TooltipProvider>,
  )
const pressed = (markup: string): (string | undefined)[] =>
  [...markup.matchAll(/aria-label="(\w+) answer" aria-pressed="(\w+)"/g)].map(([, name, on]) => `${name} ${on}`)

test('a finished answer takes a thumb, and shows the one that was given before', () => {
  expect(pressed(shown({ status: 'complete' }))).toEqual(['Good false', 'Bad false'])
  const down: Feedback = { value: -1, reasons: [], comment: '' }
  expect(pressed(shown({ status: 'no-source' }, { m: down }))).toEqual(['Good false', 'Bad true'])
})

test('what is still written, held or failed takes none', () => {
  for (const status of ['streaming', 'held', 'failed'] as const) expect(shown({ status })).toBe('')
})

test('a person can be asked where there is no answer, and only once', () => {
  const review = (state: 'queued' | 'expired' | 'rejected') => ({ state, reasons: [], since: '' })
  const asks = (metadata: MessageMetadata, canAsk = true) => shown(metadata, {}, canAsk).includes('Ask a person')
  expect(asks({ status: 'no-source' })).toBe(true)
  expect(asks({ status: 'complete', withheld: ['No.'] })).toBe(true)
  expect(asks({ status: 'complete', withheld: ['No.'], review: review('expired') })).toBe(true)
  expect(asks({ status: 'no-source' }, false)).toBe(false)
  expect(asks({ status: 'complete' })).toBe(false)
  expect(asks({ status: 'no-source', review: review('queued') })).toBe(false)
  expect(asks({ status: 'complete', withheld: ['No.'], review: review('rejected') })).toBe(false)
})
