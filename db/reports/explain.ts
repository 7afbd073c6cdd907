/**
 * Why an answer says what it says, from what is stored of it: the message, its citations, its trace. Who asked reads it in short, who
 * may see traces in full. Words of documents that the reader may not open, or that are gone, are in neither.
 */
import { and, desc, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Span, Trace } from '#lib/shared/admin-contract.ts'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'
import type { ExplainedCheck, ExplainedPassage, Explanation } from '#lib/shared/explain-contract.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { chats, chunks, citations, documents, documentVersions, messages, reviewItems, users } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'
import { getTraceOfMessage } from './traces.ts'

const rank = z.object({ rank: z.number(), score: z.number() }).nullable().catch(null)
const packedSchema = z.array(
  z.object({
    n: z.number(),
    chunkId: z.string(),
    documentId: z.string().nullable().catch(null),
    score: z.number().nullable().catch(null),
    lexical: rank,
    vector: rank,
  }),
)
const topSchema = z.array(
  z.object({ chunkId: z.coerce.string(), score: z.number(), held: z.boolean().optional().catch(undefined) }),
)

/** What a span says under a name, in the shape that it was written in; what an older release wrote otherwise is left out. */
const said = <Schema extends z.ZodType>(
  spans: readonly Span[],
  [name, key]: readonly [string, string],
  schema: Schema,
): z.output<Schema> | undefined => {
  const span = spans.findLast((one) => one.name === name && key in one.attributes)
  return span && schema.safeParse(span.attributes[key]).data
}

type Found = Omit<ExplainedPassage, 'title' | 'page' | 'mediaType' | 'text' | 'quotes'>

/** What was read, and what the two searches found beside it, best first. */
const foundBy = (spans: readonly Span[]): { read: Found[]; beside: Found[] } => {
  const read: Found[] = (said(spans, ['pack', 'passages'], packedSchema) ?? []).map((one) => ({
    ...one,
    dropped: null,
  }))
  const known = new Set(read.map(({ chunkId }) => chunkId))
  const beside = new Map<string, Found>()
  for (const leg of ['lexical', 'vector'] as const)
    for (const [at, { chunkId, score, held }] of (said(spans, [leg, 'top'], topSchema) ?? []).entries()) {
      if (known.has(chunkId)) continue
      const before = beside.get(chunkId)
      const dropped = held
        ? 'It reads like an order to the assistant and was held back.'
        : 'Others fitted the question better, or there was no more room.'
      const one = before ?? { chunkId, documentId: null, n: null, score: null, lexical: null, vector: null, dropped }
      beside.set(chunkId, { ...one, [leg]: { rank: at + 1, score } })
    }
  const best = ({ lexical, vector }: Found): number => Math.min(lexical?.rank ?? 99, vector?.rank ?? 99)
  return { read, beside: [...beside.values()].sort((a, b) => best(a) - best(b)) }
}

type Quoted = { chunkId: string; documentId: string; quote: string }

const withTexts = async (
  db: Reader,
  viewer: Viewer,
  found: readonly Found[],
  quoted: readonly Quoted[],
): Promise<ExplainedPassage[]> => {
  // What is no number names no passage.
  const ids = found.map(({ chunkId }) => Number(chunkId)).filter(Number.isSafeInteger)
  const shown =
    ids.length === 0
      ? []
      : await db
          .select({
            chunkId: chunks.id,
            documentId: documents.id,
            title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
            mediaType: documents.mediaType,
            page: chunks.pageFrom,
            text: chunks.text,
          })
          .from(chunks)
          .innerJoin(documents, and(eq(documents.id, chunks.documentId), visibleTo(viewer)))
          .innerJoin(documentVersions, eq(documentVersions.id, chunks.versionId))
          .where(inArray(chunks.id, ids))
  const byId = new Map(shown.map(({ chunkId, ...chunk }) => [String(chunkId), chunk]))
  return found.map((one) => {
    const chunk = byId.get(one.chunkId)
    return {
      ...one,
      documentId: chunk?.documentId ?? one.documentId,
      title: chunk?.title ?? null,
      mediaType: chunk?.mediaType ?? null,
      page: chunk?.page ?? null,
      text: chunk?.text ?? null,
      quotes: chunk ? quoted.filter(({ chunkId }) => chunkId === one.chunkId).map(({ quote }) => quote) : [],
    }
  })
}

const routes: Record<string, string> = {
  retrieval: 'From the documents that were found',
  cache: 'Given before, and checked against the documents again',
  policy: 'Refused by the policy before anything was searched',
  clarify: 'Asked back, because the question could mean several things',
}

