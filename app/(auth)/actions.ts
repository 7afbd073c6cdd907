'use server'

import type { Route } from 'next'
import { redirect } from 'next/navigation'
import { after } from 'next/server'
import { z } from 'zod'
import type { EntryState } from '#components/account/entry-form.tsx'
import type { SignInState } from '#components/shell/sign-in-form.tsx'
import {
  askForReset,
  completeSetup,
  openForm,
  providerSignIn,
  resetPassword,
  sendResetLink,
  signInWithCode,
  signInWithPassword,
  signOutEverywhere,
  signOutHere,
  waitingHere,
} from '#lib/auth/index.ts'
import { resetSchema, setupSchema } from '#lib/shared/account-contract.ts'
import { AppError, type PublicError } from '#lib/shared/errors.ts'
import { passwordCharsMax, passwordCharsMin } from '#lib/shared/people-contract.ts'
import { returnPath } from '#lib/shared/return-path.ts'

/** The text of a field; a file or nothing is none. */
const text = (form: FormData, name: string): string => {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

const words = ({ message, retryAfterSeconds }: PublicError): string => {
  if (!retryAfterSeconds) return message
  const minutes = Math.ceil(retryAfterSeconds / 60)
  return `Too many tries. Wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`}, then try again.`
}

const credentials = z.object({ email: z.string().max(320), password: z.string().max(passwordCharsMax * 2) })

/** Signs in and goes on to where the person came from; otherwise gives back the address and what to do about the error. */
export const signInAction = async (_: SignInState, form: FormData): Promise<SignInState> => {
  const input = credentials.safeParse({ email: form.get('email'), password: form.get('password') })
  if (!input.success) return { email: '', error: 'Fill in your e-mail address and your password.' }
  const email = input.data.email.trim()
  const { password } = input.data
  if (!email || !password) return { email, error: 'Fill in your e-mail address and your password.' }
  const from = returnPath(form.get('from'))
  const result = await signInWithPassword({ email, password })
  if (!result.ok) return { email, error: words(result.error) }
  redirect((result.value === 'entered' ? from : `/sign-in/code?from=${encodeURIComponent(from)}`) as Route)
}

/** The second step. When the first was too long ago, it starts again. */
export const signInCodeAction = async (_: EntryState, form: FormData): Promise<EntryState> => {
  const from = returnPath(form.get('from'))
  if (!(await waitingHere())) redirect(`/sign-in?from=${encodeURIComponent(from)}` as Route)
  const result = await signInWithCode(text(form, 'code').slice(0, 100))
  if (!result.ok) return { error: words(result.error) }
  redirect(from as Route)
}

/** Leaves for the provider that the operator has named. */
export const providerSignInAction = async (_: SignInState, form: FormData): Promise<SignInState> => {
  const result = await providerSignIn(returnPath(form.get('from')))
  if (!result.ok) return { email: '', error: words(result.error) }
  redirect(result.value as Route)
}

/** Asks for a link to a new password. Answers before it is known whether there is an account, so that nothing tells. */
export const forgotAction = async (_: EntryState, form: FormData): Promise<EntryState> => {
  const email = text(form, 'email').trim()
  if (!email) return { error: 'Fill in your e-mail address.' }
  const result = await askForReset()
  if (!result.ok) return { error: words(result.error), values: { email } }
  after(() => openForm('reset mail', () => sendResetLink(email)))
  return { error: null, done: true }
}

const passwordFault = `Choose a password of at least ${passwordCharsMin} characters.`

export const resetAction = async (_: EntryState, form: FormData): Promise<EntryState> => {
  const input = resetSchema.safeParse({ token: form.get('token'), password: form.get('password') })
  const result = await openForm('reset', async () => {
    if (input.success) return resetPassword(input.data)
    const badPassword = input.error.issues.some(({ path }) => path[0] === 'password')
    throw badPassword ? new AppError('bad-request', { message: passwordFault }) : new AppError('link-over')
  })
  return result.ok ? { error: null, done: true } : { error: words(result.error) }
}

const setupFaults: Record<string, string> = {
  workspace: 'Give the workspace a name of up to 80 characters.',
  name: 'Fill in your name, in up to 80 characters.',
  email: 'That is no e-mail address. Write one, like ada@example.com.',
  password: passwordFault,
}

/** Makes the first owner and signs them in. */
export const setupAction = async (_: EntryState, form: FormData): Promise<EntryState> => {
  const values = { workspace: text(form, 'workspace'), name: text(form, 'name'), email: text(form, 'email') }
  const input = setupSchema.safeParse({ ...values, token: form.get('token'), password: form.get('password') })
  const result = await openForm('setup', async () => {
    if (input.success) return completeSetup(input.data)
    const fault = setupFaults[String(input.error.issues[0]?.path[0])]
    throw fault ? new AppError('bad-request', { message: fault }) : new AppError('link-over')
  })
  if (!result.ok) return { error: words(result.error), values }
  await signInWithPassword({ email: values.email, password: text(form, 'password') })
  redirect('/')
}

export const signOutAction = async (): Promise<void> => {
  await signOutHere()
  redirect('/sign-in')
}

export const signOutEverywhereAction = async (): Promise<void> => {
  await signOutEverywhere()
  redirect('/sign-in')
}
