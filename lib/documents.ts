/**
 * Documents as people handle them: upload, retry, delete, open.
 *
 * Guarantees: an accepted upload is stored, recorded and queued together, or not at all; the same bytes again are "already there",
 * also twenty times at once; a changed file under its name is a new version, and the old one answers until the new one is ready;
 * a deleted document is found by nothing from the next request on. What another workspace has does not exist here, and neither does
 * what the person's grants do not open. Adding and changing takes a grant of `contribute`, deleting one of `manage`; whoever administers
 * the workspace may do both with what they read.
 */
import { Readable } from 'node:stream'
import Busboy from '@fastify/busboy'
import { database, type Executor, type Tx } from '#db/client.ts'
import { startDescription } from '#db/queries/descriptions.ts'
import {
  deleteDocument as deleteDocumentRows,
  deleteDocumentsIn,
  findCollection,
  findSameDocuments,
  getDocumentMaker,
  getOpenCollection,
  insertCollection,
  insertDocument,
  insertVersion,
  lockCollection,
  mayChangeDocument,
  mayContribute,
  requeueDocument,
  setDocumentTags,
} from '#db/queries/documents.ts'
import { listDocumentFamily } from '#db/queries/erasure-document.ts'
import { sweepEntities } from '#db/queries/graph.ts'
import { refreshLexicalStats } from '#db/queries/lexical-index.ts'
import {
  type ChangeableCollection,
  type CollectionRow,
  getDocumentRow,
  getVersionFile,
  getVersionText as getVersionTextRow,
  listChangeableCollections,
  listChangeableDocuments,
  listCollections,
  listDocuments as listDocumentRows,
  type VersionText,
  withCitedBy,
  withViruses,
} from '#db/reports/documents.ts'
import { readAs } from '#db/visibility.ts'
import { audit } from './audit.ts'
import { settingsOf } from './gateway/index.ts'
import { enqueue } from './jobs.ts'
import { findHold } from './legal-holds.ts'
import { log } from './log.ts'
import {
  type DocumentRow,
  tagCharsMax,
  tagsMax,
  type UploadResult,
  uploadBytesMax,
  uploadExtensions,
} from './shared/admin-contract.ts'
import { AppError } from './shared/errors.ts'
import { assertHandedOut } from './shared/held-file.ts'
import { newId } from './shared/ids.ts'
import type { DocumentOrigin } from './shared/sources-contract.ts'
import { can, type Viewer } from './shared/viewer.ts'
import { deleteBlob, putBlob, streamBlob } from './storage.ts'

const nameCharsMax = 200
const collectionNameCharsMax = 80
const defaultCollection = 'General'

const mediaTypes: Readonly<Record<string, string>> = {
  // Whatever is not named below is source code, or plain text itself.
  ...Object.fromEntries(uploadExtensions.map((extension) => [extension, 'text/plain'])),
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  odt: 'application/vnd.oasis.opendocument.text',
  epub: 'application/epub+zip',
  rtf: 'application/rtf',
  eml: 'message/rfc822',
  mbox: 'application/mbox',
  md: 'text/markdown',
  markdown: 'text/markdown',
  html: 'text/html',
  htm: 'text/html',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  json: 'application/json',
  jsonl: 'application/jsonl',
  ndjson: 'application/jsonl',
  xml: 'application/xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
}

