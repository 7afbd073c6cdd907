/** Text to vectors. The same question is encoded once: its intent, the cache and the search all want its vector. */

import { createMemo, type Memo } from '#lib/shared/memo.ts'
import { builtInEncoderId, type EmbedPurpose, encode, encoderFault } from './local/encoder.ts'

export { EncoderUnavailable } from './local/encoder.ts'

export type EmbedCall = { purpose: EmbedPurpose; signal?: AbortSignal }

const questionsMax = 500
const questionTtlMs = 600_000

type Held = { footnoteQuestionVectors?: Memo<Float32Array[]> }
const held = globalThis as typeof globalThis & Held
const questions = (): Memo<Float32Array[]> => {
  held.footnoteQuestionVectors ??= createMemo({ entriesMax: questionsMax, ttlMs: questionTtlMs })
  return held.footnoteQuestionVectors
}

/** Unit vectors of `texts` with the id of the model that made them. Throws `EncoderUnavailable`. */
export const embed = async (
  texts: readonly string[],
  { purpose, signal }: EmbedCall,
): Promise<{ model: string; vectors: Float32Array[] }> => {
  const [only] = texts
  if (only === undefined) return { model: builtInEncoderId, vectors: [] }
  const single = purpose === 'query' && texts.length === 1
  return {
    model: builtInEncoderId,
    // Shared by all who ask the same, so one caller's signal must not end it for the others.
    vectors: single
      ? await questions().get(`${builtInEncoderId} ${only}`, () => encode([only], purpose))
      : await encode(texts, purpose, signal),
  }
}

/** The encoder whose vectors are searched and stored. */
export const embeddingModel = (): { id: string } => ({ id: builtInEncoderId })

type EncoderHealth = { ok: boolean; model: string; detail: string }

/** Whether the encoder works, tried with one word. */
export const encoderHealth = async (): Promise<EncoderHealth> => {
  const works =
    encoderFault() === null &&
    (await encode(['health'], 'query').then(
      () => true,
      () => false,
    ))
  return {
    ok: works,
    model: builtInEncoderId,
    detail: works ? builtInEncoderId : `${encoderFault() ?? 'does not answer'}; answers come from words alone`,
  }
}
