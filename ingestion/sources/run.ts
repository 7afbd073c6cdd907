/**
 * One run over a source: what is new there becomes a document, what changed a new version, what is gone is deleted.
 *
 * Guarantees: an item that fails is recorded in words and the others go on; nothing is deleted unless the whole list was read, and
 * never more than half of what the source brought without a person's word; a run that was replaced, paused or deleted changes nothing
 * from then on; a killed run goes on where it was, since each item is remembered as soon as it is taken in. A document that a person
 * uploaded is never deleted, even when the source has the same.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { database } from '#db/client.ts'
import {
  claimSource,
  countSourceDocuments,
  deleteSource,
  endSource,
  failSource,
  forgetItem,
  keepSourceItem,
  listGoneItems,
  listSourceDocuments,
  listSourceItems,
  markItemsSeen,
  queueDueSources,
  releaseDocument,
  type SourceClaim,
  type SourceItemRow,
  setSourceProgress,
} from '#db/queries/sources.ts'
import { enqueue, type JobPayload } from '#lib/jobs.ts'
import { log } from '#lib/log.ts'
import { AnswerTooLarge, createSafeFetch, RefusedAddress } from '#lib/safe-fetch.ts'
import { AppError } from '#lib/shared/errors.ts'
import {
  type DocumentOrigin,
  isSourceKind,
  otherNamesOf,
  portFault,
  readSourceConfig,
  refusalOfSource,
  type SourceTally,
} from '#lib/shared/sources-contract.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { RefusedFolder } from '#lib/source-roots.ts'
import { pauseWith, type SourceContext, SourceFailure, type SourceItem } from './connector.ts'
import { connectorOf } from './registry.ts'

const itemsMax = 50_000
const progressMs = 500
const seenBatch = 500
const removalBatch = 50
const pageBounds = { bytesMax: 10 * 1_048_576, totalMs: 15_000 }

type Upload = {
  name: string
  collectionId: string
  source: AsyncIterable<Uint8Array>
  origin: DocumentOrigin
}

/** How documents come and go; the same way in as for a person's upload. */
export type Intake = {
  upload(
    viewer: Viewer,
    upload: Upload,
  ): Promise<{ outcome: 'created' | 'new-version' | 'already-there'; document: { id: string } }>
  /** Throws `not-found` when it is gone already. */
  remove(viewer: Viewer, documentId: string): Promise<void>
}

/** The run was replaced, or its source paused, changed or deleted: it ends without a trace. */
class Superseded extends Error {
  override name = 'Superseded'
}

/** What a connector threw while an item was fetched: its failure, not the run's. */
class ItemUnread extends Error {
  override name = 'ItemUnread'
}

const networkWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'There is no server of that name.',
  EAI_AGAIN: 'The name of the server could not be looked up just now.',
  ECONNREFUSED: 'The server does not take connections.',
  ECONNRESET: 'The server broke the connection off.',
  UND_ERR_CONNECT_TIMEOUT: 'The server did not answer in time.',
  UND_ERR_HEADERS_TIMEOUT: 'The server did not answer in time.',
  UND_ERR_BODY_TIMEOUT: 'The server stopped in the middle of its answer.',
  UND_ERR_SOCKET: 'The server broke the connection off.',
  EACCES: 'Footnote may not read it on this server.',
  ENOENT: 'It is no longer there.',
}

const codeOf = (thrown: unknown): string => {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if ('code' in error && typeof error.code === 'string') return error.code
  return ''
}

/** What went wrong at the source, in words for an admin. */
const wordsOf = (thrown: unknown): string => {
  if (thrown instanceof AppError) return thrown.publicMessage
  if (thrown instanceof RefusedAddress) return refusalOfSource(thrown.message)
  if (thrown instanceof SourceFailure || thrown instanceof RefusedFolder) return thrown.message
  if (thrown instanceof AnswerTooLarge) return 'The answer is larger than is read.'
  if (thrown instanceof Error && thrown.name === 'TimeoutError') return 'The server took too long.'
  const code = codeOf(thrown)
  return networkWords[code] ?? `It could not be read${code ? ` (${code})` : ''}. The next run tries again.`
}

