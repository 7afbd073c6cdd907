/**
 * The only way to a model: a language model that answers, and an encoder that turns text into vectors.
 *
 * Guarantees: which model is used is a matter of settings; no bare model name reaches a hosted default; an encoder that cannot
 * be used throws `EncoderUnavailable` and everything else goes on. It does not decide what is asked or what may be sent.
 */
import { env } from '#lib/env.ts'
import type { TokenUsage } from './cost.ts'
import { builtInEncoderId, closeEncoder, type EmbedPurpose, encode, encoderFault } from './local/encoder.ts'

import { type AnswerModel, createAnswerModel } from './models.ts'

export { EncoderUnavailable } from './local/encoder.ts'
export { toModelError } from './model-error.ts'

export type EmbedCall = { purpose: EmbedPurpose; signal?: AbortSignal }

/** Unit vectors of `texts` with the id of the model that made them. Throws `EncoderUnavailable`. */
export const embed = async (
  texts: readonly string[],
  { purpose, signal }: EmbedCall,
): Promise<{ model: string; vectors: Float32Array[] }> => ({
  model: builtInEncoderId,
  vectors: texts.length === 0 ? [] : await encode(texts, purpose, signal),
})

/** The encoder whose vectors are searched and stored. */
export const embeddingModel = (): { id: string } => ({ id: builtInEncoderId })

export type EncoderHealth = { ok: boolean; model: string; detail: string }

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

/** Loads the encoder before the first question needs it. Never throws: a missing encoder is for `encoderHealth` to tell. */
export const warmGateway = async (): Promise<void> => {
  await encoderHealth()
}

export const closeGateway = (): Promise<void> => closeEncoder()

let answering: AnswerModel | undefined

/** The model that answers, as the settings name it. Callers set `maxRetries: 0` and bound the call's time. */
export const answerModel = (): AnswerModel => {
  answering ??= createAnswerModel(env(), embed)
  return answering
}

/** What a call to the answering model cost, in micro-dollars; null when its price is not known, 0 for the built-in one. */
export const costMicros = (modelId: string, usage: TokenUsage): number | null => answerModel().price(modelId, usage)
