/** The encoder by which a workspace's answers are compared with what they cite. */
import { embed, embeddingModel, workspaceEncoder } from '#lib/gateway/index.ts'
import { unlikeCosineOf } from '#lib/rag/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Meaning } from './verdict.ts'

/**
 * The workspace's encoder where it is one of ours; where a provider's searches, the built-in one: sentences of answers go to nobody for
 * this, and cost nothing. Null when nothing can be asked: words are compared alone.
 */
export const createMeaning = async ({ workspaceId }: Pick<Viewer, 'workspaceId'>): Promise<Meaning | null> => {
  try {
    const own = await workspaceEncoder(workspaceId)
    const encoder = own.name.includes('/') ? { ...own, ...embeddingModel() } : own
    return {
      // As questions: somebody waits, and passages of a document do not.
      encode: async (texts) => (await embed(texts, { purpose: 'query', model: encoder.name })).vectors,
      unlike: await unlikeCosineOf(encoder, workspaceId),
    }
  } catch {
    // Open: without an encoder the checks go on by words, and say so in `by`.
    return null
  }
}