/** Of what a file is, and not of this moment: fetched again only when it has changed. */
const lastingRefusals = new Set(['unsupported-type', 'file-too-large'])

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string
}

const fetchers = new Map<string, typeof fetch>()

/** The way to the network for one source: within the rules of `safe-fetch`, on the web's own ports, and by our name. */
const reach = (local: boolean, bounds = pageBounds): typeof fetch => {
  const key = `${local} ${bounds.bytesMax} ${bounds.totalMs}`
  const safe = fetchers.get(key) ?? createSafeFetch({ local, ...bounds, headersMs: bounds.totalMs })
  fetchers.set(key, safe)
  return async (input, init = {}) => {
    const address = new URL(String(input))
    const fault = portFault(address, local)
    if (fault) throw new RefusedAddress(fault)
    const headers = new Headers(init.headers)
    headers.set('user-agent', `Footnote/${version}`)
    return safe(address, { ...init, headers })
  }
}

type Run = {
  claim: SourceClaim
  viewer: Viewer
  intake: Intake
  signal: AbortSignal
  pause: SourceContext['pause']
  tally: SourceTally
  deletionsMax: number
}

const emptyTally = (): SourceTally => ({ added: 0, changed: 0, unchanged: 0, deleted: 0, failed: 0, gone: 0 })

/** Tells how far the run is, at most twice a second, and notices by it that the run is over. */
const progressOf = (claim: SourceClaim) => {
  let toldAtMs = 0
  return async (done: number, total: number, now = false): Promise<void> => {
    if (!now && performance.now() - toldAtMs < progressMs) return
    toldAtMs = performance.now()
    if (!(await setSourceProgress(database().db, claim, { done, total }))) throw new Superseded()
  }
}

/** Deletes what an item no longer stands for, if this source brought it and nothing else holds it. Whether it did. */
const dropDocument = async ({ claim, viewer, intake }: Run, item: { uri: string; documentId: string }) => {
  if ((await releaseDocument(database().db, claim, item)) !== 'last') return false
  try {
    await intake.remove(viewer, item.documentId)
  } catch (error) {
    // On legal hold: it stays, as if a person had uploaded it.
    if (error instanceof AppError && error.code === 'conflict') return false
    if (!(error instanceof AppError && error.code === 'not-found')) throw error
  }
  return true
}

type Taken = Pick<SourceItemRow, 'documentId' | 'fingerprint' | 'failure'> & { outcome: keyof SourceTally }

/** Takes one item in, or says why not. Throws what is not the item's fault: no room, no database. */
const takeIn = async (
  { claim, viewer, intake, signal }: Run,
  item: SourceItem,
  known: { before: SourceItemRow | undefined; isShared: boolean },
): Promise<Taken> => {
  const fetched = async function* () {
    try {
      yield* await item.fetch()
    } catch (cause) {
      throw new ItemUnread('', { cause })
    }
  }
  const { sourceId, collectionId } = claim
  const before = known.before?.documentId ?? null
  try {
    const { outcome, document } = await intake.upload(viewer, {
      name: item.name,
      collectionId,
      source: fetched(),
      origin: {
        sourceId,
        sourceUri: item.uri,
        // What another item still stands for keeps its content: this one goes its own way from here.
        documentId: known.isShared ? null : before,
        otherNames: otherNamesOf(item.name, item.uri),
      },
    })
    const changed =
      before === null ? 'added' : before === document.id && outcome === 'already-there' ? 'unchanged' : 'changed'
    return { documentId: document.id, fingerprint: item.fingerprint, failure: null, outcome: changed }
  } catch (error) {
    signal.throwIfAborted()
    const refused = error instanceof AppError && lastingRefusals.has(error.code)
    if (!refused && !(error instanceof ItemUnread)) throw error
    const cause = refused ? error : error.cause
    const isLasting = cause instanceof AppError && lastingRefusals.has(cause.code)
    const failure = wordsOf(cause).slice(0, 500)
    return { documentId: before, fingerprint: isLasting ? item.fingerprint : null, failure, outcome: 'failed' }
  }
}