/** Control characters, and those that turn the direction of writing so that a name shows as another (CVE-2021-42574). */
const deceivingCharacters = /[\p{Cc}\p{Cs}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

/** What a person typed to name something, without what deceives and with single spaces. */
const cleanWords = (raw: string): string =>
  raw.normalize('NFC').replace(deceivingCharacters, '').replace(/\s+/g, ' ').trim()

/** A name that is safe to show: the last part of any path, without deceiving characters, of bounded length. Never used as a path. */
export const safeName = (raw: string): string => {
  const clean = cleanWords(raw.split(/[\\/]/).at(-1) ?? '')
  if (clean.length <= nameCharsMax) return clean || 'unnamed'
  const extension = /\.[^.]{1,10}$/.exec(clean)?.[0] ?? ''
  return `${clean.slice(0, nameCharsMax - extension.length)}${extension}`
}

const mediaTypeOf = (name: string): string => {
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const mediaType = Object.hasOwn(mediaTypes, extension) ? mediaTypes[extension] : undefined
  if (!mediaType) throw new AppError('unsupported-type', { context: { extension: extension.slice(0, 20) } })
  return mediaType
}

/** A collection's name as it is stored. Throws `bad-request` for one without a character that shows. */
export const collectionName = (raw: string): string => {
  const clean = cleanWords(raw).slice(0, collectionNameCharsMax)
  if (!clean) throw new AppError('bad-request', { message: 'A collection needs a name. Type at least one character.' })
  return clean
}

/**
 * The id of the collection of that name, made for the whole workspace to read when it is not there, with an audit line. Throws
 * `not-found` for who may not make one. That it is there does not say that the viewer may read it.
 */
export const ensureCollection = (viewer: Viewer, name: string): Promise<string> =>
  database().db.transaction(async (tx) => {
    const named = collectionName(name)
    const id = newId()
    if (
      can(viewer, 'document.manage') &&
      (await insertCollection(tx, viewer, { id, name: named, openTo: 'workspace' }))
    ) {
      const details = { name: named, openTo: 'workspace' }
      await audit(tx, { actor: viewer, event: 'collection.created', objectId: id, details, after: details })
      return id
    }
    const known = await findCollection(tx, viewer, named)
    if (!known) throw new AppError('not-found')
    return known
  })

export type Upload = {
  name: string
  collectionId: string | null
  source: AsyncIterable<Uint8Array>
  /** The document that it was attached to. */
  parentId?: string
  /** Where it was fetched from. */
  origin?: DocumentOrigin
}

type Same = Awaited<ReturnType<typeof findSameDocuments>>

/**
 * Which document an upload is a new version of, and the name of a new one. A person's file is the newer version of its name; what a
 * source brings is the newer version of what it brought, and gives way where its name is somebody else's.
 */
const placeOf = (
  same: Same,
  name: string,
  origin: DocumentOrigin | undefined,
): { older: Same[number] | undefined; name: string } => {
  if (!origin) return { older: same.find((document) => document.name === name), name }
  // A page that has become a PDF is another document.
  const older = same.find((one) => one.documentId === origin.documentId && one.mediaType === mediaTypeOf(name))
  const taken = new Set(same.map((document) => document.name))
  const free = [name, ...origin.otherNames.map(safeName)].find((one) => !taken.has(one))
  return { older, name: free ?? safeName(`${newId()} ${name}`) }
}

/**
 * Takes a file in: streams it to storage, counted, then records it and queues its reading in one transaction. What is inside is
 * checked by the worker, and a file that cannot be read becomes a document that says why.
 * Throws `unsupported-type`, `file-too-large`, `storage-full`, `not-found` (a collection that the viewer may not add to).
 */
export const uploadDocument = async (
  viewer: Viewer,
  { name: rawName, collectionId: wanted, source, parentId, origin }: Upload,
): Promise<UploadResult> => {
  const name = safeName(rawName)
  const mediaType = mediaTypeOf(name)
  const { db } = database()
  const collectionId = wanted ?? (await ensureCollection(viewer, defaultCollection))
  const assertOpen = async (executor: Executor): Promise<void> => {
    if (!(await getOpenCollection(executor, viewer, collectionId)))
      throw new AppError('not-found', {
        message: 'You may not add to that collection any more, or it is gone. Choose another one.',
        context: { collectionId },
      })
  }
  await assertOpen(db)

  const blobKey = newId()
  const { bytes, sha256: contentHash } = await putBlob(blobKey, source, uploadBytesMax)
  const version = { id: newId(), contentHash, blobKey, bytes }

  const record = async (tx: Tx): Promise<{ outcome: UploadResult['outcome']; documentId: string }> => {
    await lockCollection(tx, collectionId)
    // A long upload may outlive the grant that began it.
    await assertOpen(tx)
    const names = [name, ...(origin?.otherNames.map(safeName) ?? [])]
    const same = await findSameDocuments(tx, viewer, {
      collectionId,
      names,
      contentHash,
      documentId: origin?.documentId,
    })
    const equal = same.filter((document) => document.contentHash === contentHash)
    const there = equal.find(({ documentId }) => documentId === origin?.documentId) ?? equal[0]
    if (there) return { outcome: 'already-there', documentId: there.documentId }
    const place = placeOf(same, name, origin)
    const { older } = place
    const documentId = older?.documentId ?? newId()
    const belongs = {
      ...(parentId ? { parentId } : {}),
      ...(origin ? { sourceId: origin.sourceId, sourceUri: origin.sourceUri } : {}),
    }
    if (older) await insertVersion(tx, documentId, older.number + 1, version)
    else
      await insertDocument(
        tx,
        viewer,
        { id: documentId, collectionId, name: place.name, mediaType, ...belongs },
        version,
      )
    await audit(tx, {
      actor: viewer,
      event: 'document.uploaded',
      objectId: documentId,
      details: { versionId: version.id, bytes, contentHash },
      after: { versionId: version.id, contentHash },
    })
    await enqueue(tx, 'document.ingest', { versionId: version.id })
    return { outcome: older ? 'new-version' : 'created', documentId }
  }

  let recorded: Awaited<ReturnType<typeof record>> | undefined
  try {
    recorded = await db.transaction(record)
  } finally {
    if (recorded === undefined || recorded.outcome === 'already-there') await deleteBlob(blobKey)
  }
  const document = await getDocumentRow(db, viewer, recorded.documentId)
  if (!document) throw new AppError('not-found')
  return { outcome: recorded.outcome, document }
}

/** A message in a message in a message is read; what lies deeper is not. */
const attachedDepthMax = 3

/**
 * Takes in a file that was found inside a document, as its maker's; the same file again is already there. What is of no type that is
 * read, or has nobody who may add it, is left out with a line in the log.
 */
export const attachDocument = async (
  parent: { documentId: string; workspaceId: string },
  file: { name: string; bytes: Uint8Array },
): Promise<void> => {
  const found = await getDocumentMaker(database().db, parent)
  if (!found) return
  const { maker, name, collectionId, depth } = found
  const leaveOut = (reason: string): void =>
    log.info({ event: 'attachment.left-out', documentId: parent.documentId, reason }, 'an attachment was left out')
  if (depth >= attachedDepthMax) return leaveOut('it lies too deep')
  if (!maker) return leaveOut('its document’s maker is gone')
  try {
    await uploadDocument(maker, {
      name: `${name} › ${safeName(file.name)}`,
      collectionId,
      source: Readable.from([file.bytes]),
      parentId: parent.documentId,
    })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    leaveOut(error.code)
  }
}

/** Boundaries, headers and the two short fields around the file. */
const envelopeBytesMax = 16_384

/** Reads one `multipart/form-data` request as it arrives, never holding the file: fields `collectionId` or `collection` before `file`. */
export const receiveUpload = async (viewer: Viewer, request: Request): Promise<UploadResult> => {
  const contentType = request.headers.get('content-type') ?? ''
  if (!request.body || !/^multipart\/form-data;.*boundary=/i.test(contentType)) throw new AppError('bad-request')
  if (Number(request.headers.get('content-length') ?? 0) > uploadBytesMax + envelopeBytesMax)
    throw new AppError('file-too-large')
  const fields = new Map<string, string>()
  const parser = new Busboy({
    headers: { 'content-type': contentType },
    limits: { files: 1, fields: 4, fieldSize: 400, fileSize: uploadBytesMax + 1, parts: 6, headerPairs: 20 },
  })
  const body = Readable.fromWeb(request.body as Parameters<typeof Readable.fromWeb>[0])
  try {
    return await new Promise<UploadResult>((resolve, reject) => {
      let taken: Readable | undefined
      let taking: Promise<UploadResult> | undefined
      const refuse = (cause: unknown): void => {
        const error = cause instanceof AppError ? cause : new AppError('bad-request', { cause })
        // A sender that went away must not leave a half-written blob waiting for the rest.
        taken?.destroy(error)
        // Told when what was begun is cleaned up, so that nothing is left behind the refusal.
        const told = (): void => reject(error)
        if (taking) taking.then(told, told)
        else told()
      }
      parser.on('field', (name, value) => fields.set(name, value))
      parser.on('file', (field, file, fileName) => {
        if (field !== 'file' || taken) return void file.resume()
        taken = file
        // Listens before anyone reads: a sender may go away while the collection is looked up, and an error that nobody hears ends the process.
        file.on('error', refuse)
        const take = async (): Promise<UploadResult> => {
          const named = fields.get('collection')
          const collectionId = fields.get('collectionId') || (named ? await ensureCollection(viewer, named) : null)
          return uploadDocument(viewer, { name: fileName ?? '', collectionId, source: file })
        }
        taking = take()
        taking.then(resolve, reject)
      })
      parser.on('finish', () => {
        if (!taken)
          refuse(new AppError('bad-request', { message: 'The request holds no file. Send it as the field "file".' }))
      })
      parser.on('error', refuse)
      body.on('error', refuse)
      body.pipe(parser)
    })
  } finally {
    body.unpipe(parser)
    body.destroy()
  }
}

type Listing<Collection> = { documents: DocumentRow[]; collections: Collection[] }

const list = async <Collection>(
  viewer: Viewer,
  listRows: typeof listDocumentRows,
  listOf: (executor: Executor, reader: Viewer) => Promise<Collection[]>,
): Promise<Listing<Collection>> => {
  const { documents, collections } = await readAs(database(), viewer, async (executor, reader) => ({
    documents: await listRows(executor, reader),
    collections: await listOf(executor, reader),
  }))
  return { documents: await withCitedBy(database().db, viewer, documents), collections }
}

/** The documents and collections that the viewer reads. */
export const listDocuments = (viewer: Viewer): Promise<Listing<CollectionRow>> =>
  list(viewer, listDocumentRows, listCollections)

/** Whether there may be documents for the viewer to look after: they administer the workspace, or a grant lets them add to a collection. */
export const changesDocuments = async (viewer: Viewer): Promise<boolean> =>
  can(viewer, 'document.manage') || mayContribute(database().db, viewer)

/** The documents and collections that the viewer may change. Throws `not-found` for who may change none. */
export const listChangeable = async (viewer: Viewer): Promise<Listing<ChangeableCollection>> => {
  if (!(await changesDocuments(viewer)))
    throw new AppError('not-found', { message: 'There are no documents that you may change, or not any more.' })
  const { documents, collections } = await list(viewer, listChangeableDocuments, listChangeableCollections)
  return { documents: await withViruses(database().db, viewer, documents), collections }
}

/** What is missing and what may not be changed say the same. */
const notToChange = (): AppError =>
  new AppError('not-found', { message: 'That document is gone, or you may not do this with it any more.' })

/** Reads a failed document again from its start. Throws `not-found`, or `conflict` when it is not in a state to retry. */
export const retryDocument = async (viewer: Viewer, documentId: string): Promise<DocumentRow> => {
  const { db } = database()
  await db.transaction(async (tx) => {
    const versionId = await requeueDocument(tx, viewer, documentId)
    if (!versionId) throw (await mayChangeDocument(tx, viewer, documentId)) ? new AppError('conflict') : notToChange()
    await audit(tx, { actor: viewer, event: 'document.retried', objectId: documentId, details: { versionId } })
    await enqueue(tx, 'document.ingest', { versionId })
  })
  const document = await getDocumentRow(db, viewer, documentId)
  if (!document) throw new AppError('not-found')
  return document
}

/** Has a summary and tags made of the document's newest version. Throws `not-found`, or `conflict` when it has not been read yet. */
export const describeDocument = async (viewer: Viewer, documentId: string): Promise<void> => {
  const { db } = database()
  const { workspaceId, userId } = viewer
  const { summaries } = (await settingsOf(workspaceId)).settings.policy.features
  await db.transaction(async (tx) => {
    const versionId = await startDescription(tx, viewer, documentId, summaries)
    if (!versionId) {
      const row = await getDocumentRow(tx, viewer, documentId)
      if (row && summaries && !summaries.includes(row.collection.id))
        throw new AppError('bad-request', {
          message: 'The policy of this workspace keeps summaries from this collection. It is changed under Policy.',
        })
      throw new AppError(row ? 'conflict' : 'not-found')
    }
    await audit(tx, { actor: viewer, event: 'document.described', objectId: documentId, details: { versionId } })
    await enqueue(tx, 'document.describe', { versionId, workspaceId, userId })
  })
}

/** The tags as they are stored: clean, none twice however it is written. Throws `bad-request` when there are too many or one is too long. */
const cleanTags = (raw: readonly string[]): string[] => {
  const clean = raw.map(cleanWords).filter(Boolean)
  const tags = [...new Map(clean.map((tag) => [tag.toLowerCase(), tag] as const).reverse()).values()].reverse()
  if (tags.length > tagsMax)
    throw new AppError('bad-request', { message: `A document takes ${tagsMax} tags. Remove one to add another.` })
  if (tags.some((tag) => tag.length > tagCharsMax))
    throw new AppError('bad-request', { message: `A tag takes ${tagCharsMax} characters. Make it shorter.` })
  return tags
}

/**
 * Replaces the tags that people gave to a document, at most twenty of sixty characters; what was extracted from its text stays. Returns
 * them as they are stored. Throws `not-found`, `bad-request`.
 */
export const setTags = async (viewer: Viewer, documentId: string, wanted: readonly string[]): Promise<string[]> => {
  const tags = cleanTags(wanted)
  await database().db.transaction(async (tx) => {
    if (!(await setDocumentTags(tx, viewer, { documentId, tags }))) throw notToChange()
    await audit(tx, { actor: viewer, event: 'document.tagged', objectId: documentId, details: { tags: tags.length } })
  })
  return tags
}

/** What goes with documents whose rows are gone, and the lines that say so, with the hash of the files that they were. */
const settleDeletion = async (
  tx: Tx,
  viewer: Viewer,
  gone: readonly { documentId: string; blobKeys: readonly string[] }[],
): Promise<void> => {
  await refreshLexicalStats(tx, viewer.workspaceId)
  await sweepEntities(tx, viewer.workspaceId)
  for (const { documentId, blobKeys } of gone)
    await audit(tx, {
      actor: viewer,
      event: 'document.deleted',
      objectId: documentId,
      before: { documentId, files: blobKeys.toSorted() },
    })
}

/** Deletes a document with everything made from it; answers that cited it say that it was removed. Throws `not-found`, `conflict` (a legal hold). */
export const deleteDocument = async (viewer: Viewer, documentId: string): Promise<void> => {
  const { blobKeys } = await database().db.transaction(async (tx) => {
    // Looked up before the rows go, told after: whoever may not delete it learns nothing of a hold.
    const held = await findHold(tx, { kind: 'document', ids: await listDocumentFamily(tx, documentId) })
    const gone = await deleteDocumentRows(tx, viewer, documentId)
    if (!gone) throw notToChange()
    if (held) throw held
    await settleDeletion(tx, viewer, [{ documentId, blobKeys: gone.blobKeys }])
    return gone
  })
  await Promise.all(blobKeys.map(deleteBlob))
}

/**
 * Deletes every document of a collection that the viewer may delete, each with its line of audit; whoever calls has asked for holds.
 * Returns the blobs to delete when the transaction has ended.
 */
export const deleteDocumentsOf = async (tx: Tx, viewer: Viewer, collectionId: string): Promise<string[]> => {
  const { gone, blobKeys } = await deleteDocumentsIn(tx, viewer, collectionId)
  if (gone.length > 0) await settleDeletion(tx, viewer, gone)
  return blobKeys
}

/**
 * The bytes of a version as they were uploaded. Throws `not-found`; for a file that the virus scanner has not let through
 * `scan-pending` (it waits) and `conflict` (it did not pass).
 */
export const openVersionFile = async (
  viewer: Viewer,
  versionId: string,
): Promise<{ name: string; bytes: number; stream: ReadableStream<Uint8Array> }> => {
  const file = await readAs(database(), viewer, (db, reader) => getVersionFile(db, reader, versionId))
  if (!file) throw new AppError('not-found')
  assertHandedOut(file)
  return { name: file.name, ...(await streamBlob(file.blobKey)) }
}

/** The extracted text of a version. Throws `not-found`, also while it has not been read yet. */
export const getVersionText = async (viewer: Viewer, versionId: string): Promise<VersionText> => {
  const text = await readAs(database(), viewer, (db, reader) => getVersionTextRow(db, reader, versionId))
  if (!text) throw new AppError('not-found')
  return text
}
