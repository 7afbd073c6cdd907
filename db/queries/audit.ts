/** The chains of the audit log, walked in SQL by the function that made them. */
import { sql } from 'drizzle-orm'
import type { AuditFault, ChainVerdict, HeadVerdict } from '#lib/shared/records-contract.ts'
import { type Executor, rows } from '../client.ts'

/** The chain of what belongs to no workspace; see 0008_records.sql. */
const ownChain = '00000000-0000-0000-0000-000000000000'
const pageLines = 5_000

export type AuditChain = { workspaceId: string | null; name: string | null }

/** Every chain that has a line or a head; whoever took the head away does not hide the lines. */
export const listAuditChains = async (db: Executor, named?: string): Promise<AuditChain[]> =>
  rows<AuditChain>(
    db,
    sql`select c.workspace_id as "workspaceId", w.name from (
        select nullif(chain, ${ownChain}) as workspace_id from audit_heads
        union select workspace_id from audit_log) c
      left join workspaces w on w.id = c.workspace_id
      ${named === undefined ? sql`` : sql`where w.name = ${named} or c.workspace_id::text = ${named}`}
      order by c.workspace_id nulls first`,
  )

/** `=` and not `is not distinct from`: only the former asks the index. */
const ofChain = (workspaceId: string | null) =>
  workspaceId === null ? sql`l.workspace_id is null` : sql`l.workspace_id = ${workspaceId}`

type Page = {
  lines: number
  first: { id: number; place: number } | null
  last: { place: number; hash: string } | null
  bad: { id: number; place: number; before: number | null; hashBefore: string } | null
  head: { place: number; hash: string } | null
}

/**
 * The next lines by their place, and the head, in one statement: what it says of both is of one moment. `bad` is the first line whose
 * place does not follow the one before or whose hash is not that of its content. bigint comes as text: the drivers differ.
 */
const readPage = async (
  db: Executor,
  workspaceId: string | null,
  after: { place: number; hash: string } | null,
): Promise<Page> => {
  const [page] = await rows<Page>(
    db,
    sql`with found as materialized (
        select l as line, l.id, l.place, l.hash from audit_log l where ${ofChain(workspaceId)} and l.place is not null
          ${after ? sql`and l.place > ${after.place}` : sql``}
        order by l.place, l.id limit ${pageLines}),
      walked as (
        select f.id, f.place, f.hash,
          coalesce(lag(f.place) over w, ${after?.place ?? null}::bigint) as before,
          coalesce(lag(f.hash) over w, ${after?.hash ?? ''}::text) as hash_before,
          audit_line_hash(coalesce(lag(f.hash) over w, ${after?.hash ?? ''}::text), f.line) as should
        from found f window w as (order by f.place, f.id))
      select (select count(*)::int from found) as lines,
        (select jsonb_build_object('id', id, 'place', place) from walked order by place, id limit 1) as first,
        (select jsonb_build_object('place', place, 'hash', hash) from walked order by place desc, id desc limit 1) as last,
        (select jsonb_build_object('id', id, 'place', place, 'before', before, 'hashBefore', hash_before) from walked
          where place <> coalesce(before, 0) + 1 or hash is distinct from should
          order by place, id limit 1) as bad,
        (select jsonb_build_object('place', place, 'hash', hash) from audit_heads
          where chain = ${workspaceId ?? ownChain}) as head`,
  )
  if (!page) throw new Error('a statement without a row')
  return page
}

/** The hash of the last of the oldest lines that retention deleted, as it wrote it down; undefined when it deleted none before `place`. */
const purgedBefore = async (db: Executor, workspaceId: string | null, place: number): Promise<string | undefined> => {
  const [purged] = await rows<{ hash: string }>(
    db,
    sql`select l.details ->> 'hash' as hash from audit_log l
      where ${ofChain(workspaceId)} and l.event = 'audit.purged' and l.details ->> 'place' = ${String(place - 1)}
        and l.place >= ${place}
        and not exists (select from audit_log l where ${ofChain(workspaceId)} and l.place < ${place})
      order by l.place desc limit 1`,
  )
  return purged?.hash
}