/** Whether what is known of an item still holds when its fingerprint is the same. */
const isSettled = ({ documentId, failure }: SourceItemRow): boolean => documentId !== null || failure !== null

/** Reads the whole list and takes in what is new or changed. Returns how many items there are. */
const takeAll = async (
  run: Run,
  list: AsyncIterable<SourceItem>,
  known: Map<string, SourceItemRow>,
  total: () => number,
) => {
  const { claim, signal, tally } = run
  const { db } = database()
  const tell = progressOf(claim)
  const holders = new Map<string, number>()
  for (const { documentId } of known.values())
    if (documentId) holders.set(documentId, (holders.get(documentId) ?? 0) + 1)
  const listed = new Set<string>()
  let unchanged: string[] = []
  const flush = async (): Promise<void> => {
    await markItemsSeen(db, claim, unchanged)
    unchanged = []
  }
  for await (const item of list) {
    signal.throwIfAborted()
    if (listed.has(item.uri)) continue
    if (listed.size === itemsMax)
      throw new SourceFailure(`There are more than ${itemsMax} items. Say which ones count, or make several sources.`)
    listed.add(item.uri)
    const before = known.get(item.uri)
    if (before && item.fingerprint !== null && item.fingerprint === before.fingerprint && isSettled(before)) {
      tally[before.failure === null ? 'unchanged' : 'failed'] += 1
      unchanged.push(item.uri)
      if (unchanged.length >= seenBatch) await flush()
    } else {
      const isShared = (holders.get(before?.documentId ?? '') ?? 0) > 1
      const { outcome, ...taken } = await takeIn(run, item, { before, isShared })
      tally[outcome] += 1
      if (!(await keepSourceItem(db, claim, { uri: item.uri, ...taken }))) throw new Superseded()
      if (taken.documentId) holders.set(taken.documentId, (holders.get(taken.documentId) ?? 0) + 1)
      // It has become another document: the one before goes, unless something else holds it.
      if (before?.documentId && taken.documentId !== before.documentId) {
        holders.set(before.documentId, (holders.get(before.documentId) ?? 1) - 1)
        await dropDocument(run, { uri: item.uri, documentId: before.documentId })
      }
    }
    await tell(listed.size, total())
  }
  await flush()
  await tell(listed.size, listed.size, true)
}

/** Deletes what the complete list no longer held. Throws `SourceFailure` when that is too much to do unasked. */
const dropGone = async (run: Run): Promise<void> => {
  const { claim, tally, signal, deletionsMax } = run
  const { db } = database()
  const { all, gone } = await countSourceDocuments(db, claim)
  if (gone * 2 > all && gone > deletionsMax) {
    tally.gone = gone
    throw new SourceFailure(
      `${gone} of ${all} documents are no longer there. Nothing was deleted: look whether the source is as it should be, then confirm.`,
    )
  }
  const tell = progressOf(claim)
  for (const { uri, documentId } of await listGoneItems(db, claim)) {
    signal.throwIfAborted()
    if (documentId && (await dropDocument(run, { uri, documentId }))) tally.deleted += 1
    await forgetItem(db, claim, uri)
    await tell(tally.deleted, gone)
  }
}

const refresh = async (run: Run): Promise<string | null> => {
  const { claim, signal, pause } = run
  const { kind } = claim
  const connector = connectorOf(kind)
  if (!connector || !isSourceKind(kind)) throw new SourceFailure(`This version of Footnote has no connector “${kind}”.`)
  const read = readSourceConfig(kind, claim.config)
  if ('fault' in read) throw new SourceFailure(read.fault)
  const { config } = read
  const known = new Map((await listSourceItems(database().db, claim)).map((item) => [item.uri, item]))
  let total = 0
  const notes: string[] = []
  const context: SourceContext = {
    signal,
    fetch: reach('local' in config && config.local, connector.bounds),
    previous: (uri) => {
      const item = known.get(uri)
      return item && isSettled(item) ? (item.fingerprint ?? undefined) : undefined
    },
    expect: (count) => {
      total = count
    },
    note: (words) => notes.push(words),
    pause,
  }
  await takeAll(run, connector.list(config, context), known, () => total)
  await dropGone(run)
  return notes.join(' ') || null
}

