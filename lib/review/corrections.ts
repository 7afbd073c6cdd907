/**
 * What a decision is good for beyond its one answer: a golden case that the search is measured by, a checked answer that is given
 * before any other, a note for those who keep a document. Golden cases and checked answers rest on the versions that were read and
 * fall with them, by triggers in the database; their maker is told.
 */
import { database, type Tx } from '#db/client.ts'
import { listCitations } from '#db/queries/chats.ts'
import {
  type CorrectionSource,
  type EndedCorrection,
  endCorrectionsOf,
  findCorrectionOf,
  insertNote,
  listCorrectionRows,
  listKeepers,
  listNotes,
  lockNote,
  lockPublished,
  mayReadNotesOf,
  retireCuratedAnswer,
  saveCuratedAnswer,
  saveGoldenCase,
  setNoteResolved,
  wasAskedLater,
} from '#db/queries/corrections.ts'
import { countOtherGoldenQuestions } from '#db/queries/golden-questions.ts'
import { insertNotifications } from '#db/queries/notifications.ts'
import { lockForDecision, mayReview, type ReviewItem } from '#db/queries/reviews.ts'
import { audit } from '#lib/audit.ts'
import { keyOfQuestion } from '#lib/gateway/index.ts'
import { type Citation, citationMarker } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { expectedMax, goldenMax, quoteCharsMax } from '#lib/shared/knowledge-contract.ts'
import {
  type CorrectionInput,
  type CorrectionKind,
  type Corrections,
  type DocumentNoteInput,
  type DocumentNoteRow,
  questionWanted,
} from '#lib/shared/review-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { storable } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { conflict, refusal, refuseOwn } from './standing.ts'

/** What was made, or was there already. */
type Saved = { id: string; made: boolean }

const knownError = 'This was a known error, made to see whether it is found. Nothing comes of it.'

type Item = { item: ReviewItem; text: string; citations: Citation[] }

/** A review whose answer stands as a person left it, locked. Throws `not-found`, `forbidden`, `conflict` in words. */
const decidedAnswer = async (tx: Tx, viewer: Viewer, itemId: string): Promise<Item> => {
  const locked = await lockForDecision(tx, viewer, itemId)
  if (!locked || !(await mayReview(tx, viewer, itemId))) throw new AppError('not-found')
  refuseOwn(locked, viewer)
  const { item, message } = locked
  if (item.seeded) throw conflict(knownError)
  if (item.state !== 'edited' && item.state !== 'approved')
    throw conflict('Only an answer that was approved or edited can be kept.')
  const text = item.state === 'edited' ? item.decision?.text : item.content.text
  // Another person may have decided otherwise since.
  if (!text || message?.text !== text) throw conflict('The answer is not there any more as it was decided on.')
  if (item.state === 'approved') return { item, text, citations: item.content.citations }
  // What was edited stands in the conversation alone.
  return { item, text, citations: (await listCitations(tx, viewer, [message.id])).get(message.id) ?? [] }
}

const changed =
  'A document that this answer rests on has changed since it was written. Ask again and have the new answer checked.'

const shapedByMore =
  'This answer was also shaped by a collection of which it keeps no source, so that people could be given it who cannot read that collection. Ask again and have the new answer checked.'

/** The versions that a correction rests on, made sure of, and their collections. Throws `conflict` and `bad-request` in words. */
const standingSources = async (
  tx: Tx,
  viewer: Viewer,
  citations: readonly Citation[],
  others: readonly CorrectionSource[] = [],
): Promise<{ sources: CorrectionSource[]; collectionIds: ReadonlySet<string> }> => {
  if (citations.length === 0)
    throw refusal('This answer names no source, so nothing would take it away when a document changes.')
  const sources = [...others, ...citations].map(({ documentId, versionId }) => ({ documentId, versionId }))
  const { open, published, collectionIds } = await lockPublished(tx, viewer, sources)
  if (!open) throw conflict('A document that this answer rests on was deleted, or is closed to you.')
  if (!published) throw conflict(changed)
  return { sources, collectionIds }
}

/** The question as it stands by itself. */
const questionOf = async (tx: Tx, item: ReviewItem, worded: string | undefined): Promise<string> => {
  if (worded) return worded
  if (!item.question) throw conflict('The question was deleted.')
  if (item.messageId && (await wasAskedLater(tx, item.messageId))) throw refusal(questionWanted)
  return item.question
}

const withoutMarkers = (text: string): string => text.replace(citationMarker, '').replace(/ +(?=[ .,;]|$)/gm, '')

