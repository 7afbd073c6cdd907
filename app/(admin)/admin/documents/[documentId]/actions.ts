'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import { chunkPreview, findInVersion, passagePage, startChunkPreview } from '#lib/knowledge.ts'
import { chunkPreviewSchema } from '#lib/shared/retrieval-contract.ts'

const version = z.strictObject({ versionId: z.uuid() })

/** It only reads. */
export const loadPassages = action(
  version.extend({ ordinal: z.int().min(0).max(10_000_000) }),
  'document.manage',
  ({ versionId, ordinal }, viewer) => passagePage(viewer, versionId, ordinal),
)

/** It only reads. */
export const findPassages = action(
  version.extend({ words: z.string().max(200) }),
  'document.manage',
  ({ versionId, words }, viewer) => findInVersion(viewer, versionId, words),
)

export const startPreview = action(chunkPreviewSchema, 'document.manage', (wanted, viewer) =>
  startChunkPreview(viewer, wanted),
)

/** It only reads. */
export const previewRun = action(z.strictObject({ runId: z.uuid() }), 'document.manage', ({ runId }, viewer) =>
  chunkPreview(viewer, runId),
)
