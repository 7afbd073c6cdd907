'use server'

import { z } from 'zod'
import { currentSession, openForm, signInWithPassword, signOutHere } from '#lib/auth/index.ts'
import { acceptInvitation, switchWorkspace } from '#lib/people.ts'
import { type ActionResult, AppError } from '#lib/shared/errors.ts'
import { passwordCharsMax } from '#lib/shared/people-contract.ts'

const shaped = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(input)
  if (!parsed.success) throw new AppError('bad-request')
  return parsed.data
}
const token = z.string().max(100)
const newAccount = z.strictObject({
  token,
  name: z.string().max(400),
  password: z.string().max(passwordCharsMax * 2),
})

/** Makes the account of an invited address and signs it in. `false`: it is made, and is to be signed in by hand. */
export const acceptAsNew = async (input: z.input<typeof newAccount>): Promise<ActionResult<boolean>> => {
  const made = await openForm('invitation', async () => {
    const { token: given, ...person } = shaped(newAccount, input)
    const { email } = await acceptInvitation(given, person)
    return { email, password: person.password }
  })
  return made.ok ? { ok: true, value: (await signInWithPassword(made.value)).ok } : made
}

/** Joins as who is signed in, and goes there. */
export const acceptAsMyself = async (input: { token: string }): Promise<ActionResult<null>> =>
  openForm('invitation', async () => {
    const { token: given } = shaped(z.strictObject({ token }), input)
    const session = await currentSession()
    if (!session) throw new AppError('unauthenticated')
    const { workspaceId } = await acceptInvitation(given, { viewer: session.viewer })
    await switchWorkspace(session.viewer, workspaceId, session.sessionIdHash)
    return null
  })

/** Signs out, so that the link can be opened as somebody else. */
export const leaveForInvitation = async (): Promise<ActionResult<null>> =>
  openForm('invitation', async () => {
    await signOutHere()
    return null
  })