const routeInWords = ({ route, withheld, review }: MessageMetadata, status: string): string => {
  if (status === 'held') return 'Written, and held until a person has decided'
  if (review?.state === 'rejected') return 'Written, and rejected by a person'
  if (review?.state === 'expired') return 'Written, held, and given up: nobody decided in time'
  if (withheld?.length && route !== 'policy') return 'Written, and withheld by the policy'
  if (status === 'no-source') return 'Nothing was found that answers the question'
  if (route === undefined) return 'Not finished'
  return routes[route] ?? 'Answered by Footnote itself, without a search'
}

const count = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`

const checksOf = (spans: readonly Span[], metadata: MessageMetadata): ExplainedCheck[] => {
  const checks: ExplainedCheck[] = []
  const flagged = said(spans, ['admit', 'flagged'], z.array(z.string()))
  if (spans.some(({ name }) => name === 'admit'))
    checks.push({
      name: 'Question',
      passed: !flagged,
      words: flagged ? 'It reads like an order to the assistant.' : 'It reads like a question.',
    })
  const masked = said(spans, ['guard', 'masked'], z.record(z.string(), z.number()))
  if (masked) {
    const kinds = Object.entries(masked).map(([kind, times]) => `${kind} (${times})`)
    const words = kinds.length > 0 ? `Masked before it was sent: ${kinds.join(', ')}.` : 'Nothing had to be masked.'
    checks.push({ name: 'What was sent', passed: true, words })
  }
  const barred = said(spans, ['guard', 'barred'], z.array(z.string()))
  if (barred?.length)
    checks.push({
      name: 'Models',
      passed: true,
      words: `${count(barred.length, 'model')} may not read these documents and got nothing.`,
    })
  for (const { name, attributes, status } of spans)
    if (name === 'policy')
      checks.push({
        name: 'Policy',
        passed: status === 'ok',
        words: `A rule of the policy holds for the ${String(attributes.of)}${status === 'ok' ? ' and warns' : ' and withholds it'}.`,
      })
  const filter = spans.findLast(({ name }) => name === 'filter')
  if (filter)
    checks.push({
      name: 'What came back',
      passed: filter.status === 'ok',
      words:
        filter.status === 'ok'
          ? 'Images, foreign links and marks of the prompt would have been taken out.'
          : 'It held marks of the prompt and was withheld.',
    })
  const { claims } = metadata
  if (claims)
    checks.push({
      name: 'Citations',
      passed: claims.supported === claims.total,
      words: `${claims.supported} of ${count(claims.total, 'claim')} supported by what they cite.`,
    })
  return checks
}

const leftOutOf = (spans: readonly Span[], metadata: MessageMetadata, read: readonly ExplainedPassage[]): string[] => {
  const held = said(spans, ['pack', 'heldBack'], z.number())
  const closed = read.filter(({ text }) => text === null).length
  const uncited = read.filter(({ text, quotes }) => text !== null && quotes.length === 0).length
  return [
    ...(held ? [`${count(held, 'passage')} held back: such text reads like an order to the assistant.`] : []),
    ...(closed ? [`${count(closed, 'passage')} of documents that you may not read, or that are gone.`] : []),
    ...(uncited && metadata.claims
      ? [`${count(uncited, 'passage was', 'passages were')} read and not cited: nothing of the answer rests on them.`]
      : []),
    ...(metadata.narrowed ? ['Documents outside of what the search was narrowed to.'] : []),
    ...(metadata.degraded ? [metadata.degraded] : []),
    ...(metadata.withheld ?? []),
  ]
}

const whereInWords = (spans: readonly Span[], own: boolean): string[] => {
  const who = own ? 'you' : 'the asker'
  const collections = said(spans, ['admit', 'collections'], z.number())
  const filter = said(spans, ['admit', 'filter'], z.record(z.string(), z.unknown()))
  const within = collections
    ? `In ${count(collections, 'collection')} that ${who} chose`
    : `In all documents that ${who} could read`
  const parts = Object.entries(filter ?? {}).flatMap(([name, value]) =>
    value && !(Array.isArray(value) && value.length === 0)
      ? [`${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`]
      : [],
  )
  return [within, ...parts]
}

const searchedOf = (trace: Trace | null, question: string, own: boolean): Explanation['searched'] => {
  if (!trace?.spans.some(({ name }) => name === 'retrieve')) return null
  return {
    text: said(trace.spans, ['rewrite', 'searched'], z.string()) ?? question,
    where: whereInWords(trace.spans, own),
  }
}

/** The newest answer that is meant by the id of an answer or of its question. */
const findAnswer = async (db: Reader, viewer: Viewer, id: string) => {
  const [found] = await db
    .select({ answer: messages, chatId: chats.id, userId: chats.userId, userName: users.name })
    .from(messages)
    .innerJoin(chats, and(eq(chats.id, messages.chatId), eq(chats.workspaceId, viewer.workspaceId)))
    .leftJoin(users, eq(users.id, chats.userId))
    .where(
      and(
        eq(messages.role, 'assistant'),
        or(eq(messages.id, id), and(eq(messages.questionId, id), isNull(messages.supersededAt))),
        can(viewer, 'trace.read') ? undefined : eq(chats.userId, viewer.userId),
      ),
    )
    .limit(1)
  return found
}

/** The last decision of a person on it. */
const decisionOn = async (db: Reader, viewer: Viewer, messageId: string): Promise<Explanation['reviewer']> => {
  const [decided] = await db
    .select({ state: reviewItems.state, at: reviewItems.decidedAt, by: users.name })
    .from(reviewItems)
    .leftJoin(users, eq(users.id, reviewItems.decidedBy))
    .where(
      and(
        eq(reviewItems.workspaceId, viewer.workspaceId),
        eq(reviewItems.messageId, messageId),
        inArray(reviewItems.state, ['approved', 'edited', 'rejected', 'expired']),
      ),
    )
    .orderBy(desc(reviewItems.decidedAt))
    .limit(1)
  if (!decided?.at) return null
  return { state: decided.state, at: decided.at.toISOString(), by: can(viewer, 'trace.read') ? decided.by : null }
}

/** Null when there is no such answer, it is of another workspace, or of another person and the viewer may not see traces. */
export const explainAnswer = async (db: Reader, viewer: Viewer, id: string): Promise<Explanation | null> => {
  const found = await findAnswer(db, viewer, id)
  if (!found) return null
  const { answer, chatId, userId, userName } = found
  const { metadata, status } = answer
  const own = userId === viewer.userId
  const trace = await getTraceOfMessage(db, viewer, answer.id)
  const spans = trace?.spans ?? []
  const [asked] = answer.questionId
    ? await db.select({ text: messages.text }).from(messages).where(eq(messages.id, answer.questionId))
    : []
  // Of another person's only what the record keeps, masked as it was set down.
  const question = (own ? asked?.text : trace?.question) ?? trace?.question ?? 'The question is not kept any more.'
  const quoted = await db
    .select({ chunkId: citations.chunkId, documentId: citations.documentId, quote: citations.quote })
    .from(citations)
    .where(eq(citations.messageId, answer.id))
  const { read, beside } = foundBy(spans)
  // Without a trace, or in an answer that was kept, what is cited is all that is known to have been read.
  const cited = [...new Map(quoted.map((one) => [one.chunkId, one])).values()]
    .filter(({ chunkId }) => !read.some((one) => one.chunkId === chunkId))
    .map(({ chunkId, documentId }): Found => {
      return { chunkId, documentId, n: null, score: null, lexical: null, vector: null, dropped: null }
    })
  const packed = status === 'no-source' ? [] : read
  const passages = await withTexts(db, viewer, [...packed, ...cited], quoted)
  const near =
    status === 'no-source' ? read.map((one) => ({ ...one, n: null, dropped: 'It does not answer the question.' })) : []
  return {
    messageId: answer.id,
    chatId,
    own,
    askedAt: answer.createdAt.toISOString(),
    question,
    answer: own ? answer.text : null,
    status,
    searched: searchedOf(trace, question, own),
    passages,
    leftOut: leftOutOf(spans, metadata, passages),
    warnings: metadata.warnings ?? [],
    model: metadata.model ?? null,
    route: routeInWords(metadata, status),
    kept: metadata.cache ?? null,
    confidence: metadata.confidence ?? null,
    policyVersion: metadata.policyVersion ?? null,
    reviewer: await decisionOn(db, viewer, answer.id),
    checks: checksOf(spans, metadata),
    full: can(viewer, 'trace.read')
      ? {
          askedBy: { id: userId, name: userName },
          versions: metadata.versions ?? null,
          candidates: await withTexts(db, viewer, [...near, ...beside], []),
          costMicros: metadata.costMicros ?? null,
          tokens: metadata.tokens ?? null,
          trace,
        }
      : null,
  }
}
