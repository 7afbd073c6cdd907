/**
 * Every list of the administration at the size of a large installation: `npm run bench:lists [-- --postgres URL] [--documents N]`.
 * 1,000 workspaces and 10,000 people; all of them are members of the one workspace whose lists are read, with its groups, invitations,
 * sources, documents, a month of calls and traces, and its audit log. Each list is read as its page reads it, round by round.
 */
import './scratch.ts'
import { parseArgs } from 'node:util'
import { type SQL, sql } from 'drizzle-orm'
import { closeDatabase, holdDatabase } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { listAuditLines } from '#db/reports/audit.ts'
import { listCallFilterChoices } from '#db/reports/calls.ts'
import { getBudgetUse, getCostReport, getCostTotals, listRoutes } from '#db/reports/costs.ts'
import { reader } from '#db/reports/reader.ts'
import { listTraceChoices, listTraces } from '#db/reports/traces.ts'
import { listCollectionsForAccess } from '#lib/access.ts'
import { listDocuments } from '#lib/documents.ts'
import { percentile } from '#lib/evals/metrics.ts'
import { listGroups, listInvitations, listMembers } from '#lib/people.ts'
import { newId } from '#lib/shared/ids.ts'
import { type CostGroup, periodOf } from '#lib/shared/operations-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { listSources } from '#lib/sources.ts'
import { printMachine, printRows } from './report.ts'
import { openScratchServer } from './scratch-server.ts'

const { values: args } = parseArgs({
  options: {
    postgres: { type: 'string' },
    documents: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
  },
})
const rounds = 20
const people = 10_000
const sizes = {
  workspaces: 1_000,
  groups: 50,
  invitations: 5_000,
  sources: 200,
  documents: Number(args.documents),
  traces: 20_000,
  calls: 60_000,
  auditLines: 200_000,
}

const database = holdDatabase(args.postgres ? await openScratchServer(args.postgres) : await openMemoryDatabase())
const { db } = database
const viewer: Viewer = {
  userId: newId(),
  workspaceId: newId(),
  role: 'owner',
  name: 'Person 0',
  email: 'owner@bench.local',
}
const { workspaceId, userId } = viewer