const expectedOf = (citations: readonly Citation[]): { documentId: string; quote: string }[] => {
  const unique = new Map(
    citations.flatMap(({ documentId, quote }) =>
      quote.trim()
        ? [[`${documentId} ${quote}`, { documentId, quote: storable(quote.slice(0, quoteCharsMax)) }] as const]
        : [],
    ),
  )
  return [...unique.values()].slice(0, expectedMax)
}

type Save = (tx: Tx, decided: Item) => Promise<string>

/** Once an item: another click finds what the first one made. */
const saveOnce = (viewer: Viewer, kind: CorrectionKind, itemId: string, save: Save): Promise<Saved> =>
  database().db.transaction(async (tx) => {
    const decided = await decidedAnswer(tx, viewer, itemId)
    const there = await findCorrectionOf(tx, kind, { workspaceId: viewer.workspaceId, itemId })
    return there ? { id: there, made: false } : { id: await save(tx, decided), made: true }
  })

/** As a case keeps it: whoever is judged by it cites in their own way. */
const goldenAnswer = (text: string): string => storable(withoutMarkers(text))

/**
 * Makes a golden case of a decided answer: its question, what should be found for it, and the answer. One to the same question is
 * replaced. Throws `not-found`, `forbidden` for the viewer's own question, `conflict` and `bad-request` in words.
 */
export const saveGolden = (viewer: Viewer, { itemId, question: worded }: CorrectionInput): Promise<Saved> =>
  saveOnce(viewer, 'golden', itemId, async (tx, { item, text, citations }) => {
    const question = storable(await questionOf(tx, item, worded))
    const { sources } = await standingSources(tx, viewer, citations)
    if ((await countOtherGoldenQuestions(tx, viewer, question)) >= goldenMax)
      throw refusal(`The golden set holds ${goldenMax} questions at most. Delete one before you add another.`)
    const { workspaceId, userId } = viewer
    const golden = { id: newId(), workspaceId, question, expected: expectedOf(citations), createdBy: userId }
    const answer = goldenAnswer(text)
    const id = await saveGoldenCase(tx, { ...golden, answer, itemId }, sources)
    await audit(tx, {
      actor: viewer,
      event: 'golden-question.saved',
      objectId: id,
      details: { itemId },
      after: { ...golden, answer },
    })
    return id
  })

/**
 * Makes a decided answer the one that is given first to its question, to everybody who may read all that it was written from. Throws as
 * `saveGolden`.
 */
export const saveCurated = async (viewer: Viewer, { itemId, question: worded }: CorrectionInput): Promise<Saved> => {
  // The encoder is asked outside of the transaction that locks; what is asked is looked at again within.
  const keys = new Map<string, Awaited<ReturnType<typeof keyOfQuestion>>>()
  if (worded) keys.set(storable(worded), await keyOfQuestion(storable(worded)))
  const once = () =>
    saveOnce(viewer, 'curated', itemId, async (tx, { item, text, citations }) => {
      const question = storable(await questionOf(tx, item, worded))
      const key = keys.get(question)
      if (!key) throw new Unkeyed(question)
      // What was read and not cited may have shaped it too.
      const { sources, collectionIds } = await standingSources(tx, viewer, citations, item.content.sources)
      if (!item.collectionIds.every((id) => collectionIds.has(id))) throw conflict(shapedByMore)
      const { workspaceId, userId } = viewer
      const answer = { id: newId(), workspaceId, itemId, question, answer: text, citations, createdBy: userId }
      await saveCuratedAnswer(tx, { ...answer, questionHash: key.hash, embedding: key.vector }, sources)
      await audit(tx, {
        actor: viewer,
        event: 'curated-answer.saved',
        objectId: answer.id,
        details: { itemId },
        after: answer,
      })
      return answer.id
    })
  try {
    return await once()
  } catch (thrown) {
    if (!(thrown instanceof Unkeyed)) throw thrown
    keys.set(thrown.question, await keyOfQuestion(thrown.question))
    return once()
  }
}

/** A question whose vector is not there yet; the transaction is begun again with it. */
class Unkeyed extends Error {
  override name = 'Unkeyed'
  readonly question: string
  constructor(question: string) {
    super('a question without its key')
    this.question = question
  }
}

/** Takes a checked answer back; whoever made it is told. Twice is once. Throws `not-found`. */
export const retireCurated = (viewer: Viewer, id: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    const ended = await retireCuratedAnswer(tx, viewer, id, 'A reviewer has taken it back.')
    if (!ended) {
      const known = (await listCorrectionRows(tx, viewer)).some((one) => one.id === id && one.kind === 'curated')
      if (known) return
      throw new AppError('not-found')
    }
    await tellEnded(tx, viewer, 'curated', ended, 'a reviewer has taken it back.')
  })

const endedWords = {
  curated: (question: string) => `Your checked answer to “${question}” is no longer given`,
  golden: (question: string) => `Your golden case “${question}” no longer counts`,
} as const
const endedEvents = { curated: 'curated-answer.retired', golden: 'golden-question.retired' } as const

