/**
 * The error catalogue. `AppError` is for what stops a request; a normal outcome (nothing found, already there) is data.
 * One table maps a code to its HTTP status, the words a person sees and whether trying again can help.
 */
import { withoutSecrets } from './scrub.ts'

const catalogue = {
  'bad-request': {
    status: 400,
    retryable: false,
    message: 'That request could not be read. Check what was sent and try again.',
  },
  unauthenticated: { status: 401, retryable: false, message: 'You are signed out. Sign in to go on.' },
  'wrong-credentials': {
    status: 401,
    retryable: true,
    message: 'E-mail or password is not right. Check both and try again.',
  },
  'wrong-password': {
    status: 403,
    retryable: true,
    message: 'That is not your password. Check it and try again.',
  },
  'wrong-code': {
    status: 403,
    retryable: true,
    message: 'That code is not right. Take the one that the app shows now; each opens once.',
  },
  'link-over': {
    status: 410,
    retryable: false,
    message: 'This link has been used or is over. Ask for a new one.',
  },
  forbidden: { status: 404, retryable: false, message: 'There is nothing here that you can open.' },
  'not-found': { status: 404, retryable: false, message: 'There is nothing here that you can open.' },
  'foreign-origin': { status: 403, retryable: false, message: 'That request came from another site and was refused.' },
  conflict: {
    status: 409,
    retryable: false,
    message: 'Somebody changed this in the meantime. Reload to see how it is now.',
  },
  'workspace-changed': {
    status: 409,
    retryable: false,
    message: 'You have switched to another workspace in another tab. Reload to go on there, or switch back.',
  },
  'key-reused': {
    status: 409,
    retryable: false,
    message: 'This Idempotency-Key was used for another request. Send a new key.',
  },
  'still-running': {
    status: 409,
    retryable: true,
    message: 'The same request is still being worked on. Wait a moment and send it again.',
  },
  'scan-pending': {
    status: 409,
    retryable: true,
    message: 'This file is still waiting for the virus scanner. Try again in a minute.',
  },
  busy: {
    status: 409,
    retryable: true,
    message: 'An answer is already being written in this conversation. Wait for it, or stop it first.',
  },
  'question-too-long': {
    status: 413,
    retryable: false,
    message: 'The question is too long. Shorten it to 8,000 characters, or upload the text as a document.',
  },
  'file-too-large': {
    status: 413,
    retryable: false,
    message: 'The file is over 50 MB. Split it, or upload a smaller one.',
  },
  'unsupported-type': {
    status: 415,
    retryable: false,
    message:
      'This type of file is not read yet. Use PDF, DOCX, PPTX, XLSX, EPUB, e-mail, Markdown, HTML, text, CSV, JSON, XML, code or a picture.',
  },
  'rate-limited': { status: 429, retryable: true, message: 'That was a lot at once. Wait a moment and try again.' },
  'over-budget': {
    status: 429,
    retryable: false,
    message: 'The budget for model calls is used up. Wait until it is renewed, or ask an admin to raise it.',
  },
  'tokens-limited': {
    status: 429,
    retryable: true,
    message: 'That was a lot of text for one minute. Wait a moment and try again.',
  },
  'price-unknown': {
    status: 502,
    retryable: false,
    message: 'Nobody has said what this language model costs, so it is not asked. An admin should set its price.',
  },
  'model-failed': {
    status: 502,
    retryable: true,
    message: 'The language model did not answer. Ask again; if it goes on, an admin should look at the provider.',
  },
  'answer-withheld': {
    status: 502,
    retryable: true,
    message: 'The language model gave away what is not meant for anybody, so its answer is withheld. Ask again.',
  },
  'model-misconfigured': {
    status: 502,
    retryable: false,
    message: 'The language model refused our key or name. An admin should check the provider settings.',
  },
  'retrieval-failed': {
    status: 503,
    retryable: true,
    message: 'Searching your documents failed, so no answer was written. Ask again in a moment.',
  },
  'switched-off': {
    status: 503,
    retryable: true,
    message: 'This is switched off for now. Ask again later, or ask an admin why.',
  },
  'not-ready': {
    status: 503,
    retryable: true,
    message: 'Footnote is starting or stopping. Try again in a few seconds.',
  },
  'storage-full': {
    status: 507,
    retryable: true,
    message: 'There is no room left to store this file. An admin should free disk space.',
  },
  internal: {
    status: 500,
    retryable: true,
    message: 'Something went wrong on our side. Try again; if it goes on, report the number below.',
  },
} as const

export type ErrorCode = keyof typeof catalogue

/** What a client gets: never a stack, a path, SQL or a prompt. */
export type PublicError = {
  code: ErrorCode
  message: string
  retryable: boolean
  requestId?: string
  retryAfterSeconds?: number
}

type ErrorOptions = { cause?: unknown; context?: Record<string, unknown>; message?: string; retryAfterSeconds?: number }

/** A refusal or failure with a code from the catalogue; `context` is for the log only, `message` replaces the public text. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly context: Record<string, unknown>
  readonly publicMessage: string
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(code, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.context = options.context ?? {}
    this.publicMessage = options.message ?? catalogue[code].message
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return catalogue[this.code].status
  }
}

/** Turns anything thrown into an `AppError`; what is unknown becomes `internal` with the original as its cause. */
export const toAppError = (thrown: unknown): AppError =>
  thrown instanceof AppError ? thrown : new AppError('internal', { cause: thrown })

export const publicError = (error: AppError, requestId?: string): PublicError => ({
  code: error.code === 'forbidden' ? 'not-found' : error.code,
  // Words that repeat what was typed may repeat a key that was typed into the wrong field.
  message: withoutSecrets(error.publicMessage),
  retryable: catalogue[error.code].retryable,
  ...(requestId ? { requestId } : {}),
  ...(error.retryAfterSeconds ? { retryAfterSeconds: error.retryAfterSeconds } : {}),
})

/** What a server action answers: a value, or an error in words. Never a throw. */
export type ActionResult<T> = { ok: true; value: T } | { ok: false; error: PublicError }
