/**
 * A migrated, empty database for a test file, and a workspace with one person of each role: on PGlite, or with
 * `TEST_ENGINE=postgres` on the server of `TEST_DATABASE_URL`, which may create databases.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { openAsBlob } from 'node:fs'
import postgres from 'postgres'
import { afterAll, beforeAll, inject } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { type Role, roles, type Viewer } from '#lib/shared/viewer.ts'
import { closeDatabase, type Database, holdDatabase } from './client.ts'
import { openMemoryDatabase, openServerDatabase } from './open.ts'
import { insertModel, insertProvider } from './queries/models.ts'
import { collectionGrants, collections, memberships, users, workspaces } from './schema/index.ts'

/** A copy of the database that `testing-setup.ts` migrated once. */
const openScratchServerDatabase = async (adminUrl: string): Promise<Database> => {
  const name = `footnote_test_${newId().replaceAll('-', '')}`
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create database ${name} template ${inject('migratedTemplate')}`)
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  const opened = await openServerDatabase(url.href)
  return {
    ...opened,
    close: async () => {
      await opened.close()
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

/**
 * Inside a transaction only its handle may be asked: the embedded engine has one connection, and whoever asks the database itself
 * would wait for ever. A server has more of them and would hide it; here both engines say so at once.
 */
const refuseToWaitForItself = (database: Database): Database => {
  const inside = new AsyncLocalStorage<{ open: boolean }>()
  const refuse = (): void => {
    if (inside.getStore()?.open) throw new Error('The database itself was asked inside a transaction: use its handle')
  }
  const { session } = database.db._
  const prepareQuery = session.prepareQuery.bind(session)
  const transaction = session.transaction.bind(session)
  Object.assign(session, {
    prepareQuery: (...args: Parameters<typeof prepareQuery>) => {
      refuse()
      return prepareQuery(...args)
    },
    transaction: async (...[work, config]: Parameters<typeof transaction>) => {
      refuse()
      const state = { open: true }
      try {
        return await transaction((tx) => inside.run(state, () => work(tx)), config)
      } finally {
        state.open = false
      }
    },
  })
  return database
}

/** Opens the test database around the tests of a file and makes it the process's own. */
export const withDatabase = (): { current: () => Database } => {
  let opened: Database | undefined
  beforeAll(async () => {
    const server = process.env.TEST_ENGINE === 'postgres' ? process.env.TEST_DATABASE_URL : undefined
    if (process.env.TEST_ENGINE === 'postgres' && !server)
      throw new Error('TEST_ENGINE=postgres needs TEST_DATABASE_URL')
    const own = server
      ? await openScratchServerDatabase(server)
      : await openMemoryDatabase(await openAsBlob(inject('migratedDump')))
    opened = holdDatabase(refuseToWaitForItself(own))
  }, 120_000)
  afterAll(() => closeDatabase())
  return {
    current: () => {
      if (!opened) throw new Error('The test database is opened in beforeAll')
      return opened
    },
  }
}

export type TestWorkspace = { workspaceId: string; collectionId: string; viewers: Record<Role, Viewer> }

/** A workspace of its own with a collection and a member of each role. */
export const createTestWorkspace = async ({ db }: Database): Promise<TestWorkspace> => {
  const workspaceId = newId()
  const collectionId = newId()
  await db.insert(workspaces).values({ id: workspaceId, name: 'Test' })
  await db.insert(collections).values({ id: collectionId, workspaceId, name: 'General' })
  await db
    .insert(collectionGrants)
    .values({ id: newId(), workspaceId, collectionId, subject: 'workspace', subjectId: workspaceId, level: 'read' })
  const members = roles.map((role) => {
    const userId = newId()
    return { userId, workspaceId, role, name: role, email: `${role}-${userId}@test.local` }
  })
  await db.insert(users).values(members.map(({ userId, email, name }) => ({ id: userId, email, name })))
  await db.insert(memberships).values(members.map(({ userId, role }) => ({ userId, workspaceId, role })))
  const viewers = Object.fromEntries(members.map((member) => [member.role, member])) as Record<Role, Viewer>
  return { workspaceId, collectionId, viewers }
}

type TestModel = {
  workspaceId: string
  baseUrl: string
  provider?: Partial<Parameters<typeof insertProvider>[1]>
  model?: Partial<Parameters<typeof insertModel>[1]>
}

/** A provider at `baseUrl` with one model, as an admin enters them; returns the provider's id. */
export const addTestModel = async (
  db: Database['db'],
  { workspaceId, baseUrl, provider = {}, model = {} }: TestModel,
): Promise<string> => {
  const providerId = newId()
  await insertProvider(db, {
    id: providerId,
    workspaceId,
    name: 'mock',
    kind: 'compatible',
    baseUrl,
    sealedKey: null,
    keyHint: null,
    local: true,
    enabled: true,
    requestsPerMinute: null,
    tokensPerMinute: null,
    ...provider,
  })
  await insertModel(db, {
    id: newId(),
    workspaceId,
    providerId,
    modelId: 'mock-1',
    tier: 'standard',
    position: 0,
    contextTokensMax: null,
    inputMicrosPerMillion: null,
    outputMicrosPerMillion: null,
    cachedMicrosPerMillion: null,
    enabled: true,
    ...model,
  })
  return providerId
}
