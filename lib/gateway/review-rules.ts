/** Which answers meet a person: the policy's rules held against what is known of an answer. Pure. */
import { createHash } from 'node:crypto'
import {
  type PolicyTopic,
  type ReviewAct,
  type ReviewPolicy,
  type ReviewRule,
  reviewActs,
} from '#lib/shared/policy-contract.ts'
import { topicWords } from '#lib/shared/policy-words.ts'
import type { ReviewReason } from '#lib/shared/review-contract.ts'
import type { Role } from '#lib/shared/viewer.ts'

/** What is known before a word is written. */
export type KnownBefore = {
  collectionIds: readonly string[]
  role: Role
  /** The highest score of what reads like an order, in the question or a passage that was read, 0 to 1. */
  injection: number
}

export type AnswerFacts = KnownBefore & {
  topics: readonly PolicyTopic[]
  /** 0 to 1; null: it could not be checked. */
  confidence: number | null
  /** Kinds of personal data and secrets in the answer, in words. */
  personalData: readonly string[]
  /** A person has approved these very words for this question. */
  approved: boolean
}

export type ReviewVerdict = { act: 'show' | ReviewAct; reasons: ReviewReason[] }

const percent = (share: number): string => `${Math.round(share * 100)} %`
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** The conditions that a rule names, each as met, in words, or null where it is not. */
const conditionsOf = ({ when }: ReviewRule, facts: AnswerFacts): (ReviewReason | null)[] => {
  const { collectionIds, topics, roles, confidenceBelow, personalData, injectionFrom } = when
  const found: (ReviewReason | null)[] = []
  if (collectionIds) {
    const met = collectionIds.some((id) => facts.collectionIds.includes(id))
    found.push(met ? { kind: 'collection', words: 'It draws from documents whose answers a person checks.' } : null)
  }
  if (topics) {
    const met = topics.filter((topic) => facts.topics.includes(topic))
    found.push(
      met.length > 0 ? { kind: 'topic', words: `It is about ${listed(met.map((topic) => topicWords[topic]))}.` } : null,
    )
  }
  if (roles)
    found.push(
      roles.includes(facts.role) ? { kind: 'role', words: `Answers to ${facts.role}s are checked by a person.` } : null,
    )
  if (confidenceBelow !== undefined) {
    if (facts.confidence === null)
      found.push({ kind: 'unchecked', words: 'It could not be checked against its sources.' })
    else if (facts.confidence < confidenceBelow)
      // No more than that: what else is known of it may tell what it says.
      found.push({ kind: 'confidence', words: `It is only ${percent(facts.confidence)} sure.` })
    else found.push(null)
  }
  if (personalData)
    found.push(
      facts.personalData.length > 0
        ? { kind: 'personal-data', words: `It holds ${listed(facts.personalData)}.` }
        : null,
    )
  if (injectionFrom !== undefined)
    found.push(
      facts.injection >= injectionFrom
        ? { kind: 'injection', words: 'Something in the question or the documents reads like an order to the model.' }
        : null,
    )
  return found
}

const reasonsOf = (rule: ReviewRule, facts: AnswerFacts): ReviewReason[] | null => {
  const conditions = conditionsOf(rule, facts)
  const met = conditions.filter((one) => one !== null)
  if (met.length < conditions.length) return null
  const own = rule.words ? [{ kind: met[0]?.kind ?? ('rule' as const), words: rule.words }] : met
  return (own.length > 0 ? own : [{ kind: 'rule' as const, words: 'A person checks every answer here.' }]).map(
    (reason) => ({ ...reason, ruleId: rule.id }),
  )
}

const strength = (act: ReviewVerdict['act']): number => (act === 'show' ? -1 : reviewActs.indexOf(act))

/**
 * What a person has approved needs no second one because of where it comes from, who asks, or how sure the checks are. What is in it
 * may be another matter by now: the rules about that hold for it as for any other.
 */
const holdsFor = ({ when }: ReviewRule, { approved }: AnswerFacts): boolean =>
  !approved || when.topics !== undefined || when.personalData !== undefined

/** The strongest act of all rules that are met, with the reasons of the rules that ask for it. */
export const judgeForReview = ({ rules }: Pick<ReviewPolicy, 'rules'>, facts: AnswerFacts): ReviewVerdict => {
  const met = rules
    .filter((rule) => holdsFor(rule, facts))
    .flatMap((rule) => {
      const reasons = reasonsOf(rule, facts)
      return reasons ? [{ act: rule.act, reasons }] : []
    })
  const act = met.reduce<ReviewVerdict['act']>(
    (strongest, one) => (strength(one.act) > strength(strongest) ? one.act : strongest),
    'show',
  )
  return { act, reasons: met.filter((one) => one.act === act).flatMap(({ reasons }) => reasons) }
}

/** Whether a rule could hold the answer, whatever will be written: then nothing of it is shown before it has been judged. */
export const mayHold = ({ rules }: Pick<ReviewPolicy, 'rules'>, known: KnownBefore): boolean =>
  rules.some(
    ({ act, when: { collectionIds, roles, injectionFrom } }) =>
      act === 'hold' &&
      (collectionIds?.some((id) => known.collectionIds.includes(id)) ?? true) &&
      (roles?.includes(known.role) ?? true) &&
      (injectionFrom === undefined || known.injection >= injectionFrom),
  )

/** Whether an answer is among the share taken at random. By its id, so that asking again does not draw again. */
export const isSampled = (messageId: string, share: number): boolean =>
  share > 0 && createHash('sha256').update(messageId).digest().readUInt32BE(0) / 2 ** 32 < share
