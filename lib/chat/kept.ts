/**
 * Answers that were given before. A kept answer is given again only when the same question, or one that is certainly the same,
 * finds today, for this person, the very passages it cites: what was changed, deleted or closed to them since takes it away. It is
 * looked for only among those that were written by the same rights, for what was not cited may have shaped it too. What a person has
 * checked comes first, for everybody who may read all that it was written from.
 */
import { createHash } from 'node:crypto'
import { database } from '#db/client.ts'
import { accessFingerprint } from '#db/visibility.ts'
import {
  type AnswerEvent,
  findChecked,
  keepAnswer,
  type LedgerLine,
  lookUpAnswer,
  observeAnswer,
  savedLine,
} from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import type { Citer, Evidence } from '#lib/rag/index.ts'
import type { Citation, MessageMetadata } from '#lib/shared/chat-contract.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Tracer } from '#lib/trace.ts'

type Asked = {
  viewer: Viewer
  chatId: string
  answerId: string
  question: string
  collectionIds: readonly string[]
  filter?: DocumentFilter
  /** What the viewer could read before the search began; see `accessFingerprint`. */
  access: string
}

export type KeptHit = {
  text: string
  citations: readonly Citation[]
  metadata: MessageMetadata
  /** The line of the ledger: what was saved. */
  line: LedgerLine
}

/** An answer that was near and not certain enough: what is written now shows whether it was the same. */
export type Miss = { nearest: { answerId: string; similarity: number; citations: readonly Citation[] } | null }

/** A filter in one way of writing it, whatever the order of its parts; empty when it asks for nothing. */
const filterKey = (filter: DocumentFilter = {}): string[] =>
  Object.entries(filter)
    .flatMap(([part, wanted]) =>
      wanted?.length ? [JSON.stringify([part, typeof wanted === 'string' ? wanted : [...wanted].sort()])] : [],
    )
    .sort()

/** What a person may see and wants to be searched goes into the key, beside the check of every passage. */
const accessOf = ({ viewer, collectionIds, filter, access }: Asked): string =>
  createHash('sha256')
    .update(JSON.stringify([viewer.role, access, [...collectionIds].sort(), filterKey(filter)]))
    .digest('hex')

/** Whether everything that is cited was found again just now, by this person's own search. */
const stillStands = (citations: readonly Citation[], evidence: Evidence): boolean => {
  const found = new Set(evidence.passages.map(({ chunkId }) => chunkId))
  return citations.length > 0 && citations.every(({ chunkId }) => found.has(chunkId))
}

/** An answer that a person has checked, before any that was only given before. */
const findCurated = async (asked: Asked, evidence: Evidence, trace: Tracer): Promise<KeptHit | null> => {
  const { viewer, chatId, answerId, question, collectionIds, filter } = asked
  const startedMs = performance.now()
  const found = await findChecked({ viewer, question, collectionIds, filter })
  if (!found) return null
  const { answer, level, similarity } = found
  const stands = stillStands(answer.citations, evidence)
  const span = trace.open('cache')
  span.label(stands ? `cache: ${level} hit, checked by a person` : 'cache: a checked answer, passed over')
  span.set({ level, similarity, ...(stands ? {} : { passedOver: 'a passage that it cites was not found again' }) })
  span.end()
  if (!stands) return null
  return {
    text: answer.answer,
    citations: answer.citations,
    metadata: {
      curated: { checkedAt: new Date(answer.checkedAtMs).toISOString() },
      tokens: { in: 0, out: 0 },
      costMicros: 0,
    },
    line: savedLine({
      viewer,
      chatId,
      messageId: answerId,
      traceId: trace.traceId,
      level,
      entry: null,
      totalMs: performance.now() - startedMs,
    }),
  }
}

/** Looks for a checked answer, then for a kept one. Never throws: a cache that does not answer is a miss. */
export const findKept = async (
  asked: Asked,
  evidence: Evidence,
  trace: Tracer,
): Promise<{ hit: KeptHit } | { hit: null; miss: Miss }> => {
  const curated = await findCurated(asked, evidence, trace)
  if (curated) return { hit: curated }
  const { viewer, chatId, answerId, question } = asked
  const span = trace.open('cache')
  const startedMs = performance.now()
  const found = await lookUpAnswer({ viewer, access: accessOf(asked), question })
  const stands = found.level !== null && stillStands(found.entry.citations, evidence)
  span.label(stands ? `cache: ${found.level} hit` : 'cache: nothing')
  span.set({
    level: found.level,
    similarity: found.level === null ? (found.nearest?.similarity ?? null) : found.similarity,
    ...(found.level !== null && !stands ? { passedOver: 'a passage that it cites was not found again' } : {}),
  })
  span.end()
  if (found.level === null) return { hit: null, miss: { nearest: found.nearest } }
  // What is passed over teaches as well: an answer whose passages were not found was not the one that was asked for.
  if (!stands) {
    if (found.level === 'semantic') await observeAnswer(database().db, found.entry.id, found.similarity, false)
    return { hit: null, miss: { nearest: null } }
  }
  const { entry, level, ageMs } = found
  return {
    hit: {
      text: entry.answer,
      citations: entry.citations,
      metadata: {
        cache: { level, answeredAt: new Date(Date.now() - ageMs).toISOString() },
        model: { id: entry.model, kind: 'provider' },
        tokens: { in: 0, out: 0 },
        costMicros: 0,
      },
      line: savedLine({
        viewer,
        chatId,
        messageId: answerId,
        traceId: trace.traceId,
        level,
        entry,
        totalMs: performance.now() - startedMs,
      }),
    },
  }
}

type Written = {
  text: string
  citations: readonly Citation[]
  end: Extract<AnswerEvent, { type: 'end' }>
  claims: ReturnType<Citer['summary']>['claims']
  degraded: boolean
}

/** Keeps an answer that was written now, and tells what the nearest kept one was worth. Never throws. */
export const remember = async (asked: Asked, evidence: Evidence, miss: Miss, written: Written): Promise<void> => {
  const { viewer, question } = asked
  const { db } = database()
  try {
    if (miss.nearest) {
      const cited = new Set(written.citations.map(({ chunkId }) => chunkId))
      const { answerId, similarity, citations } = miss.nearest
      const kept = new Set(citations.map(({ chunkId }) => chunkId))
      const same = kept.size > 0 && kept.size === cited.size && [...kept].every((chunkId) => cited.has(chunkId))
      await observeAnswer(db, answerId, similarity, same)
    }
    // Rights that changed while it was written: nobody knows by which of them it was read.
    if ((await accessFingerprint(db, viewer)) !== asked.access) return
    await keepAnswer({
      viewer,
      access: accessOf(asked),
      question,
      answer: written.text,
      citations: written.citations,
      sources: evidence.passages.map(({ documentId, versionId }) => ({ documentId, versionId })),
      end: written.end,
      claims: written.claims,
      degraded: written.degraded,
    })
  } catch (error) {
    // Fails open: an answer that is not kept is written again.
    log.warn({ err: error }, 'answer not kept')
  }
}
