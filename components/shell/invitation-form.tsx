'use client'
import { Eye, EyeOff } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { type FormEvent, useId, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { passwordCharsMin, personNameCharsMax } from '#lib/shared/people-contract.ts'

export type InvitationFormProps = {
  token: string
  workspace: string
  email: string
  /** `self`: signed in as who is invited; `other`: as somebody else; `known`: has an account; `new`: has none. */
  as: 'self' | 'other' | 'known' | 'new'
  signedInAs: string | null
  actions: {
    acceptAsNew: (input: { token: string; name: string; password: string }) => Promise<ActionResult<boolean>>
    acceptAsMyself: (input: { token: string }) => Promise<ActionResult<null>>
    leave: () => Promise<ActionResult<null>>
  }
}

const unreachable = 'Footnote could not be reached. Check the connection and try again.'

/** One thing at a time, and what went wrong in words. Where it leads is loaded anew: somebody else is signed in there. */
const useStep = () => {
  const [pending, setPending] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const run = async <Value,>(step: () => Promise<ActionResult<Value>>, next: (value: Value) => string) => {
    if (pending) return
    setPending(true)
    setFault(null)
    const result = await step().catch(() => null)
    if (result?.ok) return window.location.assign(next(result.value))
    setPending(false)
    setFault(result?.error.message ?? unreachable)
  }
  return { pending, fault, run }
}

const Fault = ({ children }: { children: string | null }) => (
  <p role="alert" className="text-[13px] text-destructive empty:hidden">
    {children}
  </p>
)

/** How the holder of an open invitation comes in. */
export const InvitationForm = (props: InvitationFormProps) => {
  const { token, workspace, email, as, signedInAs, actions } = props
  const { pending, fault, run } = useStep()
  if (as === 'new') return <NewAccount {...props} />
  const here = `/invite/${token}`
  if (as === 'known')
    return (
      <div className="flex flex-col gap-3">
        <p>There is an account with this address. Sign in with it to join.</p>
        <Button variant="primary" size="lg" asChild>
          <Link href={`/sign-in?from=${encodeURIComponent(here)}` as Route}>Sign in to join</Link>
        </Button>
      </div>
    )
  if (as === 'other')
    return (
      <div className="flex flex-col gap-3">
        <p>
          You are signed in as <bdi className="break-all font-medium">{signedInAs}</bdi>, and this invitation is for{' '}
          <bdi className="break-all font-medium">{email}</bdi>. Sign out to go on with it.
        </p>
        <Button variant="primary" size="lg" aria-disabled={pending} onClick={() => void run(actions.leave, () => here)}>
          Sign out and go on
        </Button>
        <Fault>{fault}</Fault>
      </div>
    )
  return (
    <div className="flex flex-col gap-3">
      <Button
        variant="primary"
        size="lg"
        aria-disabled={pending}
        onClick={() =>
          void run(
            () => actions.acceptAsMyself({ token }),
            () => '/',
          )
        }
      >
        <span className="truncate">{pending ? 'Joining' : `Join ${workspace}`}</span>
      </Button>
      <Fault>{fault}</Fault>
    </div>
  )
}

const NewAccount = ({ token, email, actions }: InvitationFormProps) => {
  const ids = useId()
  const { pending, fault, run } = useStep()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [shown, setShown] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void run(
      () => actions.acceptAsNew({ token, name, password }),
      (signedIn) => (signedIn ? '/' : '/sign-in'),
    )
  }
  const described = fault ? `${ids}-fault` : undefined
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-4">
      {/* For the browser's store of passwords: which account this one is for. */}
      <input type="email" name="email" autoComplete="username" value={email} readOnly hidden />
      <div>
        <Label htmlFor={`${ids}-name`}>Your name</Label>
        <Input
          id={`${ids}-name`}
          autoComplete="name"
          maxLength={personNameCharsMax}
          className="h-10"
          value={name}
          onChange={(event) => setName(event.target.value)}
          aria-describedby={described}
        />
      </div>
      <div>
        <Label htmlFor={`${ids}-password`}>Password</Label>
        <div className="relative">
          <Input
            id={`${ids}-password`}
            type={shown ? 'text' : 'password'}
            autoComplete="new-password"
            autoCapitalize="none"
            spellCheck={false}
            className="h-10 pr-11"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            aria-describedby={[`${ids}-hint`, described].filter(Boolean).join(' ')}
          />
          <Button
            variant="ghost"
            size="icon"
            className="absolute top-1 right-1 touch:top-0 touch:right-0"
            aria-label={shown ? 'Hide the password' : 'Show the password'}
            onClick={() => setShown(!shown)}
          >
            {shown ? <EyeOff /> : <Eye />}
          </Button>
        </div>
        <p id={`${ids}-hint`} className="mt-1 text-[12.5px] text-muted-foreground">
          At least {passwordCharsMin} characters. A sentence is fine.
        </p>
      </div>
      <div id={`${ids}-fault`}>
        <Fault>{fault}</Fault>
      </div>
      <Button type="submit" variant="primary" size="lg" aria-disabled={pending}>
        {pending ? 'Making your account' : 'Make account and join'}
      </Button>
    </form>
  )
}
