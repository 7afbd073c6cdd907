/** Through a database that this process opens itself, prepared as `npm start` does: migrated, seeded, and read by a worker. */
import { createReadStream } from 'node:fs'
import { database } from '#db/client.ts'
import { getSignInAccount } from '#db/queries/people.ts'
import { explainAnswer } from '#db/reports/explain.ts'
import { reader } from '#db/reports/reader.ts'
import { startWorker } from '#ingestion/worker.ts'
import { checkOwnAudit } from '#lib/audit-log.ts'
import { respond } from '#lib/chat/index.ts'
import { deleteDocument, ensureCollection, listDocuments, uploadDocument } from '#lib/documents.ts'
import { env } from '#lib/env.ts'
import { retrieve } from '#lib/rag/index.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { parseHead } from './command-audit.ts'
import { type Connection, Refused } from './connect.ts'
import { closeProduct, openProduct } from './product.ts'
import { seedDemo } from './seed.ts'

const pollMs = 300

/** Refusals in the words that a client of the server would get. */
const inWords = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new Refused({ code: error.code, message: error.publicMessage, retryAfterSeconds: error.retryAfterSeconds })
  }
}

/** Reads what is still waiting, so that the command works on everything that was uploaded: on a first start, the demo. */
const waitUntilRead = async (viewer: Viewer): Promise<void> => {
  let told = ''
  for (;;) {
    const { documents } = await listDocuments(viewer)
    const waiting = documents.filter(({ stage }) => stage !== 'ready' && stage !== 'failed').length
    if (waiting === 0) return
    const words = `Reading documents: ${documents.length - waiting} of ${documents.length} done`
    if (words !== told) process.stderr.write(`${words}\n`)
    told = words
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

export const connectToOwn = async (email: string): Promise<Connection> => {
  await openProduct()
  const worker = await startWorker()
  if (env().demo) await seedDemo()
  const close = (): Promise<void> => closeProduct(worker)
  try {
    const account = await getSignInAccount(database().db, email.toLowerCase())
    if (!account)
      throw new Refused({ code: 'unauthenticated', message: `There is no account with the address ${email}.` })
    const { passwordHash: _, ...viewer } = account
    await waitUntilRead(viewer)

    const collectionIdOf = async (name: string): Promise<string> => {
      const found = (await listDocuments(viewer)).collections.find((collection) => collection.name === name)
      if (!found) throw new Refused({ code: 'not-found', message: `There is no collection named “${name}”.` })
      return found.id
    }
    return {
      ask: (text, collection) =>
        inWords(async () => {
          const collectionIds = collection ? [await collectionIdOf(collection)] : []
          return respond({ chatId: newId(), messageId: newId(), trigger: 'submit', text, collectionIds }, viewer)
        }),
      search: (query, { legs, k }) =>
        inWords(async () => (await retrieve(query, viewer, { legs, k, tokensMax: Number.MAX_SAFE_INTEGER })).passages),
      upload: ({ name, path, collection }) =>
        inWords(async () =>
          uploadDocument(viewer, {
            name,
            collectionId: collection ? await ensureCollection(viewer, collection) : null,
            source: createReadStream(path),
          }),
        ),
      listDocuments: async () => (await listDocuments(viewer)).documents,
      explain: (messageId) =>
        inWords(async () => {
          const explanation = await explainAnswer(reader(), viewer, messageId)
          if (!explanation) throw new AppError('not-found')
          return explanation
        }),
      verifyAudit: (head) => checkOwnAudit(viewer, head === undefined ? null : parseHead(head)),
      deleteDocument: (id) => inWords(() => deleteDocument(viewer, id)),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
