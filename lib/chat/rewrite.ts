/** What is searched for: a follow-up is made to stand on its own, by a model where there is one and it answers in time. */
import { maskForRecord, runTask } from '#lib/gateway/index.ts'
import { carriedCollections } from '#lib/shared/chat-contract.ts'
import type { Tracer } from '#lib/trace.ts'
import { conversationContext, historyTokensMax } from './context.ts'
import { standaloneQuestion } from './follow-up.ts'
import type { GenerationWriter } from './generation.ts'
import { questionsOf, type Turn, turnsOf } from './turn.ts'

/** A follow-up is searched as it stands when no model made it clear by then. */
const rewriteMs = 2_500
const rewriteTurns = 6

/** What is searched for: the question, or what makes a follow-up stand on its own, by a model where there is one. */
export const searchable = async (turn: Turn, writer: GenerationWriter, trace: Tracer): Promise<string> => {
  const { question, viewer, chatId, answerId } = turn
  const local = standaloneQuestion(question, questionsOf(turn))
  if (local === question) return question
  const rewrite = trace.open('rewrite', 'rewrite the follow-up')
  const late = AbortSignal.timeout(rewriteMs)
  const searched = await runTask(
    'rewrite',
    { question, history: conversationContext(turnsOf(turn.earlier).slice(-rewriteTurns), historyTokensMax).messages },
    {
      viewer,
      feature: 'chat.rewrite',
      signal: AbortSignal.any([writer.signal, late]),
      collectionIds: carriedCollections(turn.earlier),
      trace,
      chatId,
      messageId: answerId,
    },
  ).then(
    ({ output, model }) => (model === null ? local : output.question),
    (error: unknown) => {
      // A follow-up that no model made clear is still a question.
      writer.signal.throwIfAborted()
      rewrite.set({ error: error instanceof Error ? error.name : 'unknown' })
      return local
    },
  )
  // As the question is set down.
  rewrite.set({ searched: await maskForRecord(searched, viewer) })
  rewrite.end()
  return searched
}
