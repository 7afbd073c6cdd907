/** What a model call may throw, in our own words: who can mend it, an admin (`model-misconfigured`) or time (`model-failed`). */
import { APICallError, LoadAPIKeyError, LoadSettingError, NoSuchModelError } from '@ai-sdk/provider'
import { RetryError } from 'ai'
import { AppError } from '#lib/shared/errors.ts'

/** Refusals of our key, our right to the model or its name; asking again changes nothing. */
const misconfiguredStatus = new Set([401, 402, 403, 404, 405])
const retryAfterSecondsMax = 600

/** The vendor's error without what was sent: a log must hold no prompt and no key. */
const safeCause = (error: Error): Error => {
  const cause = new Error(error.message.slice(0, 300))
  cause.name = error.name
  if (error.stack) cause.stack = error.stack
  return cause
}

const retryAfterSeconds = (headers: Record<string, string> | undefined): number | undefined => {
  const seconds = Number(headers?.['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(Math.ceil(seconds), retryAfterSecondsMax) : undefined
}

/** Turns whatever a model call threw into an `AppError` with code `model-misconfigured` or `model-failed`. */
export const toModelError = (thrown: unknown): AppError => {
  if (thrown instanceof AppError) return thrown
  if (RetryError.isInstance(thrown)) return toModelError(thrown.lastError)
  if (APICallError.isInstance(thrown)) {
    const { statusCode, responseHeaders } = thrown
    const waitSeconds = retryAfterSeconds(responseHeaders)
    return new AppError(statusCode && misconfiguredStatus.has(statusCode) ? 'model-misconfigured' : 'model-failed', {
      cause: safeCause(thrown),
      context: { statusCode },
      ...(waitSeconds ? { retryAfterSeconds: waitSeconds } : {}),
    })
  }
  // An adapter wraps what it could not read; the refusal may lie underneath.
  if (thrown instanceof Error && APICallError.isInstance(thrown.cause)) return toModelError(thrown.cause)
  if (thrown instanceof Error && thrown.cause instanceof AppError) return thrown.cause
  const ours =
    LoadAPIKeyError.isInstance(thrown) || LoadSettingError.isInstance(thrown) || NoSuchModelError.isInstance(thrown)
  return new AppError(ours ? 'model-misconfigured' : 'model-failed', {
    cause:
      thrown instanceof Error
        ? safeCause(thrown)
        : new Error(typeof thrown === 'string' ? thrown.slice(0, 300) : 'the model call failed'),
  })
}
