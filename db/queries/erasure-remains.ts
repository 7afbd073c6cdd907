/** What deleted rows leave behind in the files of the database, and the queue beside it. */
import { sql } from 'drizzle-orm'
import type { ErasureKind } from '#lib/shared/keeping-contract.ts'
import { type Database, type Executor, rows } from '../client.ts'
import { inventory } from '../inventory.ts'

/** Whether the queue's tables are there: tests and commands may run without it. */
export const hasQueue = async (db: Executor): Promise<boolean> => {
  const [found] = await rows<{ name: string | null }>(db, sql`select to_regclass('pgboss.job')::text as name`)
  return Boolean(found?.name)
}

const textTables: Record<ErasureKind, readonly string[]> = {
  person: [
    'users',
    'sessions',
    'api_keys',
    'identities',
    'memberships',
    'chats',
    'messages',
    'citations',
    'stream_events',
    'traces',
    'task_runs',
    'task_results',
    'idempotent_results',
    'invitations',
    'rate_limits',
    'budget_windows',
    'golden_questions',
    'legal_holds',
    'incident_switches',
    'settings_versions',
    'gateway_settings',
    'policy_drafts',
    'sources',
    'answer_cache',
    'curated_answers',
    'correction_sources',
    'document_notes',
    'feedback',
    'labels',
    'notifications',
    'review_items',
    'review_drafts',
    'review_comments',
  ],
  document: [
    'documents',
    'document_versions',
    'document_pages',
    'chunks',
    'postings',
    'entities',
    'entity_aliases',
    'entity_relations',
    'recognised_pages',
    'source_items',
    'golden_questions',
    'messages',
    'citations',
    'stream_events',
    'traces',
    'task_runs',
    'task_results',
    'legal_holds',
    'incident_switches',
    'answer_cache',
    'curated_answers',
    'correction_sources',
    'document_notes',
    'feedback',
    'labels',
    'notifications',
    'review_items',
    'review_drafts',
    'review_comments',
  ],
}

/**
 * Clears what deleted rows leave behind. On a server its own housekeeping would; here at once, the graph of vectors too, whose entries
 * are overwritten. The embedded database has nobody who tidies up: its tables are written anew, and the journal of what was written
 * before is let go, so that no file of it holds the words any more. Everything waits for that: a second at 1,000 passages.
 * Not for use in a transaction.
 */
export const clearRemains = async ({ db, mode }: Database, kind: ErasureKind): Promise<void> => {
  const tables = textTables[kind].filter((name) => Object.hasOwn(inventory, name))
  const jobs = (await hasQueue(db)) ? ['pgboss.job'] : []
  if (kind === 'document') await db.execute(sql`vacuum (analyze) chunk_vectors`)
  // Analysed too: what the planner knows of a column are samples of its values.
  for (const name of [...tables, ...jobs])
    await db.execute(sql.raw(`vacuum (analyze${mode === 'embedded' ? ', full' : ''}) ${name}`))
  if (mode !== 'embedded') return
  await db.execute(sql`vacuum full pg_catalog.pg_statistic`)
  // Old files of the journal are deleted instead of being written over some day.
  await db.execute(sql`set wal_recycle = off`)
  await db.execute(sql`checkpoint`)
  await db.execute(sql`select pg_switch_wal()::text as at`)
  await db.execute(sql`checkpoint`)
}
