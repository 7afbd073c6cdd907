import type { Metadata, Route } from 'next'
import { redirect } from 'next/navigation'
import { EntryPage } from '#components/account/entry-page.tsx'
import { SignInForm } from '#components/shell/sign-in-form.tsx'
import { currentViewer, demoAccounts, providerName } from '#lib/auth/index.ts'
import { returnPath } from '#lib/shared/return-path.ts'
import { providerSignInAction, signInAction } from '../actions.ts'

export const metadata: Metadata = { title: 'Sign in' }

const invited = 'Ask an admin to invite you.'
/** Why a sign-in through the provider did not work: our own reasons, and those of Auth.js. */
const refusals: Record<string, string> = {
  unverified:
    'The provider has not verified your e-mail address, so it opens nothing here. Verify it there, then try again.',
  taken: `Your address has an account that another sign-in opens. Sign in the way you did before, or ask an admin.`,
  uninvited: `You have no account here. ${invited}`,
  suspended: `Your access has been suspended or has ended. ${invited}`,
  AccessDenied: 'The provider sent something that could not be checked, so nothing was opened. Try again.',
  Configuration: 'The sign-in provider did not answer as it should. Try again; if it goes on, tell an admin.',
  OAuthCallbackError: 'The provider did not let you in, or you went back. Try again.',
}
const refusalWords = (error: unknown): string | null =>
  typeof error === 'string' && Object.hasOwn(refusals, error) ? (refusals[error] ?? null) : null

type Search = { from?: string | string[]; error?: string | string[] }

export default async function SignInPage({ searchParams }: { searchParams: Promise<Search> }) {
  const search = await searchParams
  const from = returnPath(search.from)
  if (await currentViewer()) redirect(from as Route)
  const provider = providerName()
  return (
    <EntryPage title="Sign in to ask your documents">
      <SignInForm
        from={from}
        signIn={signInAction}
        demo={await demoAccounts()}
        provider={provider ? { name: provider, signIn: providerSignInAction } : null}
        refusal={refusalWords(search.error)}
      />
    </EntryPage>
  )
}
