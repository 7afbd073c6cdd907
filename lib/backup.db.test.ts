import '#ingestion/fixtures/scratch.ts'
import { openAsBlob } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { closeDatabase, type Database, database, holdDatabase, rows } from '#db/client.ts'
import { dumpTables } from '#db/dump.ts'
import { knownMigrations } from '#db/migrate.ts'
import { openMemoryDatabase } from '#db/open.ts'
import {
  auditLog,
  collectionGrants,
  documents,
  documentVersions,
  memberships,
  sessions,
  users,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { ingestVersion } from '#ingestion/pipeline.ts'
import { BackupUnusable, checkBackup, restoreBackup, writeBackup } from './backup.ts'
import { respond } from './chat/index.ts'
import { deleteDocument, uploadDocument } from './documents.ts'
import { env } from './env.ts'
import { closeGateway } from './gateway/index.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { retrieve } from './rag/index.ts'
import { newId } from './shared/ids.ts'

const test = withDatabase()
const file = (): string => join(env().dataDir, `${newId()}.tar`)
const release = '0.0.0'
const never = new AbortController().signal

let source: Database
let workspace: TestWorkspace
let path: string
const textOf = 'Signing keys are rotated every 90 days by the “platform” team.\n\nA back\\slash, a tab\t, 日本, 🙂.'

const upload = async (name: string): Promise<{ id: string; versionId: string }> => {
  const { document } = await uploadDocument(workspace.viewers.admin, {
    name,
    collectionId: workspace.collectionId,
    source: (async function* () {
      yield Buffer.from(`${textOf}\n\n${name}`)
    })(),
  })
  return { id: document.id, versionId: document.versionId }
}

beforeAll(async () => {
  source = test.current()
  await openQueue()
  workspace = await createTestWorkspace(source)
  const { versionId } = await upload('keys.txt')
  await ingestVersion(versionId, never)
  await upload('waits.txt')
  const { id } = await upload('gone.txt')
  await deleteDocument(workspace.viewers.admin, id)
  const turn = { chatId: newId(), messageId: newId(), text: 'How often are keys rotated?', trigger: 'submit' as const }
  for await (const _chunk of await respond({ ...turn, collectionIds: [] }, workspace.viewers.member));
  // Traces are written after the end.
  await vi.waitUntil(async () => (await rows(source.db, sql`select id from traces`)).length === 1, { timeout: 20_000 })
  await source.db.insert(sessions).values({
    ...{ idHash: 'open', userId: workspace.viewers.admin.userId, workspaceId: workspace.workspaceId },
    expiresAt: new Date(Date.now() + 86_400_000),
  })
  path = file()
  await writeBackup(source, path, { release })
  await closeQueue(0)
}, 120_000)
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
  holdDatabase(source)
})

/** An empty database at a migration; the present one comes ready made where there is one. */
const open = async (migration: number): Promise<Database> => {
  const dump = inject('migratedDump')
  return dump && migration === Math.max(...knownMigrations())
    ? openMemoryDatabase(await openAsBlob(dump))
    : openMemoryDatabase(undefined, migration)
}

/** Runs what looks at a restored database, then closes it. */
const restored = async (from: string, look: (database: Database) => Promise<void>): Promise<void> => {
  try {
    await restoreBackup(from, { open })
    await look(database())
  } finally {
    await closeQueue(0)
    await closeDatabase()
    holdDatabase(source)
  }
}

