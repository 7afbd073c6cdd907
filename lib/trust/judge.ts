/** A model's verdict on a sentence and its source, where a workspace has one give it. */
import { runTask } from '#lib/gateway/index.ts'
import type { Judge } from './verdict.ts'

/** The judge of one answer: `call` says who asks, for which answer, and whose text the passages carry. */
export const createJudge =
  (call: Parameters<typeof runTask<'judge'>>[2]): Judge =>
  async (pair) => {
    const { output, model } = await runTask('judge', pair, call)
    // What is done without a model is our own check once more, and no second opinion.
    return model === null ? null : output
  }
