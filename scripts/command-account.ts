/** `account`: makes an account, or gives a known one a new password. The way in where there is no demo. */
import { randomBytes } from 'node:crypto'
import { database } from '#db/client.ts'
import {
  createWorkspace,
  getSignInAccount,
  listWorkspaces,
  revokeSessionsOf,
  upsertAccount,
} from '#db/queries/people.ts'
import { setPassword } from '#db/queries/sign-in.ts'
import { audit } from '#lib/audit.ts'
import { hashPassword } from '#lib/passwords.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Role } from '#lib/shared/viewer.ts'
import { closeProduct, openProduct } from './product.ts'

export type AccountOptions = { role: Role; name?: string }

/**
 * Gives a known account the password, which ends its sessions and links; makes one otherwise. Returns the role that a known one has in
 * the workspace it was in first, null for a new one.
 */
export const giveAccount = (
  email: string,
  { role, name }: AccountOptions,
  passwordHash: string,
): Promise<Role | null> =>
  database().db.transaction(async (tx) => {
    const known = await getSignInAccount(tx, email)
    if (known) {
      const { userId, workspaceId } = known
      await setPassword(tx, userId, passwordHash)
      const details = { by: 'command', ended: await revokeSessionsOf(tx, userId) }
      await audit(tx, { actor: { userId: null, workspaceId }, event: 'password.reset', objectId: userId, details })
      return known.role
    }
    const [first] = await listWorkspaces(tx)
    const workspaceId = first?.id ?? newId()
    if (!first) await createWorkspace(tx, { id: workspaceId, name: 'Footnote' })
    const called = name ?? email.split('@')[0] ?? email
    const made = { userId: newId(), workspaceId, role, name: called, email, passwordHash }
    const userId = await upsertAccount(tx, made)
    await audit(tx, {
      actor: { userId: null, workspaceId },
      event: 'member.role-changed',
      objectId: userId,
      details: { to: role, by: 'command' },
      after: { role },
    })
    return null
  })

export const account = async (rawEmail: string, options: AccountOptions): Promise<number> => {
  const email = rawEmail.normalize('NFKC').trim().toLowerCase()
  await openProduct()
  try {
    const password = randomBytes(12).toString('base64url')
    const known = await giveAccount(email, options, await hashPassword(password))
    process.stdout.write(
      `${email}: ${known ? `new password, still ${known}` : `new account, ${options.role}`}\npassword: ${password}\n`,
    )
    return 0
  } finally {
    await closeProduct()
  }
}
