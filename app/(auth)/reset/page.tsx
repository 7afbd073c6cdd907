import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { ResetForm } from '#components/account/entry-forms.tsx'
import { EntryPage } from '#components/account/entry-page.tsx'
import { DeadEnd } from '#components/shell/dead-end.tsx'
import { Button } from '#components/ui/button.tsx'
import { isLinkOpen } from '#lib/auth/index.ts'
import { resetAction } from '../actions.ts'

export const metadata: Metadata = { title: 'A new password' }

export default async function ResetPage({ searchParams }: { searchParams: Promise<{ token?: string | string[] }> }) {
  const { token } = await searchParams
  if (typeof token !== 'string' || !(await isLinkOpen('password-reset', token)))
    return (
      <DeadEnd
        title="This link is over"
        actions={
          <Button variant="primary" asChild>
            <Link href={'/forgot' as Route}>Ask for a new link</Link>
          </Button>
        }
      >
        It works once, within an hour, and a newer one ends it.
      </DeadEnd>
    )
  return (
    <EntryPage title="Choose a new password">
      <ResetForm token={token} send={resetAction} />
    </EntryPage>
  )
}