/** Every row of every table, as it would be written down; without what a restore itself adds or moves on. */
const everything = async (from: Database): Promise<Record<string, string[]>> => {
  const all: Record<string, string[]> = {}
  await dumpTables(from, async (table, lines) => {
    all[table] = [...(all[table] ?? []), ...lines.trimEnd().split('\n')].sort()
  })
  const { audit_heads: _heads, rate_limits: _limits, sessions: _sessions, ...rest } = all
  return {
    ...rest,
    audit_log: (rest.audit_log ?? []).filter((line) => !/"event":"backup\./.test(line)),
  }
}

/** The first line of a chain whose hash does not follow on the one before; null when all do. */
const brokenLine = async ({ db }: Database): Promise<number | null> => {
  const [found] = await rows<{ id: number | null }>(
    db,
    sql`select min(id)::int as id from (select l.id, l.hash, audit_line_hash(coalesce(lag(l.hash) over (
          partition by l.workspace_id order by l.place), ''), l) as expected from audit_log l) chained where hash is distinct from expected`,
  )
  return found?.id ?? null
}

describe('a backup', () => {
  it('brings every row and file back, into the embedded database from either', async () => {
    const before = await everything(source)
    expect(Object.keys(before).length).toBeGreaterThan(12)
    const [version] = await source.db
      .select()
      .from(documentVersions)
      .where(eq(documentVersions.contentHash, sql`content_hash`))
    await rm(join(env().dataDir, 'blobs'), { recursive: true })
    await restored(path, async (copy) => {
      expect(await everything(copy)).toEqual(before)
      const blob = join(env().dataDir, 'blobs', (version?.blobKey ?? '').slice(-2), version?.blobKey ?? '')
      expect(await readFile(blob, 'utf8')).toContain('日本')
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      // Nobody is let in by what was ended since.
      expect(await copy.db.select().from(sessions)).toMatchObject([{ idHash: 'open', revokedAt: expect.any(Date) }])
      // It searches as before, counts on where it stopped, and what waited to be read waits again.
      const found = await retrieve('How often are signing keys rotated?', workspace.viewers.member, {})
      expect(found.passages[0]?.text).toContain('90 days')
      const [index] = await rows<{ n: number }>(
        copy.db,
        sql`select count(*)::int as n from pg_indexes where tablename = 'chunk_vectors' and indexdef like '%hnsw%'`,
      )
      expect(index?.n).toBeGreaterThan(0)
      const [chunk] = await rows<{ id: number; next: number }>(
        copy.db,
        sql`select max(id)::int as id, nextval(pg_get_serial_sequence('chunks', 'id'))::int as next from chunks`,
      )
      expect(chunk?.next).toBe((chunk?.id ?? 0) + 1)
      expect(await rows(copy.db, sql`select id from pgboss.job where name = 'document.ingest'`)).toHaveLength(1)
      // The chain of the audit log stands, and goes on with the restore's own line.
      expect(await brokenLine(copy)).toBeNull()
      const lines = await copy.db.select().from(auditLog).where(eq(auditLog.event, 'backup.restored'))
      expect(lines).toMatchObject([{ place: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    })
  })

  it('is refused where anybody is already, and nothing is changed there', async () => {
    const before = await everything(source)
    await expect(
      restoreBackup(path, { open: async () => ({ ...source, close: async () => undefined }) }),
    ).rejects.toThrow('an empty instance only')
    expect(await everything(source)).toEqual(before)
  })

  it('names the part in which a single byte was flipped, and says when it was cut off', async () => {
    const bytes = await readFile(path)
    /** Where the content of each part begins: tar has 512 bytes of header before it. */
    const places: { name: string; at: number; size: number }[] = []
    for (let at = 0; at + 512 <= bytes.length; ) {
      const name = bytes.toString('utf8', at, at + 100).replace(/\0.*$/s, '')
      if (!name) break
      const size = Number.parseInt(bytes.toString('utf8', at + 124, at + 135), 8)
      places.push({ name, at: at + 512, size })
      at += 512 + Math.ceil(size / 512) * 512
    }
    const damaged = file()
    const flippedAt = async (offset: number): Promise<string> => {
      const copy = Buffer.from(bytes)
      copy[offset] = (copy[offset] ?? 0) ^ 1
      await writeFile(damaged, copy)
      return checkBackup(damaged).then(
        () => 'nothing found',
        (error: unknown) => (error instanceof BackupUnusable ? error.message : String(error)),
      )
    }
    for (const { name, at, size } of places) {
      const named = name === 'manifest.sha256' ? 'manifest.json' : name
      for (const offset of [at, at + Math.floor(size / 2), at + size - 1])
        expect(await flippedAt(offset)).toContain(named)
      // In the header: the part's name, or the sum over the header.
      expect(await flippedAt(at - 512)).toMatch(/damaged|missing|does not name|cut off/)
    }
    await writeFile(damaged, bytes.subarray(0, Math.floor(bytes.length / 2)))
    await expect(checkBackup(damaged)).rejects.toThrow(BackupUnusable)
    await writeFile(damaged, 'no backup at all')
    await expect(checkBackup(damaged)).rejects.toThrow(BackupUnusable)
    await expect(checkBackup(join(env().dataDir, 'nowhere.tar'))).rejects.toThrow('There is no file')
  })

  it('of an older release is brought forward, with what its schema meant', async () => {
    const [, , , , , , terms = 0] = knownMigrations()
    const old = await openMemoryDatabase(undefined, terms)
    const [workspaceId, collectionId, documentId, versionId] = [newId(), newId(), newId(), newId()]
    const people = [newId(), newId()]
    await old.db.execute(sql`insert into workspaces (id, name) values (${workspaceId}, 'Old')`)
    for (const [at, id] of people.entries()) {
      await old.db.execute(sql`insert into users (id, email, name) values (${id}, ${`${at}@old.local`}, 'Somebody')`)
      await old.db.execute(
        sql`insert into memberships (workspace_id, user_id, role) values (${workspaceId}, ${id}, ${at === 0 ? 'admin' : 'user'})`,
      )
    }
    await old.db.execute(
      sql`insert into collections (id, workspace_id, name) values (${collectionId}, ${workspaceId}, 'General')`,
    )
    await old.db.execute(
      sql`insert into documents (id, workspace_id, collection_id, name, media_type, latest_version_id) values (${documentId}, ${workspaceId}, ${collectionId}, 'a.txt', 'text/plain', ${versionId})`,
    )
    await old.db.execute(
      sql`insert into audit_log (workspace_id, actor_id, event, details) values (${workspaceId}, ${people[0]}, 'document.uploaded', '{"bytes": 1.50}')`,
    )
    const oldPath = file()
    await writeBackup(old, oldPath, { release }).finally(() => old.close())
    await restored(oldPath, async (copy) => {
      const found = await copy.db.select().from(memberships)
      expect(found.map(({ userId, role }) => [people.indexOf(userId), role]).sort()).toEqual([
        [0, 'owner'],
        [1, 'member'],
      ])
      expect(await copy.db.select().from(collectionGrants)).toMatchObject([{ collectionId, subject: 'workspace' }])
      expect(await brokenLine(copy)).toBeNull()
      expect(await copy.db.select().from(documents)).toMatchObject([{ id: documentId }])
    })
  })

  it('forgets again who was erased since it was made', async () => {
    const { userId, email } = workspace.viewers.reviewer
    const list = join(env().dataDir, 'erasures.jsonl')
    await writeFile(
      list,
      `${JSON.stringify({ id: newId(), workspaceId: workspace.workspaceId, kind: 'person', objectId: userId })}\n`,
    )
    try {
      await restored(path, async (copy) => {
        const [person] = await copy.db.select().from(users).where(eq(users.id, userId))
        expect(person).toMatchObject({ name: 'erased person', erasedAt: expect.any(Date) })
        expect(await copy.db.select().from(users).where(eq(users.email, email))).toEqual([])
      })
    } finally {
      await rm(list)
    }
  })
})
