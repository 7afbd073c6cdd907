/** `audit verify`: walks the chains of the audit log and names the first line that does not fit. */
import { database } from '#db/client.ts'
import { compareAuditHead, listAuditChains, verifyAuditChain } from '#db/queries/audit.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { AuditCheck, ChainVerdict, HeadVerdict } from '#lib/shared/records-contract.ts'
import { type Connection, WrongUse } from './connect.ts'
import { closeProduct, openProduct } from './product.ts'

export type AuditOptions = { workspace?: string; head?: string; json?: boolean }

type KeptHead = { place: number; hash: string }

/** `PLACE:HASH`, as the command prints it. Throws `WrongUse`. */
export const parseHead = (text: string): KeptHead => {
  const [, place = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? []
  if (!hash) throw new WrongUse('a head is PLACE:HASH, as this command prints it')
  return { place: Number(place), hash }
}

const nameOf = ({ workspaceId, workspace }: ChainVerdict): string =>
  workspaceId === null ? 'the installation' : (workspace ?? `workspace ${workspaceId}`)

const headWords: Record<HeadVerdict, string> = {
  matches: 'The head that was kept is in it.',
  differs: 'Another line stands where the head that was kept says: the log was rewritten.',
  missing: 'The head that was kept is not in it: its end was cut off.',
  deleted: 'The head that was kept is older than what retention left; keep a newer one.',
}

const inWords = (verdict: ChainVerdict): string[] => {
  const { lines, head, broken } = verdict
  const state = broken ? `BROKEN. ${broken.words}` : `whole, ${formatCount(lines)} lines`
  return [`${nameOf(verdict)}: ${state}`, ...(head && !broken ? [`  head ${head.place}:${head.hash}`] : [])]
}

/** Every chain, or those of the workspaces that are called so. Throws `WrongUse` when there is none. */
const verifyHere = async (named: string | undefined, kept: KeptHead | null): Promise<AuditCheck> => {
  await openProduct()
  try {
    const { db } = database()
    const found = await listAuditChains(db, named)
    if (found.length === 0 && named !== undefined)
      throw new WrongUse(`there is no workspace ${named} with an audit log`)
    const chains: ChainVerdict[] = []
    const heads: HeadVerdict[] = []
    for (const chain of found) {
      chains.push(
        await verifyAuditChain(db, chain, (lines) => {
          if (lines % 50_000 === 0 && lines > 0) process.stderr.write(`${formatCount(lines)} lines\n`)
        }),
      )
      if (kept) heads.push(await compareAuditHead(db, chain.workspaceId, kept))
    }
    // Of several chains the head is of one: what it is called is not in it.
    const order: HeadVerdict[] = ['matches', 'differs', 'deleted', 'missing']
    const head = kept ? (order.find((one) => heads.includes(one)) ?? 'missing') : null
    return { chains, head }
  } finally {
    await closeProduct()
  }
}

/** `remote`: the server that owns the database; it verifies the workspace of the account that the command works as. */
export const verifyAudit = async (
  { workspace, head, json }: AuditOptions,
  remote: Pick<Connection, 'verifyAudit'> | null,
): Promise<number> => {
  const kept = head === undefined ? null : parseHead(head)
  if (remote && workspace !== undefined)
    throw new WrongUse('a server owns the data: leave --workspace out and say --user, or stop the server')
  const check = remote ? await remote.verifyAudit(head) : await verifyHere(workspace, kept)
  const intact =
    check.chains.every(({ broken }) => broken === null) && (check.head === null || check.head === 'matches')
  if (json) process.stdout.write(`${JSON.stringify({ intact, ...check })}\n`)
  else {
    for (const line of check.chains.flatMap(inWords)) process.stdout.write(`${line}\n`)
    if (check.head) process.stdout.write(`${headWords[check.head]}\n`)
    if (remote) process.stderr.write('Through the server: this workspace alone. Stop it to verify every chain.\n')
  }
  return intact ? 0 : 1
}
