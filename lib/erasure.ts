/**
 * Erasing a person or a document for good.
 *
 * Guarantees: whoever is erased is locked out in the transaction that asks for it; the rest goes in a job that may be killed at any
 * point and is done again from its start; afterwards no table, file or log holds a word of theirs. What stays are ids, as pseudonyms:
 * in the audit log, in the cost of calls, in `erasures`. The list of erasures is kept beside the database too, so that a backup made
 * before forgets again what it is told when it is restored. A legal hold refuses.
 */
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Database, database, type Tx } from '#db/client.ts'
import {
  countOfDocument,
  describeErasure,
  eraseDocumentRows,
  getErasableDocument,
  listDocumentFamily,
  listFamilyBlobs,
  withdrawAnswers,
} from '#db/queries/erasure-document.ts'
import {
  countOfPerson,
  erasePersonRows,
  getErasablePerson,
  isLastOwner,
  leftSomething,
  lockOutPerson,
} from '#db/queries/erasure-person.ts'
import {
  countOpenAnswers,
  type Erasure,
  getErasure,
  insertErasure,
  listErasures as listErasureRows,
  listOpenAnswers,
  setErasure,
} from '#db/queries/erasure-record.ts'
import { clearRemains } from '#db/queries/erasure-remains.ts'
import { listHoldsOn } from '#db/queries/legal-holds.ts'
import { everythingOf } from '#db/visibility.ts'
import { audit } from './audit.ts'
import { deleteExports } from './data-export.ts'
import { env } from './env.ts'
import { enqueue } from './jobs.ts'
import { holdWords } from './legal-holds.ts'
import { AppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import {
  type Counts,
  type ErasureKind,
  type ErasurePlan,
  type ErasureRow,
  erasureKinds,
} from './shared/keeping-contract.ts'
import { isAtLeast, type Viewer } from './shared/viewer.ts'
import { deleteBlob } from './storage.ts'

type Target = { kind: ErasureKind; id: string }
/** A person in the workspace, or whoever runs the installation: all workspaces and documents are theirs to erase. */
type Asker = Viewer | { workspaceId: string; userId: null }

type Judged = Omit<ErasurePlan, 'counts'>

const judgePerson = async (tx: Tx, asker: Asker, id: string): Promise<Judged> => {
  const person = await getErasablePerson(tx, id)
  const here = person?.memberships.find(({ workspaceId }) => workspaceId === asker.workspaceId)
  const operator = asker.userId === null
  // Somebody who has left everywhere is erased where they left something.
  const left = person?.memberships.length === 0 && (await leftSomething(tx, asker.workspaceId, id))
  if (!person || person.erasedAt || !(operator || here || left)) throw new AppError('not-found')
  const elsewhere = person.memberships.filter(({ workspaceId }) => workspaceId !== asker.workspaceId).length
  const [hold] = await listHoldsOn(tx, {
    kind: 'person',
    ids: [id],
    ...(operator ? {} : { workspaceId: asker.workspaceId }),
  })
  const refusal = async (): Promise<string | null> => {
    if (hold) return holdWords(hold)
    if (asker.userId === id) return 'Nobody erases their own account. Ask another admin.'
    if (!operator && here?.role === 'owner' && !isAtLeast(asker.role, 'owner'))
      return 'Only an owner can erase an owner.'
    if (!operator && elsewhere > 0)
      return `${person.name} belongs to other workspaces as well. Remove them from this one; their account can be erased from the last that they belong to, or by whoever runs this installation, with npm run erase.`
    for (const { workspaceId } of person.memberships)
      if (await isLastOwner(tx, workspaceId, id))
        return `${person.name} is the last owner of ${workspaceId === asker.workspaceId ? 'this' : 'a'} workspace. Make somebody else an owner first.`
    return null
  }
  return {
    kind: 'person',
    id,
    label: person.email,
    refusal: await refusal(),
    warnings: [
      'Documents that they uploaded stay: they are the workspace’s. Erase one by itself where it is about them.',
      'The audit log keeps what was done, under a number instead of a name.',
    ],
  }
}

const judgeDocument = async (tx: Tx, asker: Asker, id: string): Promise<Judged> => {
  const { workspaceId } = asker
  const document = await getErasableDocument(tx, asker.userId === null ? everythingOf(workspaceId) : asker, id)
  if (!document) throw new AppError('not-found')
  const [hold] = await listHoldsOn(tx, { workspaceId, kind: 'document', ids: await listDocumentFamily(tx, id) })
  return {
    kind: 'document',
    id,
    label: document.name,
    refusal: hold ? holdWords(hold) : null,
    warnings: [
      ...(document.source
        ? [`The source “${document.source}” has it too and brings it back with its next run. Remove it there first.`]
        : []),
      'Answers that cite it are withdrawn, in everybody’s conversations.',
    ],
  }
}

const judge = (tx: Tx, asker: Asker, { kind, id }: Target): Promise<Judged> =>
  kind === 'person' ? judgePerson(tx, asker, id) : judgeDocument(tx, asker, id)

/** What an erasure would take, and whether it can be done. Throws `not-found`. Changes nothing. */
export const planErasure = (asker: Asker, target: Target): Promise<ErasurePlan> =>
  database().db.transaction(async (tx) => ({
    ...(await judge(tx, asker, target)),
    counts: await (target.kind === 'person' ? countOfPerson(tx, target.id) : countOfDocument(tx, target.id)),
  }))

const folded = (text: string): string => text.normalize('NFKC').trim().toLowerCase()

/**
 * Asks for an erasure: a person is locked out at once, the rest is done by a job. `confirmation` is the plan's label, typed.
 * Throws `not-found`, `bad-request` (another confirmation), `conflict` (why not, in words).
 */
export const requestErasure = async (
  asker: Asker,
  target: Target,
  confirmation: string,
  { queued = true }: { queued?: boolean } = {},
): Promise<{ id: string }> =>
  database().db.transaction(async (tx) => {
    const { label, refusal } = await judge(tx, asker, target)
    if (refusal) throw new AppError('conflict', { message: refusal })
    if (folded(confirmation) !== folded(label))
      throw new AppError('bad-request', { message: `Type “${label}” to confirm: erasing cannot be undone.` })
    const { id } = await insertErasure(tx, {
      id: newId(),
      workspaceId: asker.workspaceId,
      kind: target.kind,
      objectId: target.id,
      requestedBy: asker.userId,
    })
    const taken = target.kind === 'person' ? await lockOutPerson(tx, target.id) : {}
    await setErasure(tx, id, { report: taken, done: false })
    await audit(tx, {
      actor: { userId: asker.userId, workspaceId: asker.workspaceId },
      event: target.kind === 'person' ? 'person.erased' : 'document.erased',
      objectId: target.id,
      details: { erasure: id },
    })
    if (queued) await enqueue(tx, 'erasure.run', { erasureId: id })
    return { id }
  })

const added = (a: Counts, b: Counts): Counts => {
  const sum = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

type Pace = {
  wait: (ms: number) => Promise<void>
  /** An open answer that does not end is left to its writer after this long. */
  openAnswersMs: number
  /** What a turn writes when it has ended already: its trace. */
  afterglowMs: number
}
const usualPace: Pace = {
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  openAnswersMs: 150_000,
  afterglowMs: 3_000,
}
const pollMs = 500

const untilNoneOpen = async (open: () => Promise<number>, pace: Pace): Promise<void> => {
  for (let waitedMs = 0; waitedMs < pace.openAnswersMs && (await open()) > 0; waitedMs += pollMs)
    await pace.wait(pollMs)
}

const erasePerson = async ({ db }: Database, id: string, pace: Pace): Promise<Counts> => {
  const locked = await db.transaction((tx) => lockOutPerson(tx, id))
  await untilNoneOpen(() => countOpenAnswers(db, { userId: id }), pace)
  const sweep = () =>
    db.transaction(async (tx): Promise<Counts> => {
      const person = await getErasablePerson(tx, id)
      return person ? erasePersonRows(tx, person) : {}
    })
  const archives = await deleteExports({ userId: id })
  const first = added(added(locked, await sweep()), archives > 0 ? { exports: archives } : {})
  // Once more: a turn that was ending may have written its trace or kept its answer behind the first pass.
  await pace.wait(pace.afterglowMs)
  const { people: _twice, ...second } = await sweep()
  return added(first, second)
}

const eraseDocument = async ({ db }: Database, { workspaceId, objectId }: Erasure, pace: Pace): Promise<Counts> => {
  const erasure = await describeErasure(db, workspaceId, objectId)
  // Files first: while there are rows a killed job still knows which.
  const blobs = await listFamilyBlobs(db, erasure.documentIds)
  await Promise.all(blobs.map(deleteBlob))
  // Read by these before the rows went: they are looked at again when they have ended.
  const open = await db.transaction(async (tx) => ({
    withdrawn: await withdrawAnswers(tx, erasure),
    rows: await eraseDocumentRows(tx, erasure),
    answers: await listOpenAnswers(tx, workspaceId),
  }))
  await untilNoneOpen(() => countOpenAnswers(db, { messageIds: open.answers }), pace)
  await pace.wait(pace.afterglowMs)
  const again = await db.transaction((tx) => withdrawAnswers(tx, erasure))
  return added(added({ ...open.rows, ...(blobs.length > 0 ? { files: blobs.length } : {}) }, open.withdrawn), again)
}

const apply = (held: Database, erasure: Erasure, pace: Pace): Promise<Counts> =>
  erasure.kind === 'person' ? erasePerson(held, erasure.objectId, pace) : eraseDocument(held, erasure, pace)

/** Does an erasure that was asked for, down to what deleted rows leave behind. Done again it finds nothing more. `pace` is for tests. */
export const runErasure = async (erasureId: string, pace: Pace = usualPace): Promise<void> => {
  const held = database()
  const erasure = await getErasure(held.db, erasureId)
  if (!erasure) return
  const counts = await apply(held, erasure, pace)
  await remember(erasure)
  await clearRemains(held, erasure.kind)
  await setErasure(held.db, erasureId, { report: added(erasure.report, counts), done: true })
}

const lineSchema = z.object({ id: z.uuid(), workspaceId: z.uuid(), kind: z.enum(erasureKinds), objectId: z.uuid() })
export type ErasureLine = z.infer<typeof lineSchema>

const listPath = (): string => join(env().dataDir, 'erasures.jsonl')

/** Beside the database, since a backup from before knows nothing of it. Ids only. */
const remember = async ({ id, workspaceId, kind, objectId }: Erasure): Promise<void> => {
  if ((await readErasureList()).some((line) => line.id === id)) return
  await mkdir(env().dataDir, { recursive: true, mode: 0o700 })
  await appendFile(listPath(), `${JSON.stringify({ id, workspaceId, kind, objectId })}\n`, { mode: 0o600 })
}

/** The erasures that a file lists; none when it is not there. A line that a crash cut off is left out. */
export const readErasureList = async (path: string = listPath()): Promise<ErasureLine[]> => {
  const text = await readFile(/* turbopackIgnore: true */ path, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return [lineSchema.parse(JSON.parse(line))]
    } catch {
      return []
    }
  })
}