/** Writes down that it has ended, and tells who made it. */
const tellEnded = async (
  tx: Tx,
  viewer: Viewer,
  kind: CorrectionKind,
  { id, createdBy: userId, question }: EndedCorrection,
  because: string,
): Promise<void> => {
  await audit(tx, { actor: viewer, event: endedEvents[kind], objectId: id })
  if (!userId || userId === viewer.userId) return
  const words = `${endedWords[kind](question.slice(0, 120))}: ${because}`
  await insertNotifications(tx, [
    { workspaceId: viewer.workspaceId, userId, kind: 'correction.fell', words, link: '/review/corrections' },
  ])
}

/**
 * What a person has overturned is given to nobody as checked any more, and no case is judged by it; whoever made it is told. In the
 * transaction that decides.
 */
export const endOverturned = async (
  tx: Tx,
  viewer: Viewer,
  answer: string,
  state: 'edited' | 'rejected',
): Promise<void> => {
  const did = state === 'edited' ? 'corrected it' : 'withdrawn it'
  const said = { curated: answer, golden: goldenAnswer(answer) }
  for (const kind of ['curated', 'golden'] as const)
    for (const ended of await endCorrectionsOf(tx, kind, viewer, said[kind], `A reviewer has ${did}.`))
      await tellEnded(tx, viewer, kind, ended, `a reviewer has ${did}.`)
}

/**
 * Leaves a note for those who keep a document that the answer rests on; they are told. Of any review that has ended with a decision.
 * Throws `not-found`, `forbidden` for the viewer's own question, `conflict` in words.
 */
export const noteDocument = (viewer: Viewer, { itemId, documentId, text }: DocumentNoteInput): Promise<Saved> =>
  database().db.transaction(async (tx) => {
    const locked = await lockForDecision(tx, viewer, itemId)
    if (!locked || !(await mayReview(tx, viewer, itemId))) throw new AppError('not-found')
    refuseOwn(locked, viewer)
    const { item } = locked
    if (item.seeded) throw conflict(knownError)
    if (!['approved', 'edited', 'rejected'].includes(item.state)) throw conflict('Decide on the answer first.')
    const { citations, sources } = item.content
    const cited = citations.find((one) => one.documentId === documentId)
    const source = cited ?? sources.find((one) => one.documentId === documentId)
    const { open } = await lockPublished(tx, viewer, source ? [source] : [])
    if (!source || !open) throw new AppError('not-found')
    const { workspaceId, userId } = viewer
    const note = { workspaceId, documentId, versionId: source.versionId, itemId, createdBy: userId }
    const saved = await insertNote(tx, { ...note, id: newId(), quote: cited?.quote ?? '', text: storable(text) })
    if (!saved.made) return saved
    await audit(tx, {
      actor: viewer,
      event: 'document.noted',
      objectId: documentId,
      details: { noteId: saved.id, itemId },
      after: { text },
    })
    const told = (await listKeepers(tx, viewer, documentId)).filter((id) => id !== userId)
    const words = `A reviewer has left a note on “${shownName(cited?.title ?? 'a document')}”.`
    const link = `/admin/documents?document=${documentId}`
    await insertNotifications(
      tx,
      told.map((id) => ({ workspaceId, userId: id, kind: 'document.noted', words, link })),
    )
    return saved
  })

/** Twice is once. Throws `not-found` where the viewer neither wrote the note nor looks after the document. */
export const resolveNote = (viewer: Viewer, noteId: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    const note = await lockNote(tx, viewer, noteId)
    if (!note) throw new AppError('not-found')
    if (note.resolved) return
    await setNoteResolved(tx, viewer, noteId)
    await audit(tx, {
      actor: viewer,
      event: 'document-note.resolved',
      objectId: note.documentId,
      details: { noteId },
    })
  })

/** Notes on one document, for who looks after it or reviews answers. Throws `not-found`. */
export const notesOn = async (viewer: Viewer, documentId: string): Promise<DocumentNoteRow[]> => {
  const { db } = database()
  if (!(await mayReadNotesOf(db, viewer, documentId))) throw new AppError('not-found')
  return listNotes(db, viewer, documentId)
}

/** What came of reviews, as far as the viewer may read what it rests on. */
export const listCorrections = async (viewer: Viewer): Promise<Corrections> => {
  const { db } = database()
  const [corrections, notes] = await Promise.all([listCorrectionRows(db, viewer), listNotes(db, viewer)])
  return {
    corrections: corrections.map((row) => ({
      ...row,
      answer: row.answer === null ? null : withoutMarkers(row.answer),
    })),
    notes,
  }
}
