/**
 * The reviewer's queue at size: `npm run bench:review [-- --postgres URL] [--items N]`. 10,000 open items (a tenth held) and as many
 * decided ones in 40 collections, of which the reviewer reads 30; one after the other, and claimed by eight people at once; and how
 * soon a decision is in the chat that the asker has open.
 */
import './scratch.ts'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type SQL, sql } from 'drizzle-orm'
import { closeDatabase, holdDatabase, rows } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { followDecisions } from '#lib/chat/index.ts'
import { percentile } from '#lib/evals/metrics.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import {
  claimNext,
  claimReview,
  contentHash,
  decideReview,
  listQueue,
  loadReview,
  releaseClaim,
  reviewMetrics,
} from '#lib/review/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { type ReviewFilter, reviewFilterSchema } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { printMachine, printRows } from './report.ts'
import { openScratchServer } from './scratch-server.ts'

const { values: args } = parseArgs({
  options: { postgres: { type: 'string' }, items: { type: 'string', default: '10000' } },
})
const items = Number(args.items)
const rounds = 40
const people = 8
/** What people wait for, by how a step begins; the others are printed beside. */
const askedMs: Readonly<Record<string, number>> = { list: 100, claim: 100, told: 1_000 }
const boundOf = (step: string): number | undefined => askedMs[step.split(/[ ,]/)[0] ?? '']

const database = holdDatabase(args.postgres ? await openScratchServer(args.postgres) : await openMemoryDatabase())
const { db } = database
const workspaceId = newId()
const reviewers = Array.from({ length: people }, (_, at): Viewer => {
  const userId = newId()
  return { userId, workspaceId, role: 'reviewer', name: `Reviewer ${at}`, email: `reviewer${at}@bench.local` }
})
const [viewer] = reviewers
if (!viewer) throw new Error('nobody reviews')

