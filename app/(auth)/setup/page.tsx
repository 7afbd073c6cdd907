import type { Metadata } from 'next'
import Link from 'next/link'
import { SetupForm } from '#components/account/entry-forms.tsx'
import { EntryPage } from '#components/account/entry-page.tsx'
import { DeadEnd } from '#components/shell/dead-end.tsx'
import { Button } from '#components/ui/button.tsx'
import { isLinkOpen } from '#lib/auth/index.ts'
import { setupAction } from '../actions.ts'

export const metadata: Metadata = { title: 'Set up' }

export default async function SetupPage({ searchParams }: { searchParams: Promise<{ token?: string | string[] }> }) {
  const { token } = await searchParams
  if (typeof token !== 'string' || !(await isLinkOpen('setup', token)))
    return (
      <DeadEnd
        title="This link is over"
        actions={
          <Button variant="primary" asChild>
            <Link href="/sign-in">Sign in</Link>
          </Button>
        }
      >
        It works once, for an hour, and only as long as nobody owns a workspace. If that is so, start the server again:
        it prints a new one.
      </DeadEnd>
    )
  return (
    <EntryPage title="Make the first workspace">
      <SetupForm token={token} send={setupAction} />
    </EntryPage>
  )
}
