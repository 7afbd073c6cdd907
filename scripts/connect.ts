/**
 * The product as a command sees it: through the server that owns DATA_DIR, or through a database that the command opens itself.
 * Both are the same code underneath and refuse with the same words.
 */

import type { InferUIMessageChunk } from 'ai'
import type { DocumentRow, UploadResult } from '#lib/shared/admin-contract.ts'
import type { ChatMessage } from '#lib/shared/chat-contract.ts'
import type { Explanation } from '#lib/shared/explain-contract.ts'
import type { AuditCheck } from '#lib/shared/records-contract.ts'

export type AnswerChunk = InferUIMessageChunk<ChatMessage>
export type SearchLegs = 'lexical' | 'vector' | 'hybrid' | 'hybrid+rerank'
export type FoundPassage = {
  documentId: string
  chunkId: string
  title: string
  mediaType: string
  page: number | null
  score: number
  text: string
}
export type Upload = { name: string; path: string; collection: string | undefined }

export type Connection = {
  ask(question: string, collection: string | undefined): Promise<ReadableStream<AnswerChunk>>
  search(query: string, call: { legs: SearchLegs; k: number }): Promise<FoundPassage[]>
  upload(file: Upload): Promise<UploadResult>
  listDocuments(): Promise<DocumentRow[]>
  deleteDocument(id: string): Promise<void>
  explain(messageId: string): Promise<Explanation>
  /** The chain of the account's workspace; `head` as `PLACE:HASH`. */
  verifyAudit(head: string | undefined): Promise<AuditCheck>
  close(): Promise<void>
}

/** A refusal with the words a person should read; `code` names it for scripts. */
export class Refused extends Error {
  readonly code: string
  readonly retryAfterSeconds: number | undefined
  constructor(error: { code: string; message: string; retryAfterSeconds?: number | undefined }) {
    super(error.message)
    this.name = 'Refused'
    this.code = error.code
    this.retryAfterSeconds = error.retryAfterSeconds
  }
}

/** The command was called in a way that it does not know: exit status 2. */
export class WrongUse extends Error {
  override name = 'WrongUse'
}
