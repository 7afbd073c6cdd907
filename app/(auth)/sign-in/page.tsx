import type { Metadata, Route } from 'next'
import { redirect } from 'next/navigation'
import { Brand } from '#components/shell/brand.tsx'
import { SignInForm } from '#components/shell/sign-in-form.tsx'
import { currentViewer, demoAccounts } from '#lib/auth/index.ts'
import { signInAction } from '../actions.ts'
import { returnPath } from '../return-path.ts'

export const metadata: Metadata = { title: 'Sign in' }

export default async function SignInPage({ searchParams }: { searchParams: Promise<{ from?: string | string[] }> }) {
  const from = returnPath((await searchParams).from)
  if (await currentViewer()) redirect(from as Route)
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[400px] flex-col justify-center px-5 py-10">
      <Brand className="mb-6 text-[22px] [&_sup]:top-[-9px] [&_sup]:text-xs" />
      <h1 className="mb-5 font-semibold text-xl">Sign in to ask your documents</h1>
      <SignInForm from={from} signIn={signInAction} demo={await demoAccounts()} />
    </main>
  )
}
