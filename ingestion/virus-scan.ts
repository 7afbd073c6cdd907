/**
 * No file is read before the virus scanner has let it pass, where the operator has named one (CLAMD_ADDRESS). Every file comes by
 * here: what a person uploads, what a source brings, what was attached to something; and again each time that it is read anew,
 * since scanners learn.
 *
 * Fails closed: while the scanner cannot be asked the document waits, some ten minutes; then it says so and a person tries again, and it
 * waits anew. Until a file has passed, nobody gets its bytes by another way either (db/scanned.ts).
 */
import { createReadStream } from 'node:fs'
import { database } from '#db/client.ts'
import { type Claim, setFailure, setProgress } from '#db/queries/ingest.ts'
import { audit } from '#lib/audit.ts'
import { env } from '#lib/env.ts'
import { enqueue } from '#lib/jobs.ts'
import { log } from '#lib/log.ts'
import { blobFilePath, findLockedBlob, lockBlob, unlockBlob } from '#lib/storage.ts'
import { ScannerAway, type ScanVerdict, scanStream } from './clamd.ts'
import { ParseRefused } from './sandbox.ts'

/** With the pauses below some ten minutes: a scanner that starts anew reads its signatures for about one. */
const scansMax = 15
const pauseMsMax = 60_000

/** Opened when the first piece is taken, so that nothing stays open behind a scan that never begins. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path) as AsyncIterable<Uint8Array>
}

/** The bytes go out of reach of readers, exports and backups; they stay for who has to prove them, or to be scanned again. */
const refuseInfected = async (claim: Claim, virus: string): Promise<void> => {
  const { versionId, documentId, workspaceId, contentHash } = claim
  await lockBlob(claim.blobKey)
  log.warn({ event: 'document.infected', versionId, documentId, virus }, 'a virus was found')
  await setFailure(database().db, claim, 'infected', (tx) =>
    audit(tx, {
      actor: { userId: null, workspaceId },
      event: 'document.infected',
      objectId: documentId,
      details: { versionId, contentHash, virus },
    }),
  )
}

/**
 * After the scanner was away `scans` times in a row the job comes back later by itself; nothing but another try is lost when the attempt
 * is not the current one any more.
 */
const waitForScanner = async (claim: Claim, error: ScannerAway, scans: number): Promise<void> => {
  const { versionId } = claim
  log.warn({ err: error, event: 'scanner.away', versionId, scans }, 'a document was not scanned')
  if (scans >= scansMax) throw new ParseRefused('not-scanned', error)
  const startAfter = new Date(Date.now() + Math.min(1_000 * 2 ** scans, pauseMsMax))
  await database().db.transaction(async (tx) => {
    const waits = { stage: 'queued', done: 0, total: 0, failureCode: 'not-scanned' } as const
    if (await setProgress(tx, claim, waits)) await enqueue(tx, 'document.ingest', { versionId, scans }, { startAfter })
  })
}

/**
 * Whether the claim's file may be read now. If not, what becomes of the document is settled: it is refused, waits for the scanner, or
 * belongs to a later attempt. `scans`: how many times before this the scanner could not be asked; attempts that ended otherwise are not
 * its fault, and a person who tries again begins anew. Throws `ParseRefused` for what was not scanned and will not be: the file is too
 * large for the scanner, or that did not come back.
 */
export const passesScan = async (claim: Claim, signal: AbortSignal, scans: number): Promise<boolean> => {
  const { clamdAddress } = env()
  const locked = await findLockedBlob(claim.blobKey)
  if (!clamdAddress) {
    // Without a scanner nobody can take back what it said.
    if (locked) throw new ParseRefused('infected')
    return true
  }
  const { db } = database()
  if (!(await setProgress(db, claim, { stage: 'scanning', done: 0, total: 0 }))) return false
  let verdict: ScanVerdict
  try {
    verdict = await scanStream(clamdAddress, bytesOf(locked ?? blobFilePath(claim.blobKey)), { signal })
  } catch (error) {
    if (!(error instanceof ScannerAway)) throw error
    await waitForScanner(claim, error, scans + 1)
    return false
  }
  if (verdict.kind === 'too-large') throw new ParseRefused('too-large-to-scan')
  if (verdict.kind === 'found') {
    await refuseInfected(claim, verdict.virus)
    return false
  }
  if (locked) await unlockBlob(claim.blobKey)
  return setProgress(db, claim, { stage: 'parsing', done: 0, total: 0 })
}
