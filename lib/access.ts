/**
 * Who may read what, as people handle it: collections, the grants on them, and the answers to "who can read this, and through what" and
 * "what can this person read".
 *
 * Guarantees: a grant counts with the next statement of anybody; every change is one transaction with its audit line, which holds ids
 * and levels and no name; who governs access sees the name, the counts and the grants of every collection and reads none of them by
 * that. What another workspace has does not exist here. A collection goes with everything in it or not at all, and never with what its
 * deleter may not delete.
 */
import { database, type Tx } from '#db/client.ts'
import {
  deleteCollection as deleteCollectionRow,
  deleteGrant,
  findGrant,
  findPeople,
  getCollectionContents,
  getGovernedCollection,
  getMember,
  getPlaceOfDocument,
  getSwitchReason,
  isSubject,
  listGovernedCollections,
  listOpenings,
  listReaders,
  putGrant,
  setCollectionName,
} from '#db/queries/access.ts'
import { insertCollection, lockCollection } from '#db/queries/documents.ts'
import { findHoldWithin } from '#db/queries/legal-holds.ts'
import { audit } from './audit.ts'
import { collectionName, deleteDocumentsOf } from './documents.ts'
import { holdWords } from './legal-holds.ts'
import {
  type AccessCollection,
  type AccessPerson,
  type AccessWay,
  type CollectionDeletion,
  type GrantInput,
  type GrantLevel,
  grantLevels,
  type Opening,
  type PersonAccess,
  type WhatCanRead,
  type WhoCanRead,
} from './shared/access-contract.ts'
import { AppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'
import { deleteBlob } from './storage.ts'

/** More people than a list shows are found by their names. */
const peopleMax = 200
const foundMax = 20
const wordsCharsMax = 100

const nameTaken = (): never => {
  throw new AppError('bad-request', {
    message: 'Another collection has that name. Choose one that tells them apart.',
  })
}

/** The collections that the viewer governs by name, with their grants. */
export const listCollectionsForAccess = (viewer: Viewer): Promise<AccessCollection[]> =>
  listGovernedCollections(database().db, viewer)

/**
 * Makes a collection that the whole workspace reads, or that the viewer alone manages. Throws `bad-request` in words: no name, or one
 * that is taken.
 */
export const createCollection = async (
  viewer: Viewer,
  { name: raw, openTo }: { name: string; openTo: Opening },
): Promise<{ id: string }> => {
  const name = collectionName(raw)
  const id = newId()
  await database().db.transaction(async (tx) => {
    if (!(await insertCollection(tx, viewer, { id, name, openTo }))) nameTaken()
    const details = { name, openTo }
    await audit(tx, { actor: viewer, event: 'collection.created', objectId: id, details, after: details })
  })
  return { id }
}

/** The collection, locked, when the viewer governs it. Throws `not-found`. */
const lockGoverned = async (tx: Tx, viewer: Viewer, collectionId: string): Promise<{ id: string; name: string }> => {
  await lockCollection(tx, collectionId)
  const collection = await getGovernedCollection(tx, viewer, collectionId)
  if (!collection) throw new AppError('not-found')
  return collection
}

/** Throws `not-found`, `bad-request` as `createCollection`. */
export const renameCollection = async (
  viewer: Viewer,
  { collectionId, name: raw }: { collectionId: string; name: string },
): Promise<void> => {
  const name = collectionName(raw)
  await database().db.transaction(async (tx) => {
    const { name: before } = await lockGoverned(tx, viewer, collectionId)
    if (before === name) return
    if (!(await setCollectionName(tx, viewer, collectionId, name))) nameTaken()
    await audit(tx, {
      actor: viewer,
      event: 'collection.renamed',
      objectId: collectionId,
      details: { before, name },
      before: { name: before },
      after: { name },
    })
  })
}

/** What goes with the collection, which is locked, and why it may not. Throws `not-found`. */
const judgeDeletion = async (
  tx: Tx,
  viewer: Viewer,
  collectionId: string,
): Promise<CollectionDeletion & { name: string }> => {
  const { name } = await lockGoverned(tx, viewer, collectionId)
  const { documents, deletable, answers, sources, switchedOff } = await getCollectionContents(tx, viewer, collectionId)
  const hold = await findHoldWithin(tx, viewer, collectionId)
  const refusal = (): string | null => {
    if (switchedOff !== null)
      return `An incident switch has turned it off, because: ${switchedOff} It can be deleted when the switch is lifted on the Incidents page.`
    // Governing access is not reading: whoever does not read it is told of nothing that is in it.
    if (deletable < documents)
      return 'You have no access to the documents in it, and nobody deletes what they may not read. Give yourself access first.'
    if (hold) return holdWords(hold, 'A document in it')
    if (sources > 0)
      return `${sources === 1 ? 'A source brings' : `${sources} sources bring`} documents into it. That is ended on the Sources page first.`
    return null
  }
  return { name, documents, answers, refusal: refusal() }
}

/** What would go with a collection, and whether it can. Throws `not-found`. Changes nothing. */
export const planCollectionDeletion = (viewer: Viewer, collectionId: string): Promise<CollectionDeletion> =>
  database().db.transaction(async (tx) => {
    const { documents, answers, refusal } = await judgeDeletion(tx, viewer, collectionId)
    return { documents, answers, refusal }
  })

/**
 * Deletes a collection with its grants and its documents, of which there must be as many as were agreed to. Throws `not-found`,
 * `conflict` in words: a legal hold, an incident switch, a source, another number of documents.
 */
export const deleteCollection = async (
  viewer: Viewer,
  { collectionId, documents: agreed }: { collectionId: string; documents: number },
): Promise<void> => {
  const blobKeys = await database().db.transaction(async (tx) => {
    const { name, documents, refusal } = await judgeDeletion(tx, viewer, collectionId)
    if (refusal) throw new AppError('conflict', { message: refusal })
    if (documents !== agreed)
      throw new AppError('conflict', {
        message: `It holds ${documents} ${documents === 1 ? 'document' : 'documents'} by now, not ${agreed}. Look again at what would go.`,
      })
    const blobs = await deleteDocumentsOf(tx, viewer, collectionId)
    await deleteCollectionRow(tx, viewer, collectionId)
    await audit(tx, {
      actor: viewer,
      event: 'collection.deleted',
      objectId: collectionId,
      details: { name, documents },
      before: { name, documents },
    })
    return blobs
  })
  await Promise.all(blobKeys.map(deleteBlob))
}

/**
 * Gives a person, a group or the whole workspace a level on a collection; one that is there takes the new level. The same again changes
 * nothing. Throws `not-found`: a collection that the viewer does not govern, a person or a group that is not of the workspace.
 */
export const grant = async (viewer: Viewer, input: GrantInput): Promise<void> => {
  const { collectionId, subject, subjectId, level } = input
  await database().db.transaction(async (tx) => {
    await lockGoverned(tx, viewer, collectionId)
    if (!(await isSubject(tx, viewer, input))) throw new AppError('not-found')
    const before = await findGrant(tx, viewer, input)
    if (before?.level === level) return
    const given = { id: before?.id ?? newId(), collectionId, subject, subjectId, level }
    await putGrant(tx, viewer, given)
    await audit(tx, {
      actor: viewer,
      event: 'grant.given',
      objectId: collectionId,
      details: { grantId: given.id, subject, subjectId, level, ...(before ? { before: before.level } : {}) },
      before,
      after: given,
    })
  })
}

/** Takes a grant. Throws `not-found`, also the second time. */
export const revoke = async (viewer: Viewer, grantId: string): Promise<void> => {
  await database().db.transaction(async (tx) => {
    const taken = await deleteGrant(tx, viewer, grantId)
    if (!taken) throw new AppError('not-found')
    const { collectionId, subject, subjectId, level } = taken
    await audit(tx, {
      actor: viewer,
      event: 'grant.taken',
      objectId: collectionId,
      details: { grantId, subject, subjectId, level },
      before: taken,
    })
  })
}

const highest = (ways: readonly AccessWay[]): GrantLevel =>
  grantLevels.findLast((level) => ways.some((way) => way.level === level)) ?? 'read'

const toWay = ({ grantId, subject, name, level, since }: AccessWay): AccessWay => ({
  grantId,
  subject,
  name,
  level,
  since,
})

const cleanWords = (words: string): string => words.replaceAll('\0', '').trim().slice(0, wordsCharsMax)

/**
 * The people who can read a collection, or a document that the viewer reads, each with the grants by which they do: own, of a group, of
 * the whole workspace. The first 200 by name, of those whose name or address holds `words`. Throws `not-found`.
 */
export const whoCanRead = async (
  viewer: Viewer,
  of: { collectionId: string } | { documentId: string },
  words = '',
): Promise<WhoCanRead> => {
  const { db } = database()
  const document = 'documentId' in of ? await getPlaceOfDocument(db, viewer, of.documentId) : null
  if (document === undefined) throw new AppError('not-found')
  const collectionId = 'collectionId' in of ? of.collectionId : (document?.collectionId ?? '')
  // Who reads a document may not be one who governs its collection: then they are told nothing.
  const collection = await getGovernedCollection(db, viewer, collectionId)
  if (!collection) throw new AppError('not-found')
  const { found, total } = await listReaders(db, viewer, { collectionId, words: cleanWords(words), limit: peopleMax })
  const people = [...Map.groupBy(found, ({ id }) => id).values()].flatMap((ways): PersonAccess[] => {
    const [one] = ways
    if (!one) return []
    const { id, person: name, email, role } = one
    return [{ id, name, email, role, level: highest(ways), ways: ways.map(toWay) }]
  })
  return {
    collection,
    document: document && { id: document.id, name: document.name },
    switchedOff: await getSwitchReason(db, viewer, collectionId),
    people,
    total,
  }
}

/** What a person can read: the collections by name, each with the grants that open it and how many documents they find there. Throws `not-found`. */
export const whatCanRead = async (viewer: Viewer, personId: string): Promise<WhatCanRead> => {
  const { db } = database()
  const member = await getMember(db, viewer, personId)
  if (!member) throw new AppError('not-found')
  const { suspended, off, ...person } = member
  const openings = await listOpenings(db, viewer, personId)
  return {
    person,
    stopped: suspended ? 'suspended' : off ? 'switched-off' : null,
    collections: [...Map.groupBy(openings, ({ id }) => id).values()].flatMap((ways) => {
      const [one] = ways
      if (!one) return []
      const { id, collection: name, documents, switchedOff } = one
      const reads = switchedOff === null && !suspended && !off
      return [{ id, name, level: highest(ways), ways: ways.map(toWay), documents: reads ? documents : 0, switchedOff }]
    }),
  }
}

/** People whose name or address holds `words`, to choose from; at most 20. */
export const findPeopleForAccess = (viewer: Viewer, words: string): Promise<AccessPerson[]> =>
  findPeople(database().db, viewer, cleanWords(words), foundMax)