/**
 * Does again, after a restore, what was erased: all that the database lists, and `more`. Returns how many there were. Nobody is at work
 * yet, so nothing is waited for.
 */
export const reapplyErasures = async (more: readonly ErasureLine[]): Promise<number> => {
  const held = database()
  await held.db.transaction(async (tx) => {
    for (const line of more) await insertErasure(tx, { ...line, requestedBy: null })
  })
  const all = await listErasureRows(held.db)
  const pace: Pace = { wait: async () => undefined, openAnswersMs: 0, afterglowMs: 0 }
  for (const erasure of all) {
    const counts = await apply(held, erasure, pace)
    await remember(erasure)
    await setErasure(held.db, erasure.id, { report: added(erasure.report, counts), done: true })
  }
  for (const kind of new Set(all.map((one) => one.kind))) await clearRemains(held, kind)
  return all.length
}

/** The workspace's erasures, newest first. */
export const listErasures = async ({ workspaceId }: Pick<Viewer, 'workspaceId'>): Promise<ErasureRow[]> =>
  (await listErasureRows(database().db, workspaceId)).map(({ id, kind, objectId, requestedAt, doneAt, report }) => ({
    id,
    kind,
    objectId,
    requestedAt: requestedAt.toISOString(),
    doneAt: doneAt?.toISOString() ?? null,
    counts: report,
  }))
