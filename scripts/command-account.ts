/** `account`: makes an account, or gives a known one a new password. The way in where there is no demo. */
import { randomBytes } from 'node:crypto'
import { database } from '#db/client.ts'
import { createWorkspace, getSignInAccount, listWorkspaces, upsertAccount } from '#db/queries/people.ts'
import { hashPassword } from '#lib/passwords.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Role } from '#lib/shared/viewer.ts'
import { closeProduct, openProduct } from './product.ts'

export type AccountOptions = { role: Role; name?: string }

export const account = async (rawEmail: string, { role, name }: AccountOptions): Promise<number> => {
  const email = rawEmail.normalize('NFKC').trim().toLowerCase()
  await openProduct()
  try {
    const { db } = database()
    const known = await getSignInAccount(db, email)
    const password = randomBytes(12).toString('base64url')
    const passwordHash = await hashPassword(password)
    await db.transaction(async (tx) => {
      const [first] = await listWorkspaces(tx)
      const workspaceId = known?.workspaceId ?? first?.id ?? newId()
      if (!known && !first) await createWorkspace(tx, { id: workspaceId, name: 'Footnote' })
      await upsertAccount(tx, {
        userId: newId(),
        workspaceId,
        role,
        name: name ?? email.split('@')[0] ?? email,
        email,
        passwordHash,
      })
    })
    process.stdout.write(
      `${email}: ${known ? `new password, still ${known.role}` : `new account, ${role}`}\npassword: ${password}\n`,
    )
    return 0
  } finally {
    await closeProduct()
  }
}
