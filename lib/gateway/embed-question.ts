/** The vector of a question, by the built-in encoder. */
import type { Embedded } from './cache.ts'
import { embed } from './embedding.ts'

/** Throws `EncoderUnavailable`. */
export const embedQuestion = async (question: string): Promise<Embedded> => {
  const { model, vectors } = await embed([question], { purpose: 'query' })
  const [vector] = vectors
  if (!vector) throw new Error('a text without a vector')
  return { vector, model }
}
