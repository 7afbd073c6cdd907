/**
 * A policy held against a question and an answer: topics, confidence, rules. Pure. What it finds is said in words to who asked, with
 * what they can do; the trace names the rule.
 */
import { type AnswerAct, type Policy, type PolicyTopic, policyTopics } from '#lib/shared/policy-contract.ts'
import { topicWords } from '#lib/shared/policy-words.ts'
import { rulesMet } from './answer-rules.ts'
import { topicsOf } from './topics.ts'

export type PolicyFinding = {
  kind: 'topic' | 'rule' | 'confidence'
  /** The topic, the rule's id, or the bound. */
  id: string
  act: Exclude<AnswerAct, 'allow'>
  /** What the asker reads. */
  words: string
}

/** What a person can do instead. */
const nextSteps: Record<PolicyTopic, string> = {
  medical: 'Ask a doctor or the occupational health service.',
  legal: 'Ask the legal department or a lawyer.',
  financial: 'Ask the finance department or a licensed adviser.',
  employment: 'Ask the personnel department.',
  security: 'Ask the security team.',
  'self-harm':
    'If you are in danger, call the emergency number now. A crisis line, a doctor or somebody you trust can help today.',
}

const byTopic = (policy: Policy, text: string, words: (topic: PolicyTopic, act: PolicyFinding['act']) => string) =>
  topicsOf(
    text,
    policyTopics.filter((topic) => policy.topics[topic] !== 'allow'),
  ).flatMap(({ topic }): PolicyFinding[] => {
    const act = policy.topics[topic]
    return act === 'allow' ? [] : [{ kind: 'topic', id: topic, act, words: words(topic, act) }]
  })

const warned = (topic: PolicyTopic): string =>
  `This is about ${topicWords[topic]}: check it before you act on it. ${nextSteps[topic]}`

/** What the policy says of a question, before anything is searched or a model is asked. `texts`: as it was typed, and as it is meant. */
export const judgeQuestion = (policy: Policy, texts: readonly string[]): PolicyFinding[] =>
  byTopic(policy, [...new Set(texts)].join('\n'), (topic, act) =>
    act === 'warn'
      ? warned(topic)
      : `In this workspace questions about ${topicWords[topic]} are not answered here. ${nextSteps[topic]} If your question is about something else, ask it in other words.`,
  )

export type JudgedAnswer = {
  /** As it would be shown, without markers. */
  text: string
  citations: number
  /** 0 to 1; null: nothing is known, as of an answer from before it was measured. */
  confidence: number | null
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

const byConfidence = ({ confidence: bounds }: Policy, confidence: number | null): PolicyFinding[] => {
  if (confidence === null) return []
  const { warnBelow, withholdBelow } = bounds
  if (confidence < withholdBelow)
    return [
      {
        kind: 'confidence',
        id: 'withholdBelow',
        act: 'withhold',
        words: `What was found does not carry an answer well enough (${percent(confidence)} sure, this workspace asks for ${percent(withholdBelow)}). Ask more precisely, or look at the documents themselves.`,
      },
    ]
  return confidence < warnBelow
    ? [
        {
          kind: 'confidence',
          id: 'warnBelow',
          act: 'warn',
          words: `This answer is not well supported (${percent(confidence)} sure). Read the sources before you use it.`,
        },
      ]
    : []
}

/** What the policy says of an answer that has been written. */
export const judgeAnswer = (policy: Policy, { text, citations, confidence }: JudgedAnswer): PolicyFinding[] => [
  ...byTopic(policy, text, (topic, act) =>
    act === 'warn'
      ? warned(topic)
      : `The answer was about ${topicWords[topic]}, which this workspace does not show here. ${nextSteps[topic]}`,
  ),
  ...byConfidence(policy, confidence),
  ...rulesMet(policy.rules, 'answer', { text, citations }).map(
    ({ id, name, act, words }): PolicyFinding => ({
      kind: 'rule',
      id,
      act,
      words:
        words ||
        (act === 'withhold'
          ? `The answer was withheld by a rule of this workspace: ${name}. Ask in another way, or ask an admin about the rule.`
          : `A rule of this workspace marks this answer: ${name}.`),
    }),
  ),
]

/** Whether an answer may turn out to be withheld: then nothing of it is shown before it has been judged as a whole. */
export const mayWithhold = ({ topics, confidence, rules }: Policy): boolean =>
  confidence.withholdBelow > 0 ||
  Object.values(topics).includes('withhold') ||
  rules.some(({ over, act }) => over === 'answer' && act === 'withhold')
