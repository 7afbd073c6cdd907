import type { Route } from 'next'
import Link from 'next/link'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'

/** For who asked the question themselves. */
export const OwnAnswer = ({ words }: { words: string }) => (
  <>
    <AdminHeader>
      <AdminTitle>Review</AdminTitle>
    </AdminHeader>
    <EmptyState
      title="You asked this one"
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
