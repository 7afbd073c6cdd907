'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  deleteGoldenQuestion as deleteStored,
  measureGolden,
  saveGoldenQuestion as saveStored,
} from '#lib/knowledge.ts'
import { explainRetrieval } from '#lib/rag/index.ts'
import { goldenInputSchema, goldenRunSchema } from '#lib/shared/knowledge-contract.ts'
import { retrievalQuestionSchema } from '#lib/shared/retrieval-contract.ts'

/** Every stage of a search; it changes nothing. */
export const explainQuestion = action(retrievalQuestionSchema, 'document.manage', (question, viewer) =>
  explainRetrieval(question, viewer),
)

export const saveGoldenQuestion = action(goldenInputSchema, 'document.manage', (input, viewer) =>
  saveStored(viewer, input),
)

export const deleteGoldenQuestion = action(
  z.strictObject({ id: z.uuid() }),
  'document.manage',
  async ({ id }, viewer) => {
    await deleteStored(viewer, id)
    return null
  },
)

/** A few questions of the golden set at a time, so that whoever waits sees how far it is. */
export const runGoldenQuestions = action(goldenRunSchema, 'document.manage', ({ ids, configuration }, viewer) =>
  measureGolden(viewer, { ids, configuration }, explainRetrieval),
)
