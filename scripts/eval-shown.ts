/**
 * Judged pairs as answers: the claim is the answer, its text the one passage, cited after every sentence that claims something. What
 * the product's own check makes of them is what a person would see.
 */
import type { JudgedPair } from '#lib/evals/citations.ts'
import type { Evidence } from '#lib/rag/index.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { createClaimReader } from '#lib/trust/claims.ts'
import { type Judge, type Meaning, type Verification, verifyAnswer } from '#lib/trust/index.ts'

/** Where nothing claims anything, every sentence cites: a reply that is judged is taken for an answer. */
export const cited = (claim: string): string => {
  const reader = createClaimReader()
  const sentences = [...reader.push(claim), ...reader.end()]
  const claiming = sentences.filter(({ claims }) => claims)
  let [text, from] = ['', 0]
  for (const { end } of claiming.length > 0 ? claiming : sentences) {
    text += `${claim.slice(from, end)} [^1]`
    from = end
  }
  return text + claim.slice(from)
}

const place = {
  n: 1,
  documentId: 'document',
  versionId: 'version',
  chunkId: 'chunk',
  collection: '',
  mediaType: 'text/plain',
  page: null,
  pages: null,
  headingPath: [],
  charStart: 0,
}

export type Checks = { meaning: Meaning | null; judge?: Judge | null }

/** The sets have no questions: the passage is taken for found and the answer for one to what was asked. */
export const verifyPair = (
  { claim, text, around = '' }: Pick<JudgedPair, 'claim' | 'text' | 'around'>,
  checks: Checks,
): Promise<Verification> => {
  const at = { ...place, title: around, charEnd: text.length }
  const passage: Evidence['passages'][number] = {
    ...at,
    collectionId: 'collection',
    pageTo: null,
    context: '',
    text,
    score: 1,
    lexical: null,
    vector: null,
    tokens: 0,
  }
  const citation: Citation = { ...at, ordinal: 1, quote: text, rects: [], claim, supported: true, removed: false }
  const evidence = { passages: [passage], relevance: { near: 1, coverage: 1 } }
  return verifyAnswer({ question: claim, evidence, ...checks }, { text: cited(claim), citations: [citation] })
}
