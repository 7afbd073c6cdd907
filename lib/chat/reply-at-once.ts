/** What is answered without documents and without a model. */
import { answererOf, deterministicReply, messageIntent, usageOf } from '#lib/gateway/index.ts'
import type { Tracer } from '#lib/trace.ts'
import { describeKnowledge } from './knowledge.ts'
import type { Turn } from './turn.ts'

/** Small talk, and questions about the product itself, need no documents and no model. Only what is certain is taken for it. */
export const replyAtOnce = async (
  { viewer, question }: Turn,
  trace: Tracer,
): Promise<{ intent: string; text: string } | null> => {
  const span = trace.open('intent')
  const { intent, confidence } = await messageIntent(question)
  span.label(`intent: ${intent}`)
  span.set({ intent, confidence })
  span.end()
  if (intent === 'knowledge') return null
  const [{ collections, suggestions }, { id, kind }, usage] = await Promise.all([
    describeKnowledge(viewer),
    answererOf(viewer),
    intent === 'my-usage' ? usageOf(viewer) : null,
  ])
  const text = deterministicReply(intent, {
    modelName: kind === 'built-in' ? 'the built-in answerer, which quotes and does not write,' : id,
    collections: collections.map(({ name }) => name),
    examples: suggestions,
    email: viewer.email,
    usage,
  })
  return text === null ? null : { intent, text }
}
