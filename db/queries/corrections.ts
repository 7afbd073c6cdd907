/**
 * What comes of decided reviews: golden cases, checked answers, notes on documents. What a document's change takes away falls by
 * triggers on `documents`, in the transaction that changes it (migration 0009); here only what rests on the versions of now is saved.
 */
import { and, desc, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { Citation } from '#lib/shared/chat-contract.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { CorrectionKind, CorrectionRow, DocumentNoteRow } from '#lib/shared/review-contract.ts'
import { can, type Reader, roles, type Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { isReviewer } from '../reviewable.ts'
import {
  correctionSources,
  curatedAnswers,
  documentNotes,
  documents,
  goldenQuestions,
  messages,
  users,
} from '../schema/index.ts'
import { changeableBy, visibleTo } from '../visibility.ts'
import { toVectorLiteral } from './search.ts'

/** A list is for people: the newest so many. */
const listedMax = 500

export type CorrectionSource = { documentId: string; versionId: string }

/**
 * Whether each of these versions is what its document says now, and open to the viewer, and the collections that they are in; they
 * stay so until the transaction ends.
 */
export const lockPublished = async (
  tx: Tx,
  viewer: Reader,
  sources: readonly CorrectionSource[],
): Promise<{ open: boolean; published: boolean; collectionIds: ReadonlySet<string> }> => {
  const ids = [...new Set(sources.map(({ documentId }) => documentId))]
  const found = await tx
    .select({ id: documents.id, versionId: documents.publishedVersionId, collectionId: documents.collectionId })
    .from(documents)
    .where(and(visibleTo(viewer), inArray(documents.id, ids)))
    .orderBy(documents.id)
    .for('share')
  const now = new Set(found.map(({ id, versionId }) => `${id} ${versionId}`))
  return {
    open: found.length === ids.length,
    published: sources.every(({ documentId, versionId }) => now.has(`${documentId} ${versionId}`)),
    collectionIds: new Set(found.map(({ collectionId }) => collectionId)),
  }
}

/** Whether anything was asked before it in its conversation. */
export const wasAskedLater = async (db: Executor, answerId: string): Promise<boolean> => {
  const [found] = await rows<{ later: boolean }>(
    db,
    sql`select exists (select from ${messages} answer join ${messages} question on question.id = answer.question_id
      join ${messages} before on before.chat_id = answer.chat_id and before.role = 'user' and before.created_at < question.created_at
      where answer.id = ${answerId}) as later`,
  )
  return found?.later ?? false
}

/** The correction of this kind that was made of a review and still holds. */
export const findCorrectionOf = async (
  db: Executor,
  kind: CorrectionKind,
  { workspaceId, itemId }: { workspaceId: string; itemId: string },
): Promise<string | undefined> => {
  const table = kind === 'golden' ? goldenQuestions : curatedAnswers
  const [found] = await db
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.workspaceId, workspaceId), eq(table.itemId, itemId), isNull(table.fellAt)))
    .limit(1)
  return found?.id
}

const insertSources = async (
  tx: Tx,
  correctionId: string,
  kind: CorrectionKind,
  sources: readonly CorrectionSource[],
): Promise<void> => {
  const versions = new Map(sources.map(({ documentId, versionId }) => [documentId, versionId]))
  await tx
    .insert(correctionSources)
    .values([...versions].map(([documentId, versionId]) => ({ correctionId, kind, documentId, versionId })))
}

type NewGolden = Pick<
  typeof goldenQuestions.$inferInsert,
  'id' | 'workspaceId' | 'question' | 'expected' | 'createdBy'
> & { answer: string; itemId: string }

/** Keeps a golden case with its answer, in the place of one to the same question; returns its id. */
export const saveGoldenCase = async (
  tx: Tx,
  golden: NewGolden,
  sources: readonly CorrectionSource[],
): Promise<string> => {
  const { expected, answer, itemId, createdBy } = golden
  const [saved] = await tx
    .insert(goldenQuestions)
    .values(golden)
    .onConflictDoUpdate({
      target: [goldenQuestions.workspaceId, goldenQuestions.question],
      set: { expected, answer, itemId, createdBy: createdBy ?? null, fellAt: null, fellBecause: null },
    })
    .returning({ id: goldenQuestions.id })
  if (!saved) throw new Error('a golden case was not saved')
  await tx.delete(correctionSources).where(eq(correctionSources.correctionId, saved.id))
  await insertSources(tx, saved.id, 'golden', sources)
  return saved.id
}

export type NewCurated = Omit<typeof curatedAnswers.$inferInsert, 'embedding' | 'fellAt' | 'fellBecause'> & {
  embedding: Float32Array | null
}

