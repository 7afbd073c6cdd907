/**
 * Reads a version's file once more, in the cage, and cuts it another way: what an admin compares before they change how the whole
 * workspace is cut. Nothing is stored. Pages that are pictures have the words that were recognised before; none are for this.
 */
import { database } from '#db/client.ts'
import { listPassageStarts } from '#db/queries/passages.ts'
import { listRecognisedPages } from '#db/queries/recognition.ts'
import { getVersionFile, type VersionFile } from '#db/reports/documents.ts'
import { embed, workspaceEncoder } from '#lib/gateway/index.ts'
import { ingestFailures } from '#lib/shared/admin-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { assertHandedOut, infectedFile } from '#lib/shared/held-file.ts'
import { type ChunkPreviewInput, type ChunkPreviewResult, previewPassagesMax } from '#lib/shared/knowledge-contract.ts'
import { chunkPreviewSchema } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { blobFilePath, findLockedBlob } from '#lib/storage.ts'
import { type ChunkDraft, chunkDocument } from './chunk/index.ts'
import type { ParsedDocument } from './parse/parsed-document.ts'
import { ParseRefused, parseFile } from './sandbox.ts'

const progressMs = 300

/** What a cutting came to, beside one whose passages begin at `storedStarts`. */
export const previewOf = (
  { strategy, targetTokens }: Pick<ChunkPreviewInput, 'strategy' | 'targetTokens'>,
  drafts: readonly Pick<ChunkDraft, 'start' | 'end' | 'headingPath' | 'context' | 'tokens'>[],
  storedStarts: readonly number[],
): ChunkPreviewResult => {
  const stored = new Set(storedStarts)
  const total = drafts.reduce((sum, { tokens }) => sum + tokens, 0)
  return {
    strategy,
    targetTokens,
    passages: drafts
      .slice(0, previewPassagesMax)
      .map(({ start, end, headingPath, context, tokens }) => ({ start, end, headingPath, context, tokens })),
    figures: {
      passages: drafts.length,
      meanTokens: drafts.length === 0 ? 0 : total / drafts.length,
      maxTokens: drafts.reduce((max, { tokens }) => Math.max(max, tokens), 0),
    },
    sameBorders: drafts.filter(({ start }) => stored.has(start)).length,
  }
}

type PreviewCall = {
  viewer: Viewer
  signal: AbortSignal
  /** Pages read so far; at most every 300 ms. */
  onProgress: (progress: { done: number; total: number }) => Promise<void>
}

const read = async (
  { blobKey, name, contentHash }: VersionFile,
  { viewer: { workspaceId }, signal, onProgress }: PreviewCall,
): Promise<ParsedDocument> => {
  let toldAtMs = performance.now()
  let telling = Promise.resolve()
  const recognised = await listRecognisedPages(database().db, { workspaceId, contentHash })
  try {
    return await parseFile(
      { path: blobFilePath(blobKey), name, recognised },
      {
        signal,
        onProgress: (done, total) => {
          if (performance.now() - toldAtMs < progressMs) return
          toldAtMs = performance.now()
          // Progress that could not be told is told with the next page.
          telling = telling.then(() => onProgress({ done, total })).catch(() => undefined)
        },
      },
    )
  } catch (error) {
    if (!(error instanceof ParseRefused)) throw error
    const { reason, act } = ingestFailures[error.code]
    throw new AppError('bad-request', { message: `${reason}. ${act}`, cause: error })
  } finally {
    await telling
  }
}

/**
 * The cutting that `subject` names, beside the stored one. Throws `not-found` (the version is gone or not the viewer's to read),
 * `bad-request` with words for a person (the file cannot be read), `scan-pending` and `conflict` (the virus scanner has not let it
 * through), the signal's reason when the worker stops.
 */
export const previewChunks = async (subject: unknown, call: PreviewCall): Promise<ChunkPreviewResult> => {
  const wanted = chunkPreviewSchema.safeParse(subject)
  if (!wanted.success) throw new AppError('bad-request', { cause: wanted.error })
  const { versionId, strategy, targetTokens } = wanted.data
  const { db } = database()
  const { viewer, signal } = call
  const file = await getVersionFile(db, viewer, versionId)
  if (!file) throw new AppError('not-found')
  assertHandedOut(file)
  if (await findLockedBlob(file.blobKey)) throw infectedFile()
  const parsed = await read(file, call)
  signal.throwIfAborted()
  const { workspaceId } = viewer
  const drafts = await chunkDocument(parsed, {
    strategy,
    targetTokens,
    embed: async (texts) => {
      const { name: model } = await workspaceEncoder(workspaceId)
      const { vectors } = await embed(texts, { purpose: 'passage', model, workspaceId, signal })
      // What may go to no provider is like nothing.
      return vectors.map((vector) => vector ?? new Float32Array(1))
    },
  })
  return previewOf(wanted.data, drafts, await listPassageStarts(db, viewer, versionId))
}
