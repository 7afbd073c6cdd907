/**
 * Text to vectors, by a local encoder or a workspace's provider. The same question is encoded once: its intent, the cache and the
 * search all want its vector.
 */
import { AppError } from '#lib/shared/errors.ts'
import { createMemo, type Memo } from '#lib/shared/memo.ts'
import { encode, encoderFault, fetchLocalEncoder, loadedEncoder } from './local/encoder.ts'
import {
  builtInEncoder,
  defaultVectorWeight,
  type EmbedPurpose,
  type EncoderModel,
  EncoderUnavailable,
  knownEncoder,
} from './local/encoder-model.ts'
import type { FetchProgress } from './local/model-store.ts'
import { embedByProvider, isProviderModel, learnedDimensions, type ProviderEmbedCall } from './provider-embedding.ts'

export { listEncoders } from './local/encoder.ts'
export { EncoderUnavailable } from './local/encoder-model.ts'

/**
 * `model`: the name of a local encoder, the built-in one when left out, or `PROVIDER/MODEL`, which needs a workspace whose provider
 * it is.
 */
export type EmbedCall = { purpose: EmbedPurpose; model?: string | undefined; signal?: AbortSignal | undefined }
export type WorkspaceEmbedCall = EmbedCall & Omit<ProviderEmbedCall, 'model'>

type Embedded<Vector> = { model: string; vectors: Vector[] }

export type Embed = {
  (texts: readonly string[], call: EmbedCall & { workspaceId?: undefined }): Promise<Embedded<Float32Array>>
  (texts: readonly string[], call: WorkspaceEmbedCall): Promise<Embedded<Float32Array | null>>
}

const questionsMax = 500
const questionTtlMs = 600_000

type Held = { footnoteQuestionVectors?: Memo<Embedded<Float32Array | null>> }
const held = globalThis as typeof globalThis & Held
const questions = (): Memo<Embedded<Float32Array | null>> => {
  held.footnoteQuestionVectors ??= createMemo({ entriesMax: questionsMax, ttlMs: questionTtlMs })
  return held.footnoteQuestionVectors
}

type AnyCall = Omit<WorkspaceEmbedCall, 'workspaceId'> & { workspaceId?: string | undefined }

const embedLocally = async (texts: readonly string[], call: AnyCall): Promise<Embedded<Float32Array>> => {
  const { model, vectors } = await encode(texts, call)
  return { model: model.id, vectors }
}

const embedRemotely = async (
  texts: readonly string[],
  { workspaceId, ...call }: AnyCall & { model: string },
): Promise<Embedded<Float32Array | null>> => {
  if (workspaceId === undefined)
    throw new AppError('internal', { context: { reason: 'a provider embeds for a workspace', model: call.model } })
  try {
    return { model: call.model, vectors: await embedByProvider(texts, { ...call, workspaceId }) }
  } catch (error) {
    // A question is searched by its words then; what is stored is tried again by whoever stores it.
    if (call.purpose === 'passage' || !(error instanceof AppError)) throw error
    throw new EncoderUnavailable(`${call.model}: ${error.publicMessage}`, { cause: error })
  }
}

const embedAny = async (texts: readonly string[], call: AnyCall): Promise<Embedded<Float32Array | null>> => {
  const { purpose, model: name = builtInEncoder.name } = call
  const [only] = texts
  if (only === undefined) return { model: embeddingModel(name).id, vectors: [] }
  const make = (made: AnyCall): Promise<Embedded<Float32Array | null>> =>
    isProviderModel(name) ? embedRemotely(texts, { ...made, model: name }) : embedLocally(texts, made)
  if (purpose === 'passage' || texts.length > 1) return make(call)
  // Shared by all who ask the same, so one caller's signal must not end it for the others.
  const whose = isProviderModel(name) ? call.workspaceId : ''
  return questions().get(JSON.stringify([whose, name, only]), () => make({ ...call, signal: undefined }))
}

/**
 * Unit vectors of `texts` in their order, with the id of the model that made them. For a workspace a vector may be null: its text
 * holds what may go to no provider, and is found by its words. Throws `EncoderUnavailable` when there is no encoder, for a question
 * also when its provider does not answer or is not to be paid; for passages what `embedByProvider` throws.
 */
// Only a provider withholds anything, and only a call for a workspace reaches one.
export const embed = embedAny as Embed

export type EmbeddingModel = Pick<EncoderModel, 'name' | 'id' | 'dimensions' | 'vectorWeight' | 'languages'>

/**
 * An encoder as far as it is known without loading it. Before this process has used it a local one's id is its bare name, which no
 * vector carries, and dimensions are 0: what `embed` gave is what counts.
 */
export const embeddingModel = (name: string = builtInEncoder.name, workspaceId = ''): EmbeddingModel => {
  const loaded = name === builtInEncoder.name ? builtInEncoder : loadedEncoder(name)
  if (loaded) {
    const { id, dimensions, vectorWeight, languages } = loaded
    return { name, id, dimensions, vectorWeight, languages }
  }
  const { vectorWeight = defaultVectorWeight, languages = null } = knownEncoder(name) ?? {}
  return { name, id: name, dimensions: learnedDimensions(workspaceId, name) ?? 0, vectorWeight, languages }
}

type LoadCall = Pick<AnyCall, 'workspaceId' | 'userId' | 'signal'> & {
  /** Told while a model's files come from a hub. */
  onProgress?: ((progress: FetchProgress) => void) | undefined
}

/**
 * The encoder, its files brought here where they are not, and tried with one word: now its id and dimensions are known. A fetch that
 * was broken off goes on where it was. Throws as `embed` does for a passage; `EncoderUnavailable` has words for an admin.
 */
export const loadEmbeddingModel = async (
  name: string,
  { workspaceId, userId, signal, onProgress }: LoadCall = {},
): Promise<EmbeddingModel> => {
  if (!isProviderModel(name)) await fetchLocalEncoder(name, { signal, onProgress })
  await embedAny(['ready'], {
    purpose: 'passage',
    model: name,
    workspaceId,
    userId,
    signal,
    feature: 'setup',
    collectionIds: 'none',
  })
  return embeddingModel(name, workspaceId)
}

type EncoderHealth = { ok: boolean; model: string; detail: string }

/** Whether the built-in encoder works, tried with one word. */
export const encoderHealth = async (): Promise<EncoderHealth> => {
  const works =
    encoderFault() === null &&
    (await encode(['health'], { purpose: 'query' }).then(
      () => true,
      () => false,
    ))
  return {
    ok: works,
    model: builtInEncoder.id,
    detail: works ? builtInEncoder.id : `${encoderFault() ?? 'does not answer'}; answers come from words alone`,
  }
}
