/** Through the server that owns DATA_DIR: its own routes, with the token that only the directory's owner can read. */
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { env } from '#lib/env.ts'
import type { DocumentRow, UploadResult } from '#lib/shared/admin-contract.ts'
import type { PublicError } from '#lib/shared/errors.ts'
import type { Explanation } from '#lib/shared/explain-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import type { AuditCheck } from '#lib/shared/records-contract.ts'
import { type AnswerChunk, type Connection, type FoundPassage, Refused } from './connect.ts'
import { getLocalToken } from './home.ts'

const replyTimeoutMs = 60_000

/** Turns the server's event stream back into chunks. */
const readEvents = (): TransformStream<string, AnswerChunk> => {
  let rest = ''
  return new TransformStream({
    transform: (text, controller) => {
      const events = (rest + text).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1]
        if (data && data !== '[DONE]') controller.enqueue(JSON.parse(data) as AnswerChunk)
      }
    },
  })
}

export const connectToServer = async (address: string, email: string): Promise<Connection> => {
  const headers = { authorization: `Bearer ${await getLocalToken(env())}`, 'x-footnote-user': email }

  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(new URL(path, address), { ...init, headers: { ...headers, ...init.headers } })
    if (response.ok) return response
    const body = (await response.json().catch(() => null)) as { error?: PublicError } | null
    throw new Refused(body?.error ?? { code: 'internal', message: `The server answered ${response.status}.` })
  }
  const json = async <Reply>(path: string, init: RequestInit = {}): Promise<Reply> =>
    (await (await call(path, { signal: AbortSignal.timeout(replyTimeoutMs), ...init })).json()) as Reply
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

  const collectionIdOf = async (name: string): Promise<string> => {
    const { collections } = await json<{ collections: { id: string; name: string }[] }>('/api/collections')
    const found = collections.find((collection) => collection.name === name)
    if (!found) throw new Refused({ code: 'not-found', message: `There is no collection named “${name}”.` })
    return found.id
  }

  return {
    ask: async (question, collection) => {
      const collectionIds = collection ? [await collectionIdOf(collection)] : []
      const { body } = await call(
        '/api/chat',
        post({ chatId: newId(), messageId: newId(), text: question, collectionIds }),
      )
      if (!body) throw new Error('The server answered without a stream')
      return body.pipeThrough(new TextDecoderStream()).pipeThrough(readEvents())
    },
    search: async (query, { legs, k }) =>
      (await json<{ passages: FoundPassage[] }>('/api/search', post({ query, legs, k }))).passages,
    upload: async ({ name, path, collection }) => {
      const form = new FormData()
      if (collection) form.set('collection', collection)
      form.set('file', await openAsBlob(path), basename(name))
      return json<UploadResult>('/api/documents', { method: 'POST', body: form, signal: AbortSignal.timeout(600_000) })
    },
    listDocuments: async () => (await json<{ documents: DocumentRow[] }>('/api/documents')).documents,
    deleteDocument: async (id) => {
      await call(`/api/documents/${id}`, { method: 'DELETE' })
    },
    explain: (messageId) => json<Explanation>(`/api/answers/${messageId}/why`),
    verifyAudit: (head) =>
      json<AuditCheck>(`/api/audit/verification${head ? `?head=${head.trim()}` : ''}`, {
        signal: AbortSignal.timeout(600_000),
      }),
    close: async () => undefined,
  }
}
