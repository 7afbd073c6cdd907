/**
 * Requests with an `Idempotency-Key` (1 to 200 visible characters): the first is done, its repetitions get the first one's answer, also
 * when they come at once. Only what succeeded is kept: a refusal has changed nothing and may be tried again.
 */
import { createHash } from 'node:crypto'
import { database } from '#db/client.ts'
import { type Claim, claimKey, keepResult, releaseKey } from '#db/queries/idempotency.ts'
import { log } from '#lib/log.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

/** Longer answers are not kept; no door that changes something gives one. */
const answerCharsMax = 262_144

const keyOf = (headers: Headers): string | null => {
  const key = headers.get('idempotency-key')
  if (key !== null && !/^[\x21-\x7e]{1,200}$/.test(key))
    throw new AppError('bad-request', {
      message: 'An Idempotency-Key has 1 to 200 visible characters and no spaces. Send another one.',
    })
  return key
}

const keep = async (viewer: Viewer, claim: Claim, response: Response): Promise<void> => {
  const text = await response.clone().text()
  const body: unknown = text === '' ? null : JSON.parse(text)
  if (!response.ok || text.length > answerCharsMax) await releaseKey(database().db, viewer, claim)
  else await keepResult(database().db, viewer, claim, { status: response.status, body })
}

/** `work`, or what it has answered before. `what` is the whole request, as far as it decides what is done. */
export const once = async (
  headers: Headers,
  viewer: Viewer,
  what: string,
  work: () => Promise<Response>,
): Promise<Response> => {
  const key = keyOf(headers)
  if (key === null) return work()
  // The workspace too: the same words in another workspace are another request.
  const requestHash = createHash('sha256').update(`${viewer.workspaceId}\n${what}`).digest('hex')
  const claimed = await claimKey(database().db, viewer, { key, requestHash })
  if ('found' in claimed) {
    const { found } = claimed
    if (found.requestHash !== requestHash) throw new AppError('key-reused')
    if (!found.result) throw new AppError('still-running', { retryAfterSeconds: 1 })
    const { status, body } = found.result
    return body === null ? new Response(null, { status }) : Response.json(body, { status })
  }
  const { claim } = claimed
  let response: Response
  try {
    response = await work()
  } catch (error) {
    await releaseKey(database().db, viewer, claim)
    throw error
  }
  // Fails open: what was done is done and is answered. The claim stays, so that a repetition is refused instead of done again.
  await keep(viewer, claim, response).catch((error: unknown) => log.warn({ err: error }, 'answer not kept'))
  return response
}