/** Deletes the documents that the source has brought, then the source. */
const removeAll = async ({ claim, viewer, intake, signal }: Run): Promise<void> => {
  const { db } = database()
  const { all } = await countSourceDocuments(db, claim)
  const tell = progressOf(claim)
  for (let done = 0; ; ) {
    const batch = await listSourceDocuments(db, claim, removalBatch)
    if (batch.length === 0) break
    let left = batch.length
    for (const documentId of batch) {
      signal.throwIfAborted()
      await intake.remove(viewer, documentId).then(
        () => {
          left -= 1
        },
        (error: unknown) => {
          if (error instanceof AppError && error.code === 'conflict') throw new SourceFailure(error.publicMessage)
          if (!(error instanceof AppError && error.code === 'not-found')) throw error
        },
      )
      done += 1
      await tell(done, all)
    }
    if (left === batch.length)
      throw new SourceFailure(
        'Its documents may no longer be deleted by who wanted that. Delete it again, in your name.',
      )
  }
  await deleteSource(db, claim, claim.sourceId)
}

/** Whether it went wrong at the source, so that trying again at once helps nobody. */
const isOfSource = (error: unknown): boolean =>
  error instanceof SourceFailure ||
  error instanceof RefusedAddress ||
  error instanceof RefusedFolder ||
  error instanceof AnswerTooLarge ||
  (error instanceof AppError && error.code === 'storage-full') ||
  (error instanceof Error && (error.name === 'TimeoutError' || codeOf(error) in networkWords))

/**
 * Runs over a source. Ends with its row saying how it went, in words; throws only what trying again may mend: the signal's reason, or a
 * fault of ours.
 */
export const runSource = async (
  { sourceId, remove = false, deletionsMax = 0 }: JobPayload<'source.run'>,
  intake: Intake,
  signal: AbortSignal,
  pause: SourceContext['pause'] = pauseWith(signal),
): Promise<void> => {
  const { db } = database()
  const claim = await claimSource(db, sourceId)
  if (!claim) return
  const tally = emptyTally()
  try {
    // On whose behalf: with the rights of now, and none when that person is gone.
    if (!claim.maker || !can(claim.maker, 'document.manage'))
      throw new SourceFailure(
        'Who set this source up is no longer an admin here, so it does not run. Change it and save, and it runs in your name.',
      )
    if (!claim.open)
      throw new SourceFailure(
        'Who set this source up may not add to its collection any more, or the collection is switched off, so it does not run. Change it and save, and it runs in your name.',
      )
    const run: Run = { claim, viewer: claim.maker, intake, signal, pause, tally, deletionsMax }
    if (remove) return await removeAll(run)
    await endSource(db, claim, { state: 'idle', failure: await refresh(run), tally })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Superseded) return
    if (!isOfSource(error)) throw error
    log.info({ sourceId, err: error }, 'source failed')
    await endSource(db, claim, { state: 'failed', failure: wordsOf(error), tally })
  }
}

/** Queues every source whose time has come. */
export const queueDueRuns = (): Promise<void> =>
  database().db.transaction(async (tx) => {
    for (const sourceId of await queueDueSources(tx)) await enqueue(tx, 'source.run', { sourceId })
  })

/** The queue gave a run up: the source says so. */
export const runGivenUp = (sourceId: string): Promise<void> =>
  failSource(
    database().db,
    sourceId,
    'The run was broken off several times by a fault of Footnote. The log says more; the next run tries again.',
  )