/** Ids that can be counted up, so that one statement makes the rows of one table and the next names them. */
const id = (kind: number, n: SQL): SQL =>
  sql`(lpad(to_hex(${kind}::int), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
const n = sql.raw('n')
const series = (count: number): SQL => sql`generate_series(1, ${count}::int) as n`

const seeding: SQL[] = [
  sql`insert into workspaces (id, name) values (${workspaceId}, 'Bench')`,
  sql`insert into workspaces (id, name) select ${id(1, n)}, 'Workspace ' || n from ${series(sizes.workspaces)}`,
  sql`insert into users (id, email, name) values (${userId}, ${viewer.email}, ${viewer.name})`,
  sql`insert into users (id, email, name)
    select ${id(2, n)}, 'person' || n || '@bench.local', 'Person ' || md5(n::text) from ${series(people)}`,
  sql`insert into memberships (workspace_id, user_id, role) values (${workspaceId}, ${userId}, 'owner')`,
  sql`insert into memberships (workspace_id, user_id, role) select ${workspaceId}, ${id(2, n)}, 'member' from ${series(people)}`,
  sql`insert into memberships (workspace_id, user_id, role)
    select ${id(1, sql`1 + n % ${sizes.workspaces}::int`)}, ${id(2, n)}, 'owner' from ${series(people)}`,
  sql`insert into groups (id, workspace_id, name) select ${id(3, n)}, ${workspaceId}, 'Group ' || n from ${series(sizes.groups)}`,
  sql`insert into group_members (group_id, user_id)
    select ${id(3, sql`1 + (n + step * 7) % ${sizes.groups}::int`)}, ${id(2, n)} from ${series(people)}, generate_series(0, 1) as step`,
  sql`insert into sessions (id_hash, user_id, workspace_id, expires_at, last_seen_at)
    select md5(n || '-' || step), ${id(2, n)}, ${workspaceId}, now() + interval '1 day', now() - make_interval(mins => n)
    from ${series(people)}, generate_series(1, 3) as step`,
  sql`insert into invitations (id, workspace_id, email, role, group_ids, token_hash, invited_by, expires_at)
    select ${id(4, n)}, ${workspaceId}, 'new' || n || '@bench.local', 'member', array[${id(3, sql.raw('1'))}], md5(n::text), ${userId},
      now() + interval '1 day' from ${series(sizes.invitations)}`,
  sql`insert into collections (id, workspace_id, name) select ${id(5, n)}, ${workspaceId}, 'Collection ' || n from ${series(40)}`,
  sql`insert into collection_grants (id, workspace_id, collection_id, subject, subject_id, level)
    select ${id(6, n)}, ${workspaceId}, ${id(5, n)}, 'workspace', ${workspaceId}, 'manage' from ${series(40)}`,
  sql`insert into sources (id, workspace_id, collection_id, kind, name, config)
    select ${id(7, n)}, ${workspaceId}, ${id(5, sql`1 + n % 40`)}, 'url', 'Source ' || n, '{"url":"https://example.com/"}'
    from ${series(sizes.sources)}`,
  sql`insert into documents (id, workspace_id, collection_id, name, media_type, latest_version_id, published_version_id, source_id)
    select ${id(8, n)}, ${workspaceId}, ${id(5, sql`1 + n % 40`)}, 'document-' || n || '.txt', 'text/plain', ${id(9, n)}, ${id(9, n)},
      ${id(7, sql`1 + n % ${sizes.sources}::int`)} from ${series(sizes.documents)}`,
  sql`insert into document_versions (id, document_id, number, content_hash, blob_key, bytes, stage, chunks, published_at)
    select ${id(9, n)}, ${id(8, n)}, 1, md5(n::text), ${id(9, n)}, 1000, 'ready', 10, now() from ${series(sizes.documents)}`,
  sql`insert into traces (id, workspace_id, user_id, question, status, model, started_at, total_ms, spans)
    select ${id(10, n)}, ${workspaceId}, ${id(2, sql`1 + n % ${people}::int`)}, 'What does rule ' || n || ' say?', 'complete', 'model-' || n % 3,
      now() - make_interval(mins => n * 2), 1200, '[]' from ${series(sizes.traces)}`,
  sql`insert into model_calls (id, at, workspace_id, user_id, trace_id, task, feature, provider, requested_model, served_model, outcome,
      tokens_in, tokens_out, cost_micros, total_ms)
    select ${id(11, n)}, now() - make_interval(secs => n * 40), ${workspaceId}, ${id(2, sql`1 + n % ${people}::int`)},
      ${id(10, sql`1 + n % ${sizes.traces}::int`)}, 'answer', 'chat', 'vendor', 'model-' || n % 3, 'model-' || n % 3, 'ok', 900, 200, 1500, 1100
    from ${series(sizes.calls)}`,
  // Chained lines are made one by one; how long that takes is not what is measured here.
  sql`alter table audit_log disable trigger user`,
  sql`insert into audit_log (at, workspace_id, actor_id, event, object_id, place, hash)
    select now() - make_interval(secs => n * 60), ${workspaceId}, ${id(2, sql`1 + n % ${people}::int`)},
      (array['session.created','document.uploaded','member.invited','grant.given'])[1 + n % 4], ${id(8, n)}::text,
      ${sizes.auditLines}::int - n + 1, md5(n::text) from ${series(sizes.auditLines)}`,
  sql`alter table audit_log enable trigger user`,
  sql`analyze`,
]

const now = new Date()
const period = periodOf('30d', now)
const costs = (by: CostGroup) =>
  Promise.all([
    listCallFilterChoices(reader(), viewer, period),
    getCostReport(reader(), viewer, period, by),
    getCostTotals(reader(), viewer, { from: period.previousFrom, to: period.previousTo }),
    listRoutes(reader(), viewer, period),
    getBudgetUse(reader(), viewer, now),
  ])
const lists: Record<string, () => Promise<unknown>> = {
  'members, first page': () => listMembers(viewer, {}),
  'members, last page': () => listMembers(viewer, {}, 1_000),
  'members, searched': () => listMembers(viewer, { q: 'person99' }),
  'members of a group': () => listMembers(viewer, { groupId: '00000003-0000-7000-8000-000000000007' }),
  groups: () => listGroups(viewer),
  invitations: () => listInvitations(viewer, {}),
  'invitations, searched': () => listInvitations(viewer, { q: 'new49' }),
  documents: () => listDocuments(viewer),
  sources: () => listSources(viewer),
  access: () => listCollectionsForAccess(viewer),
  traces: () =>
    Promise.all([
      listTraces(reader(), viewer, {}),
      listTraceChoices(reader(), viewer, new Date(now.getTime() - 90 * 86_400_000)),
    ]),
  'traces, searched': () => listTraces(reader(), viewer, { q: 'rule 19999' }),
  'costs of 30 days': () => costs('model'),
  'costs of 30 days, by person': () => costs('user'),
  audit: () => listAuditLines(reader(), viewer),
  'audit, of a person': () => listAuditLines(reader(), viewer, { actor: 'person99' }),
  'audit, of an event': () => listAuditLines(reader(), viewer, { event: 'member' }),
  'audit, of who did nothing': () => listAuditLines(reader(), viewer, { actor: userId }),
}

printMachine(['drizzle-orm', '@electric-sql/pglite', 'postgres'])
try {
  const beganMs = performance.now()
  for (const statement of seeding) await db.execute(statement)
  console.log(
    `${args.postgres ? 'server' : 'embedded'}, seeded in ${Math.round((performance.now() - beganMs) / 1_000)} s: ${people} people, ${JSON.stringify(sizes)}`,
  )
  const took = new Map(Object.keys(lists).map((name) => [name, [] as number[]]))
  for (let round = -2; round < rounds; round += 1)
    for (const [name, list] of Object.entries(lists)) {
      const startedMs = performance.now()
      await list()
      // The first rounds warm up.
      if (round >= 0) took.get(name)?.push(performance.now() - startedMs)
    }
  printRows(
    [...took].map(([name, ms]) => ({
      list: name,
      'p50 ms': percentile(ms, 0.5).toFixed(1),
      'p95 ms': percentile(ms, 0.95).toFixed(1),
      'at most 200': percentile(ms, 0.95) <= 200 ? 'yes' : 'NO',
    })),
  )
} finally {
  await closeDatabase()
}
