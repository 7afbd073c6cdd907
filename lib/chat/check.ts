/** What is found out about an answer: its sentences against their passages, while it is written, and what the policy asks about it. */
import { type KnownBefore, sensitiveKindsIn, topicsOf } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import type { Evidence } from '#lib/rag/index.ts'
import { confidenceFit } from '#lib/review/index.ts'
import type { Citation, MessageMetadata } from '#lib/shared/chat-contract.ts'
import { citationMarker } from '#lib/shared/chat-contract.ts'
import { sensitiveWords } from '#lib/shared/policy-words.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import {
  createMeaning,
  createVerifier,
  type Judge,
  recalibrated,
  type Verification,
  type Verifier,
  verifyAnswer,
} from '#lib/trust/index.ts'
import type { AnswerFacts } from './judge.ts'

/** What begins checks of answers from the evidence; one for each time that a model begins anew. `judge`: a model is asked, too. */
export const openChecks = async (
  viewer: Viewer,
  evidence: Evidence,
  judge: Judge | null = null,
): Promise<() => Verifier> => {
  const meaning = await createMeaning(viewer)
  return () => createVerifier({ question: evidence.question, evidence, meaning, judge })
}

/** A check with its confidence in line with what the workspace's people have decided so far. */
export const inLine = async ({ workspaceId }: Viewer, checked: Verification): Promise<Verification> => {
  if (checked.confidence === null || checked.abstains) return checked
  try {
    return { ...checked, confidence: recalibrated(await confidenceFit(workspaceId), checked.confidence) }
  } catch (error) {
    // Closed: a confidence that nobody can read right is none, and a person looks.
    log.warn({ err: error, workspaceId }, 'confidence could not be brought in line')
    return { ...checked, confidence: null }
  }
}

/** Checks an answer that was given before against the passages that were found for it now. */
export const checkKept = async (
  viewer: Viewer,
  evidence: Evidence,
  kept: { text: string; citations: readonly Citation[] },
): Promise<Verification> =>
  inLine(
    viewer,
    await verifyAnswer({ question: evidence.question, evidence, meaning: await createMeaning(viewer) }, kept),
  )

/** All that the policy wants to know of an answer as it would be shown. */
export const factsOf = (
  question: string,
  known: KnownBefore,
  answer: { text: string; citations: number; approved: boolean },
  { confidence }: Pick<Verification, 'confidence'>,
): AnswerFacts => {
  const text = answer.text.replace(citationMarker, '')
  return {
    ...known,
    text,
    citations: answer.citations,
    approved: answer.approved,
    confidence: answer.approved ? 1 : confidence,
    topics: topicsOf(`${question}\n${text}`).map(({ topic }) => topic),
    personalData: sensitiveKindsIn(text).map((kind) =>
      sensitiveWords[kind].replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()),
    ),
  }
}

export const confidenceOf = ({ confidence, reasons }: Verification): NonNullable<MessageMetadata['confidence']> => ({
  value: confidence === null ? null : Math.round(confidence * 100) / 100,
  reasons,
})
