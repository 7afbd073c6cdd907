/** The end that an answer comes to, and which one it is when the writing broke off. */
import type { NewReviewItem } from '#db/queries/reviews.ts'
import type { LedgerLine } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import type { MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import { publicError, toAppError } from '#lib/shared/errors.ts'
import { type GenerationWriter, StopRequested } from './generation.ts'

export type Outcome = {
  status: MessageStatus
  metadata: MessageMetadata
  calls?: LedgerLine[]
  /** Stored with the answer, in one transaction. */
  review?: NewReviewItem
}

/** A call that ended early, with what it had cost by then. */
export class Unfinished extends Error {
  override name = 'Unfinished'
  readonly calls: LedgerLine[]
  constructor(cause: unknown, calls: LedgerLine[]) {
    super('the answer was not finished', { cause })
    this.calls = calls
  }
}

/** The end that the thrown makes of an answer, with what it had cost by then. */
export const endOf = (thrown: unknown, writer: GenerationWriter): Outcome =>
  thrown instanceof Unfinished ? { ...brokenOff(thrown.cause, writer), calls: thrown.calls } : brokenOff(thrown, writer)

const brokenOff = (thrown: unknown, writer: GenerationWriter): Outcome => {
  if (writer.signal.aborted)
    return { status: writer.signal.reason instanceof StopRequested ? 'stopped' : 'interrupted', metadata: {} }
  const error = toAppError(thrown)
  if (error.code === 'switched-off') {
    // What was written before it was switched off stays, with why it ends there.
    return writer.text() === ''
      ? { status: 'failed', metadata: { error: publicError(error) } }
      : { status: 'stopped', metadata: { warnings: [error.publicMessage] } }
  }
  log.error({ err: error.cause ?? error, code: error.code }, 'answer failed')
  return { status: 'failed', metadata: { error: publicError(error) } }
}
