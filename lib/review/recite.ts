/**
 * An edited answer, cited again: what a person typed is cleaned by the citer like what a model wrote, so that no image, no link and no
 * marker without a citation gets through, and each sentence is held against the passage that its citation names.
 */
import type { Executor } from '#db/client.ts'
import { listPageBoxes } from '#db/queries/chats.ts'
import { type CitedPassage, listCitedPassages } from '#db/queries/reviews.ts'
import { createCiter } from '#lib/rag/index.ts'
import { type Citation, citationMarker } from '#lib/shared/chat-contract.ts'
import type { ReviewClaim, ReviewContent } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { verifyAnswer } from '#lib/trust/index.ts'
import { claimsFrom } from './open.ts'

export type Recited = {
  text: string
  citations: Citation[]
  claims: ReviewClaim[]
  /** What has to be mended first, in words. */
  problems: string[]
}

type Passages = Parameters<typeof createCiter>[0]['passages']
type Pages = Parameters<typeof createCiter>[1]

/** Fenced code as blanks of the same length: nothing in it is a claim or a marker. */
const withoutFences = (text: string): string =>
  text.replace(/^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}\1)[^\n]*)*(?:\n {0,3}\1[^\n]*|$)/gm, (code) =>
    code.replace(/[^\n]/g, ' '),
  )

/** What would be read as a marker and names no citation, in words. */
const markerFaults = (text: string, known: ReadonlySet<number>): string[] => {
  const prose = withoutFences(text).replace(/(`+)[^`\n]*\1/g, ' ')
  const faults = new Set<string>()
  for (const [marker, inside = ''] of prose.matchAll(/\[\^([^\]\n]{0,20})\]/g))
    if (!/^\d{1,3}$/.test(inside) || !known.has(Number(inside)))
      faults.add(`${marker} names no source of this answer. Take it out, or use a marker that was there.`)
  for (const [marker] of prose.matchAll(
    /\[\s*(?:sources?\s*|passages?\s*)?\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*\s*\]|【[^】\n]{0,40}】/gi,
  ))
    faults.add(`${marker} would be read as a marker. Write [^1] to cite, or take the brackets away.`)
  return [...faults]
}

/** Nothing was searched for it: the text stands for itself. */
const noSearch = { near: null, coverage: 1, answerable: 1 }

/** The sentences of a marked text, each with what stands behind it, by words alone: a reviewer waits for it. */
export const claimsOf = async (
  text: string,
  citations: readonly Citation[],
  passages: Passages,
): Promise<ReviewClaim[]> =>
  claimsFrom(await verifyAnswer({ question: '', evidence: { passages, relevance: noSearch } }, { text, citations }))

/** `passages` are numbered by the ordinals of `citations`, which are those of the answer before the edit. */
export const reciteWith = async (
  { text, citations }: { text: string; citations: readonly Citation[] },
  passages: Passages,
  pages: Pages = [],
): Promise<Recited> => {
  const problems = markerFaults(text, new Set(citations.map(({ ordinal }) => ordinal)))
  const citer = createCiter({ passages }, pages)
  const events = [...citer.push(text.normalize('NFC').trim()), ...citer.end()]
  const shown = events
    .map((event) => (event.type === 'text' ? event.text : ''))
    .join('')
    .trim()
  const cited = events.flatMap((event) => (event.type === 'citation' ? [event.citation] : []))
  if (citer.summary().removedMarkers > 0 && problems.length === 0)
    problems.push('A marker in the text names no source of this answer. Take it out.')
  if (!shown.replace(citationMarker, '').trim()) problems.push('Nothing is left of the answer. Reject it instead.')
  // Where the same words are quoted as before, what was known of their place stays.
  const kept = cited.map((one) => {
    const same = citations.find(
      (before) =>
        before.chunkId === one.chunkId && before.charStart === one.charStart && before.charEnd === one.charEnd,
    )
    return same ? { ...one, page: same.page, rects: same.rects } : one
  })
  return { text: shown, citations: kept, claims: await claimsOf(shown, kept, passages), problems }
}

/** The passages behind the citations of an answer, under their ordinals. One that is gone leaves the words that were quoted. */
export const passagesOf = (citations: readonly Citation[], found: readonly CitedPassage[]): Passages => {
  const byChunk = new Map(found.map((passage) => [passage.chunkId, passage]))
  return citations.map((citation) => {
    const { ordinal, quote, charStart, charEnd, headingPath, page } = citation
    const passage = byChunk.get(citation.chunkId) ?? {
      text: quote,
      context: '',
      headingPath,
      charStart,
      charEnd,
      pageFrom: page,
      pageTo: page,
    }
    return {
      n: ordinal,
      chunkId: citation.chunkId,
      documentId: citation.documentId,
      versionId: citation.versionId,
      title: citation.title,
      collectionId: '',
      collection: citation.collection,
      mediaType: citation.mediaType,
      page: passage.pageFrom,
      pageTo: passage.pageTo,
      pages: citation.pages,
      headingPath: passage.headingPath,
      context: passage.context,
      text: passage.text,
      charStart: passage.charStart,
      charEnd: passage.charEnd,
      score: 0,
      lexical: null,
      vector: null,
      tokens: 0,
    }
  })
}

/** A passage runs over two pages, hardly over three. */
const pagesMax = 3

const pagesOf = (passages: Passages): { versionId: string; page: number }[] =>
  passages.flatMap(({ versionId, page, pageTo }) =>
    page === null
      ? []
      : Array.from({ length: Math.min(pagesMax, (pageTo ?? page) - page + 1) }, (_, i) => ({
          versionId,
          page: page + i,
        })),
  )

/** Cites an edited answer again, by the passages as the reviewer may read them now. */
export const recite = async (
  db: Executor,
  viewer: Viewer,
  { citations }: Pick<ReviewContent, 'citations'>,
  text: string,
): Promise<Recited> => {
  const passages = passagesOf(citations, await listCitedPassages(db, viewer, citations))
  return reciteWith({ text, citations }, passages, await listPageBoxes(db, viewer, pagesOf(passages)))
}