const id = (kind: number, n: SQL): SQL =>
  sql`(lpad(to_hex(${kind}::int), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
const n = sql.raw('n')
const series = (count: number): SQL => sql`generate_series(1, ${count}::int) as n`
/** An answer of ten sentences, as long as they are. */
const content = {
  text: Array.from(
    { length: 10 },
    (_, at) => `Sentence ${at} says what rule ${at} says, in about as many words. [^1]`,
  ).join(' '),
  citations: [],
  claims: [],
  metadata: {},
  sources: [],
}
const hash = contentHash(content)
const stored = JSON.stringify(content)

const columns = sql.raw(
  'id, workspace_id, kind, message_id, chat_id, asker_id, question, content, content_hash, reasons, reason, risk, collection_ids, held, state, due_at, expires_at, created_at, decided_at, decided_by',
)
const itemsOf = (kind: number, state: string): SQL => sql`insert into review_items (${columns})
  select ${id(kind, n)}, ${workspaceId}, case when n % 10 = 0 then 'held' else 'queued' end, ${id(kind + 10, n)}, ${id(3, sql`1 + n % 100`)},
    ${id(2, sql`1 + n % 50`)}, 'What does rule ' || n || ' of the handbook say about ' || md5(n::text) || '?', ${stored}::jsonb, ${hash},
    '[{"kind":"confidence","words":"It is only 40 % sure."}]', (array['confidence','topic','unsupported','sampled'])[1 + n % 4], n % 100,
    array[${id(5, sql`1 + n % 40`)}], n % 10 = 0, ${state}, now() + make_interval(secs => n), now() + interval '1 day',
    now() - make_interval(secs => n * 60), case when ${state} <> 'open' then now() - make_interval(secs => n * 30) end,
    case when ${state} <> 'open' then ${viewer.userId}::uuid end
  from ${series(items)}`

const seeding: SQL[] = [
  sql`insert into workspaces (id, name) values (${workspaceId}, 'Bench')`,
  sql`insert into users (id, email, name) select ${id(2, n)}, 'asker' || n || '@bench.local', 'Asker ' || n from ${series(50)}`,
  ...reviewers.flatMap(({ userId, email, name }) => [
    sql`insert into users (id, email, name) values (${userId}, ${email}, ${name})`,
    sql`insert into memberships (workspace_id, user_id, role) values (${workspaceId}, ${userId}, 'reviewer')`,
  ]),
  sql`insert into collections (id, workspace_id, name) select ${id(5, n)}, ${workspaceId}, 'Collection ' || n from ${series(40)}`,
  sql`insert into collection_grants (id, workspace_id, collection_id, subject, subject_id, level)
    select ${id(6, n)}, ${workspaceId}, ${id(5, n)}, 'workspace', ${workspaceId}, 'read' from ${series(30)}`,
  sql`insert into chats (id, workspace_id, user_id, title) select ${id(3, n)}, ${workspaceId}, ${id(2, sql`1 + (n - 1) % 50`)}, 'Chat' from ${series(100)}`,
  sql`insert into messages (id, chat_id, role, text, status, metadata)
    select ${id(14, n)}, ${id(3, sql`1 + n % 100`)}, 'assistant', case when n % 10 = 0 then '' else ${content.text} end,
      case when n % 10 = 0 then 'held' else 'complete' end,
      case when n % 10 = 0 then '{"review":{"state":"waiting","reasons":[],"since":"2026-01-01T00:00:00.000Z","usuallyMs":null}}'::jsonb else '{}'::jsonb end
    from ${series(items)}`,
  itemsOf(4, 'open'),
  itemsOf(7, 'approved'),
  sql`analyze`,
]

const filter = (rest: Partial<ReviewFilter> = {}): ReviewFilter => reviewFilterSchema.parse(rest)
const openOnes = await (async () => {
  for (const statement of seeding) await db.execute(statement)
  return rows<{ id: string; held: boolean; chatId: string; askerId: string }>(
    db,
    sql`select id, held, chat_id as "chatId", asker_id as "askerId" from review_items where state = 'open' and collection_ids[1] <= ${id(5, sql.raw('30'))} order by risk desc, id`,
  )
})()
const heldOnes = openOnes.filter(({ held }) => held)
const shownOnes = openOnes.filter(({ held }) => !held)
let at = 0
const nextId = (): string => shownOnes[at++]?.id ?? ''
let cursor: string | undefined

const approve = (itemId: string) =>
  decideReview(viewer, { itemId, contentHash: hash, decisionId: newId(), decision: { act: 'approve', seen: [] } })

/** A chat whose asker listens to it; `told` resolves when the first decision has come down the line. */
const openChat = async ({ chatId, askerId }: { chatId: string; askerId: string }) => {
  const asker: Viewer = { userId: askerId, workspaceId, role: 'member', name: 'Asker', email: 'asker@bench.local' }
  const { body } = await followDecisions(asker, chatId)
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) throw new Error('nobody looks at an answer of this chat')
  const told = async (): Promise<void> => {
    for (let read = ''; !read.includes('event: decided'); ) {
      const { value, done } = await reader.read()
      if (done) throw new Error('the line ended before the decision')
      read += value
    }
    await reader.cancel()
  }
  return { told }
}

const steps: Record<string, () => Promise<unknown>> = {
  'list, first page': async () => {
    cursor = (await listQueue(viewer, filter())).next ?? undefined
  },
  'list, next page': () => listQueue(viewer, filter(cursor ? { after: cursor } : {})),
  'list, by risk': () => listQueue(viewer, filter({ order: 'risk' })),
  'list, one reason': () => listQueue(viewer, filter({ reason: 'topic' })),
  'list, one collection': () => listQueue(viewer, filter({ collectionId: '00000005-0000-7000-8000-000000000007' })),
  'list, free': () => listQueue(viewer, filter({ whose: 'free' })),
  'list, mine': () => listQueue(viewer, filter({ whose: 'mine' })),
  'claim the next': async () => {
    const claim = await claimNext(viewer, filter())
    if (claim) await releaseClaim(viewer, claim.itemId)
  },
  'eight claim at once': async () => {
    const claims = await Promise.all(reviewers.map((one) => claimNext(one, filter())))
    await Promise.all(claims.map((claim, who) => claim && releaseClaim(reviewers[who] ?? viewer, claim.itemId)))
  },
  'open an item': () => loadReview(viewer, shownOnes[at]?.id ?? ''),
  'claim one and decide': async () => {
    const itemId = nextId()
    await claimReview(viewer, itemId)
    await approve(itemId)
  },
  figures: () => reviewMetrics(viewer),
}

/** From the decision until its words are in the asker's open chat, in ms. */
const decideInOpenChat = async (round: number): Promise<number> => {
  const item = heldOnes[round]
  if (!item) throw new Error('there are not enough held items')
  await claimReview(viewer, item.id)
  const { told } = await openChat(item)
  // At any moment between two looks.
  await setTimeout(((round * 37) % rounds) * 10)
  const startedMs = performance.now()
  await Promise.all([approve(item.id), told()])
  return performance.now() - startedMs
}

printMachine(['drizzle-orm', '@electric-sql/pglite', 'postgres'])
try {
  await openQueue()
  console.log(
    `${args.postgres ? 'server' : 'embedded'}: ${items} open items, ${items} decided, 30 of 40 collections read`,
  )
  const took = new Map(Object.keys(steps).map((name) => [name, [] as number[]]))
  for (let round = -2; round < rounds; round += 1)
    for (const [name, step] of Object.entries(steps)) {
      const startedMs = performance.now()
      await step()
      // The first rounds warm up.
      if (round >= 0) took.get(name)?.push(performance.now() - startedMs)
    }
  const toldMs: number[] = []
  for (let round = 0; round < rounds; round += 1) toldMs.push(await decideInOpenChat(round))
  took.set('told in the open chat', toldMs)
  printRows(
    [...took].map(([name, ms]) => {
      const bound = boundOf(name)
      return {
        step: name,
        'p50 ms': percentile(ms, 0.5).toFixed(1),
        'p95 ms': percentile(ms, 0.95).toFixed(1),
        'at most ms': bound ?? '',
        met: bound === undefined ? '' : percentile(ms, 0.95) <= bound ? 'yes' : 'NO',
      }
    }),
  )
} finally {
  await closeQueue(0)
  await closeDatabase()
}
