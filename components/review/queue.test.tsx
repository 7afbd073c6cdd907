import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { TooltipProvider } from '#components/ui/tooltip.tsx'
import { openReviewsWords, reviewTotalMax } from '#lib/shared/open-reviews.ts'
import { type ReviewRow, reviewFilterSchema } from '#lib/shared/review-contract.ts'
import { QueueScreen } from './queue-screen.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined, replace: () => undefined, push: () => undefined }),
  usePathname: () => '/review',
  useSearchParams: () => new URLSearchParams(),
}))

const at = '2026-05-04T14:02:00Z'
const row: ReviewRow = {
  ...{ id: 'one', contentHash: '', kind: 'sampled', question: 'How <often>?', asker: null, reason: 'sampled' },
  ...{ words: '', risk: 10, confidence: null, collections: [], held: false, createdAt: at, dueAt: at },
  ...{ escalated: false, claimedBy: null, assignedTo: null },
}
const queue = (total: number) =>
  renderToStaticMarkup(
    <TooltipProvider>
      <QueueScreen
        initial={{ rows: total ? [row] : [], total, next: null, now: at }}
        filter={reviewFilterSchema.parse({})}
        collections={[]}
        viewerId="me"
        unreachable={null}
        actions={{
          decideMany: async () => ({ ok: false, error: { code: 'internal', message: '', retryable: false } }),
        }}
      />
    </TooltipProvider>,
  )

test('what is counted up to a number is said as that many or more', () => {
  expect(openReviewsWords(reviewTotalMax - 1)).toBe('999')
  expect(openReviewsWords(reviewTotalMax)).toBe('1,000+')
  expect(queue(reviewTotalMax)).toContain('1,000+ open')
  expect(queue(7)).toContain('>7 open')
})

test('a row is text, and says who asked also when they have left', () => {
  expect(queue(1)).toContain('How &lt;often&gt;?')
  expect(queue(1)).toContain('somebody who left')
  expect(queue(0)).toContain('Nothing waits for a decision')
})
