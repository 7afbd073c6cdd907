'use client'
import { Eye, EyeOff } from 'lucide-react'
import { useActionState, useId, useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import type { Role } from '#lib/shared/viewer.ts'

export type SignInState = { email: string; error: string | null }

export type SignInFormProps = {
  /** The path to go on to. */
  from: string
  signIn: (state: SignInState, form: FormData) => Promise<SignInState>
  /** Accounts to try the demo with; null outside a demo. */
  demo: { password: string; accounts: { email: string; role: Role }[] } | null
}

const demoWords: Record<Role, { title: string; does: string }> = {
  user: { title: 'User', does: 'asks questions' },
  reviewer: { title: 'Reviewer', does: 'asks and reviews' },
  admin: { title: 'Admin', does: 'uploads documents, reads traces' },
}

export const SignInForm = ({ from, signIn, demo }: SignInFormProps) => {
  const [state, submit, pending] = useActionState(signIn, { email: '', error: null })
  const [email, setEmail] = useState(state.email)
  const [password, setPassword] = useState('')
  const [shown, setShown] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const ids = useId()
  const errorId = state.error && !pending ? `${ids}-error` : undefined

  return (
    <>
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
        <div>
          <Label htmlFor={`${ids}-password`}>Password</Label>
          <div className="relative">
            <Input
              id={`${ids}-password`}
              name="password"
              type={shown ? 'text' : 'password'}
              autoComplete="current-password"
              autoCapitalize="none"
              spellCheck={false}
              required
              className="h-10 pr-11"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
              aria-invalid={errorId ? true : undefined}
              aria-describedby={errorId}
            />
            <Button
              variant="quiet"
              size="icon"
              className="absolute top-1/2 right-1 -translate-y-1/2"
              aria-label={shown ? 'Hide the password' : 'Show the password'}
              aria-pressed={shown}
              onClick={() => setShown(!shown)}
            >
              {shown ? <EyeOff /> : <Eye />}
            </Button>
          </div>
        </div>
        <p role="alert" id={`${ids}-error`} className="text-destructive text-[13px] empty:hidden">
          {errorId ? state.error : null}
        </p>
        <Button ref={button} type="submit" variant="primary" size="lg" disabled={pending}>
          {pending ? 'Signing in' : 'Sign in'}
        </Button>
      </form>
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
