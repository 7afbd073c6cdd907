import type { Metadata, Route } from 'next'
import { redirect } from 'next/navigation'
import { CodeForm } from '#components/account/entry-forms.tsx'
import { EntryPage } from '#components/account/entry-page.tsx'
import { waitingHere } from '#lib/auth/index.ts'
import { returnPath } from '#lib/shared/return-path.ts'
import { signInCodeAction } from '../../actions.ts'

export const metadata: Metadata = { title: 'Your code' }

export default async function CodePage({ searchParams }: { searchParams: Promise<{ from?: string | string[] }> }) {
  const from = returnPath((await searchParams).from)
  if (!(await waitingHere())) redirect(`/sign-in?from=${encodeURIComponent(from)}` as Route)
  return (
    <EntryPage title="Your code">
      <CodeForm from={from} send={signInCodeAction} />
    </EntryPage>
  )
}
