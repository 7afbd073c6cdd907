/**
 * The change to another encoder while the present one serves, and the mending of what lacks a vector.
 *
 * Guarantees: until the swap every search uses the old vectors and none compares vectors of two encoders; the swap is one
 * transaction and happens only when no published passage lacks its vector; a build that is killed goes on where it was; one that
 * was given up, or replaced by another choice, changes nothing more. The graph over an encoder's vectors is shared by all
 * workspaces that search with it, and is as the rules of the workspace said whose build was last.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { database } from '#db/client.ts'
import {
  countVectorless,
  deleteUnusedVectors,
  failIndex,
  getBuildingIndex,
  getEmbeddingIndex,
  insertVectors,
  listVectorless,
  rebuildVectorIndex,
  swapIndex,
  updateBuilding,
} from '#db/queries/embedding-indexes.ts'
import { getGatewaySettings } from '#db/queries/gateway-settings.ts'
import { vectorLiteral } from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { EncoderUnavailable, embed, embeddingModel, loadEmbeddingModel, workspaceEncoder } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import { AppError } from '#lib/shared/errors.ts'
import { embeddedText } from './embedded-text.ts'

/** Passages read and embedded at once; written in statements of `writeBatch`, which hold an embedded database's thread shortly. */
const readBatch = 64
const writeBatch = 8
const deleteBatch = 500
const progressMs = 500

type Filling = { workspaceId: string; name: string; model: string; userId?: string; signal: AbortSignal }

/** Gives every published passage a vector of `model`; `onDone` hears how many were made, and ends the work by false. */
const fill = async (
  { workspaceId, name, model, userId, signal }: Filling,
  onDone: (made: number) => Promise<boolean>,
): Promise<boolean> => {
  const { db } = database()
  for (;;) {
    signal.throwIfAborted()
    const missing = await listVectorless(db, { workspaceId, model, limit: readBatch })
    if (missing.length === 0) return true
    const { vectors } = await embed(missing.map(embeddedText), {
      purpose: 'passage',
      model: name,
      workspaceId,
      userId,
      signal,
      feature: 'index',
      collectionIds: missing.map(({ collectionId }) => collectionId),
    })
    const length = vectors.find((vector) => vector !== null)?.length ?? embeddingModel(name, workspaceId).dimensions
    if (!length) throw new EncoderUnavailable(`${name} gave no vectors`)
    // What may go to no provider gets a vector that is like nothing and in no graph: it is found by its words, and not asked for again.
    const made = missing.map((passage, at) => ({
      ...passage,
      vector: vectorLiteral(vectors[at] ?? new Float32Array(length)),
    }))
    for (let from = 0; from < made.length; from += writeBatch) {
      await insertVectors(db, { workspaceId, model }, made.slice(from, from + writeBatch))
      await pause(0)
    }
    if (!(await onDone(made.length))) return false
  }
}

/** Passages that lack a vector of the encoder that is searched get one. Throws `EncoderUnavailable`, to be tried again. */
export const fillIndex = async (workspaceId: string, signal: AbortSignal): Promise<void> => {
  const { db } = database()
  const { name, id: model } = await workspaceEncoder(workspaceId)
  await fill({ workspaceId, name, model, signal }, async () => true)
  // What an encoder of before left; not that of a change that is under way.
  const building = await getBuildingIndex(db, workspaceId)
  const used = [model, ...(building?.model ? [building.model] : [])]
  while ((await deleteUnusedVectors(db, { workspaceId, used, limit: deleteBatch })) > 0) {
    signal.throwIfAborted()
    await pause(0)
  }
  if (database().mode === 'embedded') await analyzeWhenGrown(db)
}

/** Builds the index, from the files of its model to the swap. What lies in the choice is told to the admin; all else throws. */
export const buildIndex = async (
  { indexId, userId }: { indexId: string; userId: string },
  signal: AbortSignal,
): Promise<void> => {
  const { db } = database()
  const index = await getEmbeddingIndex(db, indexId)
  if (index?.state !== 'building') return
  const { workspaceId, name } = index
  let toldAtMs = 0
  const tell = async (changes: Parameters<typeof updateBuilding>[2], certain = false): Promise<boolean> => {
    if (!certain && performance.now() - toldAtMs < progressMs) return true
    toldAtMs = performance.now()
    return updateBuilding(db, indexId, changes)
  }
  try {
    const loaded = await loadEmbeddingModel(name, {
      workspaceId,
      userId,
      signal,
      onProgress: ({ doneBytes, totalBytes }) =>
        void tell({ step: 'fetch', progressDone: doneBytes, progressTotal: totalBytes }).catch(() => undefined),
    })
    const { id: model, dimensions } = loaded
    if (dimensions === null) throw new EncoderUnavailable(`${name} gave no vector`)
    const { settings } = await getGatewaySettings(db, workspaceId)
    await rebuildVectorIndex(database(), { model, dimensions, graph: settings.vectorIndex })
    const { passages, missing } = await countVectorless(db, { workspaceId, model })
    let done = passages - missing
    const counts = () => ({ step: 'embed' as const, progressDone: done, progressTotal: Math.max(passages, done) })
    if (!(await tell({ model, dimensions, ...counts() }, true))) return
    // Documents that became ready meanwhile lack their vectors: once more, until none do.
    for (;;) {
      const goesOn = await fill({ workspaceId, name, model, userId, signal }, async (made) => {
        done += made
        return tell(counts())
      })
      if (!goesOn || !(await tell(counts(), true))) return
      if (await swapIndex(db, { ...index, model })) break
    }
    log.info({ event: 'index.swapped', workspaceId, model, passages: done }, 'another encoder serves')
    await fillIndex(workspaceId, signal)
  } catch (error) {
    if (signal.aborted) throw error
    // What lies in the choice, its provider or its budget is for a person to mend; the rest is tried again.
    if (error instanceof EncoderUnavailable) await failIndex(db, indexId, error.message)
    else if (error instanceof AppError && error.code !== 'internal') await failIndex(db, indexId, error.publicMessage)
    else throw error
  }
}