const faultOf = ({ id, place, before }: NonNullable<Page['bad']>): NonNullable<ChainVerdict['broken']> => {
  const from = (before ?? 0) + 1
  const told = (fault: AuditFault, words: string) => ({ fault, place, lineId: id, words })
  if (place > from)
    return told(
      'missing',
      place - from === 1
        ? `Line ${from} is missing: line ${place} follows line ${from - 1}.`
        : `Lines ${from} to ${place - 1} are missing: line ${place} follows line ${from - 1}.`,
    )
  if (place < from)
    return told('inserted', `Line ${id} was inserted: it stands at place ${place}, which is not its own.`)
  return told(
    'changed',
    `Line ${place} is not what was written there: it was changed, inserted or moved, or the line before it was.`,
  )
}

/** Whether the chain ends where its head says. */
const endFault = ({ head }: Page, last: ChainVerdict['head']): ChainVerdict['broken'] => {
  const ends = last?.place ?? 0
  const told = (fault: AuditFault, place: number, words: string) => ({ fault, place, lineId: null, words })
  if (!head)
    return last
      ? told('head', ends, `The head of the chain is gone: that line ${ends} is the last cannot be shown.`)
      : null
  if (head.place > ends)
    return told('cut-off', ends + 1, `The end is cut off: lines ${ends + 1} to ${head.place} are missing.`)
  if (head.place < ends)
    return told('head', head.place + 1, `Line ${head.place + 1} was added past the head of the chain.`)
  if (last && head.hash !== last.hash) return told('head', ends, `Line ${ends} is not the one that the head names.`)
  return null
}

/** Lines that the trigger never saw stand in no chain. */
const unchained = async (db: Executor, workspaceId: string | null): Promise<ChainVerdict['broken']> => {
  const [line] = await rows<{ id: number | string }>(
    db,
    sql`select l.id from audit_log l where ${ofChain(workspaceId)} and l.place is null order by l.id limit 1`,
  )
  if (!line) return null
  return {
    fault: 'inserted',
    place: 0,
    lineId: Number(line.id),
    words: `Line ${line.id} was inserted: it stands in no chain.`,
  }
}

/**
 * Walks a chain from its first line to its head by pages and names the first line that does not fit. Lines may be written and the
 * oldest purged meanwhile. `told` hears how many lines were read so far.
 */
export const verifyAuditChain = async (
  db: Executor,
  { workspaceId, name }: AuditChain,
  told: (lines: number) => void = () => undefined,
): Promise<ChainVerdict> => {
  let after: { place: number; hash: string } | null = null
  let lines = 0
  let firstPlace: number | null = null
  const verdict = (broken: ChainVerdict['broken'], head: ChainVerdict['head']): ChainVerdict => ({
    workspaceId,
    workspace: name,
    lines,
    firstPlace,
    head,
    broken,
  })
  for (;;) {
    const page: Page = await readPage(db, workspaceId, after)
    const { bad } = page
    if (bad) {
      const purged = bad.place > (bad.before ?? 0) + 1 ? await purgedBefore(db, workspaceId, bad.place) : undefined
      const resumesAt: { place: number; hash: string } | null =
        purged === undefined ? null : { place: bad.place - 1, hash: purged }
      // Once: with the hash that was kept the line fits, or it does not.
      if (resumesAt && after?.place !== resumesAt.place) {
        after = resumesAt
        continue
      }
      return verdict(faultOf(bad), page.head)
    }
    lines += page.lines
    firstPlace ??= page.first?.place ?? null
    after = page.last ?? after
    told(lines)
    if (page.lines < pageLines) return verdict(endFault(page, after) ?? (await unchained(db, workspaceId)), page.head)
  }
}

/** What became of the line that a head, kept elsewhere, names. */
export const compareAuditHead = async (
  db: Executor,
  workspaceId: string | null,
  kept: { place: number; hash: string },
): Promise<HeadVerdict> => {
  const [found] = await rows<{ hash: string | null; purged: string | null; older: boolean }>(
    db,
    sql`select (select l.hash from audit_log l where ${ofChain(workspaceId)} and l.place = ${kept.place} limit 1) as hash,
      (select l.details ->> 'hash' from audit_log l where ${ofChain(workspaceId)} and l.event = 'audit.purged'
        and l.details ->> 'place' = ${String(kept.place)} limit 1) as purged,
      coalesce((select min(l.place) > ${kept.place} from audit_log l where ${ofChain(workspaceId)}), false) as older`,
  )
  const hash = found?.hash ?? found?.purged
  if (hash) return hash === kept.hash ? 'matches' : 'differs'
  return found?.older ? 'deleted' : 'missing'
}
