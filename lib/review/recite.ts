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
import { findSupport, plainClaim } from '#lib/shared/support.ts'
import { contentWords, sentences } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

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

const nothingCited = 'No source is named for it.'
const saysOtherwise = 'The passage that it cites says something else: a number, a date or a “not” differs.'
const saysLess = 'The passage that it cites does not say so.'

/** A sentence that asserts something; not a heading, a table's bar, a lead-in or a question. */
const asserts = (sentence: string): boolean =>
  !/^[#|]/.test(sentence) && !/[:?]$/.test(sentence) && contentWords(sentence).length >= 2

/** The sentences of a marked text, each with what stands behind it. Offsets are in the text without markers. */
export const claimsOf = (text: string, citations: readonly Citation[], passages: Passages): ReviewClaim[] => {
  const byOrdinal = new Map(citations.map((citation) => [citation.ordinal, citation]))
  const byChunk = new Map(passages.map((passage) => [passage.chunkId, passage]))
  const marks: { at: number; citation: Citation }[] = []
  let plain = ''
  let from = 0
  for (const marker of text.matchAll(citationMarker)) {
    plain += text.slice(from, marker.index)
    from = marker.index + marker[0].length
    const citation = byOrdinal.get(Number(marker[1]))
    if (citation) marks.push({ at: plain.length, citation })
  }
  plain += text.slice(from)

  const spans = sentences(withoutFences(plain))
  return spans.map(({ start, end }, i) => {
    const until = spans[i + 1]?.start ?? Number.POSITIVE_INFINITY
    const own = marks.filter(({ at }) => at > start && at <= until).map(({ citation }) => citation)
    const sentence = plainClaim(plain.slice(start, end))
    const checks = own.map(({ chunkId, quote }) => {
      const passage = byChunk.get(chunkId)
      const around = passage ? [passage.title, ...passage.headingPath, passage.context].join('\n') : ''
      return findSupport(sentence, { text: passage?.text ?? quote, around })
    })
    const claims = own.length > 0 || asserts(plain.slice(start, end).trim())
    const supported = own.some((one) => one.supported)
    return {
      text: sentence,
      start,
      end,
      ordinals: own.map(({ ordinal }) => ordinal),
      claims,
      supported,
      score: Math.max(0, ...checks.map(({ score }) => score)),
      reasons:
        supported || !claims
          ? []
          : [own.length === 0 ? nothingCited : checks.some(({ agrees }) => agrees) ? saysLess : saysOtherwise],
    }
  })
}

/** Pure. `passages` are numbered by the ordinals of `citations`, which are those of the answer before the edit. */
export const reciteWith = (
  { text, citations }: { text: string; citations: readonly Citation[] },
  passages: Passages,
  pages: Pages = [],
): Recited => {
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
  return { text: shown, citations: kept, claims: claimsOf(shown, kept, passages), problems }
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
