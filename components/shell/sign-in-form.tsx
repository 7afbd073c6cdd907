'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { useActionState, useId, useRef, useState } from 'react'
import { PasswordField } from '#components/account/password-field.tsx'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import type { Role } from '#lib/shared/viewer.ts'

export type SignInState = { email: string; error: string | null }

export type SignInFormProps = {
  /** The path to go on to. */
  from: string
  signIn: (state: SignInState, form: FormData) => Promise<SignInState>
  /** Accounts to try the demo with; null outside a demo. `onServer`: others may reach it, and are warned. */
  demo: { password: string; accounts: { email: string; role: Role }[]; onServer: boolean } | null
  /** The provider that people may sign in with instead; null for none. */
  provider: { name: string; signIn: (state: SignInState, form: FormData) => Promise<SignInState> } | null
  /** Why the last try through the provider did not work, in words. */
  refusal: string | null
}

/** Leaves for the provider; what is wrong stays on the page. */
const ProviderForm = ({ from, provider }: { from: string; provider: NonNullable<SignInFormProps['provider']> }) => {
  const [state, leave, leaving] = useActionState(provider.signIn, { email: '', error: null })
  return (
    <form action={leave} className="mt-4 flex flex-col gap-4 border-t pt-4">
      <input type="hidden" name="from" value={from} />
      <Button type="submit" size="lg" disabled={leaving}>
        {leaving ? 'Going there…' : `Sign in with ${provider.name}`}
      </Button>
      <p role="alert" className="text-[13px] text-destructive empty:hidden">
        {leaving ? null : state.error}
      </p>
    </form>
  )
}

const demoWords: Record<Role, { title: string; does: string }> = {
  member: { title: 'User', does: 'asks questions' },
  reviewer: { title: 'Reviewer', does: 'asks and reviews' },
  admin: { title: 'Admin', does: 'manages the workspace' },
  owner: { title: 'Owner', does: 'owns the workspace' },
}

export const SignInForm = ({ from, signIn, demo, provider, refusal }: SignInFormProps) => {
  const [state, submit, pending] = useActionState(signIn, { email: '', error: null })
  const [email, setEmail] = useState(state.email)
  const [password, setPassword] = useState('')
  const button = useRef<HTMLButtonElement>(null)
  const ids = useId()
  const errorId = state.error && !pending ? `${ids}-error` : undefined

  return (
    <>
      {demo?.onServer && (
        <p role="note" className="mb-5 rounded-md border border-warning px-3 py-2 text-[13px] text-warning">
          The demo accounts are on. Everybody who reaches this page can sign in with them. Start the server without
          DEMO=1 to switch them off.
        </p>
      )}
      {refusal && (
        <p role="alert" className="mb-5 rounded-md border border-destructive px-3 py-2 text-[13px] text-destructive">
          {refusal}
        </p>
      )}
      <form action={submit} className="flex flex-col gap-4">
        <input type="hidden" name="from" value={from} />
        <div>
          <Label htmlFor={`${ids}-email`}>E-mail</Label>
          <Input
            id={`${ids}-email`}
            name="email"
            type="email"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus
            className="h-10"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
            aria-invalid={errorId ? true : undefined}
            aria-describedby={errorId}
          />
        </div>
        <PasswordField
          label="Password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          errorId={errorId}
        />
        <p role="alert" id={`${ids}-error`} className="text-destructive text-[13px] empty:hidden">
          {errorId ? state.error : null}
        </p>
        <Button ref={button} type="submit" variant="primary" size="lg" disabled={pending}>
          {pending ? 'Signing in' : 'Sign in'}
        </Button>
        <Link
          href={'/forgot' as Route}
          className="self-start text-[13px] text-muted-foreground underline underline-offset-2"
        >
          Forgot the password?
        </Link>
      </form>
      {provider && <ProviderForm from={from} provider={provider} />}
      {demo && (
        <section aria-labelledby={`${ids}-demo`} className="mt-8 border-t pt-5">
          <h2 id={`${ids}-demo`} className="font-semibold">
            Try the demo
          </h2>
          <p className="mt-0.5 text-[13px] text-muted-foreground">
            Choose an account to fill in. All have the password <code className="font-mono">{demo.password}</code>
          </p>
          <ul className="mt-3 flex flex-col gap-1.5">
            {demo.accounts.map((account) => (
              <li key={account.email}>
                <button
                  type="button"
                  className="flex w-full items-center gap-3 rounded-lg border bg-card px-3 py-2 text-left transition-colors duration-120 hover:bg-muted touch:min-h-11"
                  onClick={() => {
                    setEmail(account.email)
                    setPassword(demo.password)
                    button.current?.focus()
                  }}
                >
                  <span className="min-w-0 flex-1">
                    <span className="font-medium">{demoWords[account.role].title}</span>
                    <span className="block truncate text-[13px] text-muted-foreground">
                      {demoWords[account.role].does}
                    </span>
                  </span>
                  <span className="font-mono text-muted-foreground text-xs">{account.email}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