/** Keeps a checked answer; an older one to the same question is no longer given. Of two at once the later one stays. */
export const saveCuratedAnswer = async (
  tx: Tx,
  { embedding, ...answer }: NewCurated,
  sources: readonly CorrectionSource[],
): Promise<void> => {
  // One after the other: what the other one keeps at this moment is not there yet to be replaced.
  const name = `curated ${answer.workspaceId} ${answer.questionHash}`
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`)
  await tx
    .update(curatedAnswers)
    .set({ fellAt: sql`now()`, fellBecause: 'A newer checked answer has taken its place.' })
    .where(
      and(
        eq(curatedAnswers.workspaceId, answer.workspaceId),
        eq(curatedAnswers.questionHash, answer.questionHash),
        isNull(curatedAnswers.fellAt),
      ),
    )
  await tx
    .insert(curatedAnswers)
    .values({ ...answer, embedding: embedding ? sql`${toVectorLiteral(embedding)}::vector` : null })
  await insertSources(tx, answer.id, 'curated', sources)
}

type Asked = { viewer: Reader; collectionIds: readonly string[]; filter?: DocumentFilter | undefined }

export type CheckedAnswerRow = {
  id: string
  question: string
  answer: string
  citations: Citation[]
  checkedAtMs: number
}
export type NearCheckedAnswerRow = CheckedAnswerRow & { cosine: number }

/**
 * Checked answers that hold for who asks: everything they were written from is open to this person, within what is searched, in the
 * version that was read.
 */
const holdsFor = ({ viewer, collectionIds, filter }: Asked): SQL =>
  sql`a.workspace_id = ${viewer.workspaceId} and a.fell_at is null
    and exists (select from correction_sources s where s.correction_id = a.id)
    and not exists (select from correction_sources s where s.correction_id = a.id and not exists (
      select from ${documents} where ${documents.id} = s.document_id and ${documents.publishedVersionId} = s.version_id
        and ${visibleTo(viewer, collectionIds, filter)}))`

const checkedColumns = sql`a.id, a.question, a.answer, a.citations,
  (extract(epoch from coalesce((select i.decided_at from review_items i where i.id = a.item_id), a.created_at)) * 1000)::float8 as "checkedAtMs"`

export const findExactChecked = async (
  db: Executor,
  asked: Asked,
  questionHash: string,
): Promise<CheckedAnswerRow | undefined> => {
  const [found] = await rows<CheckedAnswerRow>(
    db,
    sql`select ${checkedColumns} from curated_answers a where a.question_hash = ${questionHash} and ${holdsFor(asked)}`,
  )
  return found
}

/** Whether any checked answer of the workspace may be found by nearness. */
export const hasCheckedVectors = async (db: Executor, workspaceId: string): Promise<boolean> => {
  const [found] = await rows<{ there: boolean }>(
    db,
    sql`select exists (select from curated_answers
      where workspace_id = ${workspaceId} and fell_at is null and embedding is not null) as there`,
  )
  return found?.there ?? false
}

/** Those to the nearest questions, nearest first. They are few, each made by a person: all of a workspace are looked at. */
export const findNearChecked = (
  db: Executor,
  asked: Asked,
  { vector, cosineMin, limit }: { vector: Float32Array; cosineMin: number; limit: number },
): Promise<NearCheckedAnswerRow[]> => {
  const cosine = sql`1 - (a.embedding <=> ${toVectorLiteral(vector)}::vector)`
  return rows<NearCheckedAnswerRow>(
    db,
    sql`select ${checkedColumns}, (${cosine})::float8 as cosine from curated_answers a
      where a.embedding is not null and ${cosine} >= ${cosineMin}::float8 and ${holdsFor(asked)}
      order by cosine desc, a.id limit ${limit}::int`,
  )
}

/** Something that it rests on is gone or closed to the viewer. */
const isShut = (viewer: Viewer, id: typeof curatedAnswers.id | typeof goldenQuestions.id): SQL<boolean> =>
  sql<boolean>`exists (select from ${correctionSources} where ${correctionSources.correctionId} = ${id}
    and not exists (select from ${documents} where ${documents.id} = ${correctionSources.documentId} and ${visibleTo(viewer)}))`

const openNames = (viewer: Viewer, id: typeof curatedAnswers.id | typeof goldenQuestions.id): SQL<string[]> =>
  sql<string[]>`(select coalesce(json_agg(${documents.name} order by ${documents.name}), '[]') from ${correctionSources}
    join ${documents} on ${documents.id} = ${correctionSources.documentId}
    where ${correctionSources.correctionId} = ${id} and ${visibleTo(viewer)})`

/** Corrections of one kind, newest first: those whose documents are open to the viewer, and what they made themselves. */
const listOfKind = async (db: Executor, viewer: Viewer, kind: CorrectionKind): Promise<CorrectionRow[]> => {
  const table = kind === 'golden' ? goldenQuestions : curatedAnswers
  const shut = isShut(viewer, table.id)
  const found = await db
    .select({
      id: table.id,
      itemId: table.itemId,
      question: table.question,
      answer: sql<string | null>`case when ${shut} then null else ${table.answer} end`,
      documents: openNames(viewer, table.id),
      by: users.name,
      createdAt: table.createdAt,
      fellAt: table.fellAt,
      fellBecause: table.fellBecause,
    })
    .from(table)
    .leftJoin(users, eq(users.id, table.createdBy))
    .where(
      and(
        eq(table.workspaceId, viewer.workspaceId),
        sql`${table.itemId} is not null`,
        isReviewer(viewer),
        or(eq(table.createdBy, viewer.userId), sql`not ${shut}`),
      ),
    )
    .orderBy(desc(table.createdAt), desc(table.id))
    .limit(listedMax)
  return found.map(({ createdAt, fellAt, fellBecause, ...row }) => ({
    ...row,
    kind,
    createdAt: createdAt.toISOString(),
    fell: fellAt ? { at: fellAt.toISOString(), because: fellBecause ?? '' } : null,
  }))
}

export const listCorrectionRows = async (db: Executor, viewer: Viewer): Promise<CorrectionRow[]> =>
  [...(await listOfKind(db, viewer, 'curated')), ...(await listOfKind(db, viewer, 'golden'))].sort((one, other) =>
    other.createdAt.localeCompare(one.createdAt),
  )

/** A checked answer that is no longer given, or a case that no longer counts, for telling who made it. */
export type EndedCorrection = { id: string; createdBy: string | null; question: string }
const endedColumns = { id: curatedAnswers.id, createdBy: curatedAnswers.createdBy, question: curatedAnswers.question }

/** Ends every checked answer, or every case, that says exactly this, whatever its question. */
export const endCorrectionsOf = (
  tx: Tx,
  kind: CorrectionKind,
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  answer: string,
  because: string,
): Promise<EndedCorrection[]> => {
  const table = kind === 'golden' ? goldenQuestions : curatedAnswers
  return tx
    .update(table)
    .set({ fellAt: sql`now()`, fellBecause: because })
    .where(and(eq(table.workspaceId, workspaceId), eq(table.answer, answer), isNull(table.fellAt)))
    .returning({ id: table.id, createdBy: table.createdBy, question: table.question })
}

/** Ends a checked answer that holds; undefined when there is none such for this viewer. */
export const retireCuratedAnswer = async (
  tx: Tx,
  viewer: Viewer,
  id: string,
  because: string,
): Promise<EndedCorrection | undefined> => {
  const [ended] = await tx
    .update(curatedAnswers)
    .set({ fellAt: sql`now()`, fellBecause: because })
    .where(
      and(
        eq(curatedAnswers.id, id),
        eq(curatedAnswers.workspaceId, viewer.workspaceId),
        isNull(curatedAnswers.fellAt),
        isReviewer(viewer),
        or(eq(curatedAnswers.createdBy, viewer.userId), sql`not ${isShut(viewer, curatedAnswers.id)}`),
      ),
    )
    .returning(endedColumns)
  return ended
}

// --- Notes on documents

type NewNote = Pick<
  typeof documentNotes.$inferInsert,
  'id' | 'workspaceId' | 'documentId' | 'versionId' | 'itemId' | 'quote' | 'text' | 'createdBy'
>

/** Writes the note; the id of the same one when it is there already and open. */
export const insertNote = async (
  tx: Tx,
  note: NewNote & { itemId: string },
): Promise<{ id: string; made: boolean }> => {
  // One after the other: the item is locked by now.
  const [same] = await tx
    .select({ id: documentNotes.id })
    .from(documentNotes)
    .where(
      and(
        eq(documentNotes.documentId, note.documentId),
        eq(documentNotes.itemId, note.itemId),
        eq(documentNotes.text, note.text),
        isNull(documentNotes.resolvedAt),
      ),
    )
  if (same) return { id: same.id, made: false }
  await tx.insert(documentNotes).values(note)
  return { id: note.id, made: true }
}

const keepersMax = 50

/**
 * Who keeps a document: who uploaded it, and whom a grant on its collection makes its manager; where there is nobody, who administers
 * documents in the workspace. Each of them can open it.
 */
export const listKeepers = async (
  db: Executor,
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  documentId: string,
): Promise<string[]> => {
  const administering = roles.filter((role) => can({ role }, 'document.manage')).map((role) => sql`${role}`)
  const found = await rows<{ id: string; keeps: boolean }>(
    db,
    sql`select * from (select m.user_id as id, (m.user_id = d.created_by or exists (select from collection_grants g
          where g.collection_id = d.collection_id and g.level = 'manage' and (g.subject = 'person' and g.subject_id = m.user_id
            or g.subject = 'group' and g.subject_id in (select gm.group_id from group_members gm where gm.user_id = m.user_id)))) as keeps,
          m.role in (${sql.join(administering, sql`, `)}) as administers
        from memberships m, documents d
        where m.workspace_id = ${workspaceId} and m.suspended_at is null and d.id = ${documentId} and d.workspace_id = m.workspace_id) people
      where coalesce(keeps, false) or administers order by coalesce(keeps, false) desc, id limit ${keepersMax}`,
  )
  if (found.length === 0) return []
  const looks = found.map(
    ({ id }) => sql`select ${id}::text as id from ${documents}
      where ${documents.id} = ${documentId} and ${visibleTo({ workspaceId, userId: id })}`,
  )
  const seeing = new Set((await rows<{ id: string }>(db, sql.join(looks, sql` union all `))).map(({ id }) => id))
  const open = found.filter(({ id }) => seeing.has(id))
  const keepers = open.filter(({ keeps }) => keeps)
  return (keepers.length > 0 ? keepers : open).map(({ id }) => id)
}

/** The viewer looks after the document, or reviews answers that are written from it. */
const mayReadNotes = (viewer: Viewer): SQL =>
  sql`(${visibleTo(viewer)}) and ((${changeableBy(viewer)}) or ${isReviewer(viewer)})`
const mayResolveNote = (viewer: Viewer): SQL<boolean> =>
  sql<boolean>`((${visibleTo(viewer)}) and ((${changeableBy(viewer)}) or ${documentNotes.createdBy} = ${viewer.userId}))`

/** Notes that the viewer may read, of one document or of all; open ones first, then the newest. */
export const listNotes = async (db: Executor, viewer: Viewer, documentId?: string): Promise<DocumentNoteRow[]> => {
  const found = await db
    .select({
      id: documentNotes.id,
      documentId: documentNotes.documentId,
      document: documents.name,
      quote: documentNotes.quote,
      text: documentNotes.text,
      by: users.name,
      createdAt: documentNotes.createdAt,
      changedSince: sql<boolean>`${documents.publishedVersionId} is distinct from ${documentNotes.versionId}`,
      resolvedAt: documentNotes.resolvedAt,
      resolvedBy: sql<string | null>`(select r.name from users r where r.id = ${documentNotes.resolvedBy})`,
      mayResolve: mayResolveNote(viewer),
    })
    .from(documentNotes)
    .innerJoin(documents, eq(documents.id, documentNotes.documentId))
    .leftJoin(users, eq(users.id, documentNotes.createdBy))
    .where(and(mayReadNotes(viewer), documentId ? eq(documents.id, documentId) : undefined))
    .orderBy(sql`${documentNotes.resolvedAt} is not null`, desc(documentNotes.createdAt))
    .limit(listedMax)
  return found.map(({ createdAt, resolvedAt, resolvedBy, ...row }) => ({
    ...row,
    createdAt: createdAt.toISOString(),
    resolved: resolvedAt ? { at: resolvedAt.toISOString(), by: resolvedBy } : null,
    mayResolve: row.mayResolve && !resolvedAt,
  }))
}

/** Whether the viewer may read notes on this document. */
export const mayReadNotesOf = async (db: Executor, viewer: Viewer, documentId: string): Promise<boolean> => {
  const found = await db
    .select({ id: documents.id })
    .from(documents)
    .where(and(eq(documents.id, documentId), mayReadNotes(viewer)))
  return found.length > 0
}

/** The author and the document of a note that the viewer may resolve, locked; undefined: there is none such for them. */
export const lockNote = async (
  tx: Tx,
  viewer: Viewer,
  id: string,
): Promise<{ documentId: string; resolved: boolean } | undefined> => {
  const [found] = await tx
    .select({ documentId: documentNotes.documentId, resolvedAt: documentNotes.resolvedAt })
    .from(documentNotes)
    .innerJoin(documents, eq(documents.id, documentNotes.documentId))
    .where(and(eq(documentNotes.id, id), mayResolveNote(viewer)))
    .for('update', { of: documentNotes })
  return found && { documentId: found.documentId, resolved: found.resolvedAt !== null }
}

export const setNoteResolved = async (tx: Tx, { userId }: Viewer, id: string): Promise<void> => {
  await tx.update(documentNotes).set({ resolvedAt: sql`now()`, resolvedBy: userId }).where(eq(documentNotes.id, id))
}
