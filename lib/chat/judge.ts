/** The workspace's policy over one turn: what it says of the question and of the answer, for the asker in words and for the trace by rule. */
import {
  type JudgedAnswer,
  judgeAnswer,
  judgeForReview,
  judgeQuestion,
  type KnownBefore,
  mayHold,
  mayWithhold,
  type PolicyFinding,
  type AnswerFacts as ReviewFacts,
} from '#lib/gateway/index.ts'
import type { Policy } from '#lib/shared/policy-contract.ts'
import type { ReviewReason } from '#lib/shared/review-contract.ts'
import type { Tracer } from '#lib/trace.ts'

export type AnswerFacts = ReviewFacts & JudgedAnswer

export type AnswerJudgement =
  /** Why the answer is not shown, in words: nobody needs to look. */
  | { act: 'withhold'; words: string[] }
  /** A person looks at it, before it is shown or after. */
  | { act: 'hold' | 'queue'; reasons: ReviewReason[] }
  | { act: 'show' }

export type TurnJudge = {
  policy: Policy
  /** An answer may turn out not to be shown: nothing of it is seen before it has been judged. */
  hides(known: KnownBefore): boolean
  /** Why the question is not answered, in words; none: it is. */
  question(texts: readonly string[]): string[]
  answer(facts: AnswerFacts): AnswerJudgement
  /** What is shown above the answer, of the question and of the answer. */
  warnings(): string[]
}

const readsLikeAnOrder: ReviewReason = {
  kind: 'injection',
  words: 'Something in the question or the documents reads like an order to the model.',
}

/** `flagFrom`: the score from which text counts as an order; what was written over one is always looked at by a person. */
export const openJudge = (policy: Policy, { flagFrom }: { flagFrom: number }, trace: Tracer): TurnJudge => {
  const warnings = new Set<string>()
  const note = (label: string, set: Record<string, unknown>, refused: boolean): void => {
    const span = trace.open('policy', `policy: ${label}`)
    span.set(set)
    span.end(refused ? 'refused' : 'ok')
  }
  const take = (of: string, findings: PolicyFinding[]): string[] => {
    const withheld = findings.filter(({ act }) => act === 'withhold')
    for (const { act, words } of findings) if (act === 'warn') warnings.add(words)
    if (findings.length > 0)
      note(
        withheld.length > 0 ? `the ${of} is withheld` : `a warning on the ${of}`,
        { of, findings: findings.map(({ kind, id, act }) => ({ kind, id, act })) },
        withheld.length > 0,
      )
    return [...new Set(withheld.map(({ words }) => words))]
  }
  return {
    policy,
    hides: (known) => mayWithhold(policy) || mayHold(policy.review, known),
    question: (texts) => take('question', judgeQuestion(policy, texts)),
    answer: (facts) => {
      // What could not be checked is as good as unsupported: it fails to a refusal or to a person, never to a show.
      const words = take('answer', judgeAnswer(policy, { ...facts, confidence: facts.confidence ?? 0 }))
      if (words.length > 0) return { act: 'withhold', words }
      const { act, reasons } = judgeForReview(policy.review, facts)
      // No order can have shaped what was approved.
      const flagged = !facts.approved && facts.injection > 0 && facts.injection >= flagFrom
      if (flagged) warnings.add(`${readsLikeAnOrder.words} Check the answer against its sources.`)
      if (act === 'warn') for (const reason of reasons) warnings.add(`Check this before you use it. ${reason.words}`)
      const looked = act === 'hold' || act === 'queue' ? act : flagged ? 'queue' : 'show'
      if (looked === 'show') return { act: 'show' }
      const because = act === 'hold' || act === 'queue' ? reasons : [readsLikeAnOrder]
      note(
        looked === 'hold' ? 'the answer is held for a person' : 'a person looks at the answer',
        {
          of: 'answer',
          act: looked,
          reasons: because.map(({ kind, ruleId }) => ({ kind, ...(ruleId ? { ruleId } : {}) })),
        },
        looked === 'hold',
      )
      return { act: looked, reasons: because }
    },
    warnings: () => [...warnings],
  }
}
