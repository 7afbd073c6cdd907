/**
 * What an encoder's cosine is between texts that have nothing to do with each other: 0 for some, .7 for others, and without it a
 * cosine says little. Asked of the encoder itself, once a process, with a few sentences about unlike things.
 */
import { EncoderUnavailable, embed, type WorkspaceEncoder } from '#lib/gateway/index.ts'

const unlikeSentences = [
  'How do I bake a loaf of rye bread?',
  'The committee adopted the annual budget in March.',
  'Bolts of the front axle are tightened with a torque wrench.',
  'Whales sing to each other across whole oceans.',
  'My password has expired and I cannot sign in.',
  'The treaty ended a war of thirty years.',
]
/** They are sentences of one language all the same, which is this much. */
const alikeAnyway = 0.03

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

type Held = { footnoteUnlike?: Map<string, Promise<number>> }
const held = globalThis as typeof globalThis & Held

const measure = async ({ name }: WorkspaceEncoder, workspaceId: string): Promise<number> => {
  const { vectors } = await embed(unlikeSentences, { purpose: 'query', model: name, workspaceId, feature: 'setup' })
  const known = vectors.filter((vector) => vector !== null)
  const cosines = known.flatMap((a, at) => known.slice(at + 1).map((b) => dot(a, b)))
  const mean = cosines.reduce((sum, one) => sum + one, 0) / Math.max(1, cosines.length)
  return Math.min(0.95, Math.max(0, mean - alikeAnyway))
}

/** 0 while the encoder cannot be asked: a weak passage is then taken for a good one rather than the other way round. */
export const unlikeCosineOf = async (encoder: WorkspaceEncoder, workspaceId: string): Promise<number> => {
  held.footnoteUnlike ??= new Map()
  const known = held.footnoteUnlike
  const key = `${encoder.name} ${encoder.id}`
  const measured = known.get(key) ?? measure(encoder, workspaceId)
  known.set(key, measured)
  try {
    return await measured
  } catch (error) {
    known.delete(key)
    if (!(error instanceof EncoderUnavailable)) throw error
    return 0
  }
}
