/** The demo: a workspace, one account of each role, and the documents written for it. Safe to run at every start. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { database } from '#db/client.ts'
import { demoDocuments } from '#db/demo/questions.ts'
import { createWorkspace, getSignInAccount, listWorkspaces, upsertAccount } from '#db/queries/people.ts'
import { ensureCollection, uploadDocument } from '#lib/documents.ts'
import { env } from '#lib/env.ts'
import { hashPassword, verifyPassword } from '#lib/passwords.ts'
import { newId } from '#lib/shared/ids.ts'
import { demoEmail, roles, type Viewer } from '#lib/shared/viewer.ts'
import { demoPassword } from './home.ts'

const workspaceName = 'Footnote demo'
const demoFolder = join(import.meta.dirname, '../db/demo')
const names = { member: 'Uma User', reviewer: 'Robin Reviewer', admin: 'Ada Admin', owner: 'Olga Owner' } as const

/** The demo accounts with the password of this DATA_DIR. Returns the admin. */
const seedAccounts = async (): Promise<Viewer> => {
  const { db } = database()
  const known = (await listWorkspaces(db)).find(({ name }) => name === workspaceName)
  const workspaceId = known?.id ?? newId()
  if (!known) await createWorkspace(db, { id: workspaceId, name: workspaceName })
  const password = await demoPassword(env())
  const accounts = await Promise.all(roles.map((role) => getSignInAccount(db, demoEmail(role))))
  const current = accounts.every(Boolean) && (await verifyPassword(accounts[0]?.passwordHash, password))
  if (!current) {
    const passwordHash = await hashPassword(password)
    for (const role of roles)
      await upsertAccount(db, {
        userId: newId(),
        workspaceId,
        role,
        name: names[role],
        email: demoEmail(role),
        passwordHash,
      })
  }
  const admin = await getSignInAccount(db, demoEmail('admin'))
  if (!admin) throw new Error('The demo accounts could not be made')
  const { passwordHash: _, ...viewer } = admin
  return viewer
}

/** Uploads the demo documents once for this DATA_DIR: what a person deletes afterwards stays deleted. */
const seedDocuments = async (admin: Viewer): Promise<void> => {
  const marker = join(env().dataDir, 'demo-documents')
  if (await stat(marker).catch(() => null)) return
  for (const { file, collection } of demoDocuments) {
    const bytes = await readFile(join(demoFolder, file))
    const source = (async function* () {
      yield bytes
    })()
    await uploadDocument(admin, { name: file, collectionId: await ensureCollection(admin, collection), source })
  }
  await writeFile(marker, `${new Date().toISOString()}\n`)
}

export const seedDemo = async (): Promise<void> => {
  await seedDocuments(await seedAccounts())
}
