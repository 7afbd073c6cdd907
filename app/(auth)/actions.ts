'use server'

import type { Route } from 'next'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import type { SignInState } from '#components/shell/sign-in-form.tsx'
import { signInWithPassword, signOutEverywhere, signOutHere } from '#lib/auth/index.ts'
import { returnPath } from './return-path.ts'

const credentials = z.object({
  email: z.string().max(320),
  password: z.string().max(1_024),
  from: z.string().nullable(),
})

/** Signs in and goes on to where the person came from; otherwise gives back the address and what to do about the error. */
export const signInAction = async (_: SignInState, form: FormData): Promise<SignInState> => {
  const input = credentials.safeParse({
    email: form.get('email'),
    password: form.get('password'),
    from: form.get('from'),
  })
  if (!input.success) return { email: '', error: 'Fill in your e-mail address and your password.' }
  const { password, from } = input.data
  const email = input.data.email.trim()
  if (!email || !password) return { email, error: 'Fill in your e-mail address and your password.' }
  const result = await signInWithPassword({ email, password })
  if (result.ok) redirect(returnPath(from) as Route)
  const { message, retryAfterSeconds } = result.error
  return {
    email,
    error: retryAfterSeconds
      ? `Too many tries. Wait ${Math.ceil(retryAfterSeconds / 60)} minutes, then try again.`
      : message,
  }
}

export const signOutAction = async (): Promise<void> => {
  await signOutHere()
  redirect('/sign-in')
}

export const signOutEverywhereAction = async (): Promise<void> => {
  await signOutEverywhere()
  redirect('/sign-in')
}
