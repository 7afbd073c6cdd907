/** The workspace's policy over one turn: what it says of the question and of the answer, for the asker in words and for the trace by rule. */
import { type JudgedAnswer, judgeAnswer, judgeQuestion, mayWithhold, type PolicyFinding } from '#lib/gateway/index.ts'
import type { Policy } from '#lib/shared/policy-contract.ts'
import type { Tracer } from '#lib/trace.ts'

export type TurnJudge = {
  /** An answer may turn out to be withheld: nothing of it is shown before it has been judged. */
  holds: boolean
  /** Why the question is not answered, in words; none: it is. */
  question(texts: readonly string[]): string[]
  /** Why the answer is not shown, in words; none: it is. */
  answer(answer: JudgedAnswer): string[]
  /** What is shown above the answer, of the question and of the answer. */
  warnings(): string[]
}

export const openJudge = (policy: Policy, trace: Tracer): TurnJudge => {
  const warnings = new Set<string>()
  const take = (of: string, findings: PolicyFinding[]): string[] => {
    const withheld = findings.filter(({ act }) => act === 'withhold')
    for (const { act, words } of findings) if (act === 'warn') warnings.add(words)
    if (findings.length > 0) {
      const span = trace.open(
        'policy',
        `policy: ${withheld.length > 0 ? `the ${of} is withheld` : `a warning on the ${of}`}`,
      )
      span.set({ of, findings: findings.map(({ kind, id, act }) => ({ kind, id, act })) })
      span.end(withheld.length > 0 ? 'refused' : 'ok')
    }
    return [...new Set(withheld.map(({ words }) => words))]
  }
  return {
    holds: mayWithhold(policy),
    question: (texts) => take('question', judgeQuestion(policy, texts)),
    answer: (answer) => take('answer', judgeAnswer(policy, answer)),
    warnings: () => [...warnings],
  }
}
