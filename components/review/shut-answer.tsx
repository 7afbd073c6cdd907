import type { Route } from 'next'
import Link from 'next/link'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { shutReviewWords } from '#lib/shared/review-contract.ts'

/** For who asked the question themselves, or cannot read by now what the answer was written from. */
export const ShutAnswer = ({ words }: { words: string }) => (
  <>
    <AdminHeader>
      <AdminTitle>Review</AdminTitle>
    </AdminHeader>
    <EmptyState
      title={words === shutReviewWords.own ? 'You asked this one' : 'You cannot open this one any more'}
      action={
        <Button asChild>
          <Link href={'/review' as Route}>Show the queue</Link>
        </Button>
      }
    >
      {words}
    </EmptyState>
  </>
)
