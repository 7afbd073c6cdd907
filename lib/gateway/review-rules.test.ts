import { describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { type ReviewRule, reviewRuleSchema } from '#lib/shared/policy-contract.ts'
import { type AnswerFacts, isSampled, judgeForReview, mayHold } from './review-rules.ts'

const finance = newId()
const facts: AnswerFacts = {
  collectionIds: [finance],
  role: 'member',
  injection: 0,
  topics: [],
  confidence: 0.8,
  personalData: [],
  approved: false,
}
const rule = (when: ReviewRule['when'], act: ReviewRule['act'] = 'hold', words = ''): ReviewRule =>
  reviewRuleSchema.parse({ id: newId(), name: 'A rule', when, act, words })
const judged = (rules: ReviewRule[], change: Partial<AnswerFacts> = {}) =>
  judgeForReview({ rules }, { ...facts, ...change })

describe('the rules of review', () => {
  it('let an answer pass that meets none', () => {
    expect(judged([rule({ topics: ['legal'] }), rule({ confidenceBelow: 0.5 })])).toEqual({ act: 'show', reasons: [] })
  })

  it.each<[string, ReviewRule['when'], Partial<AnswerFacts>, string]>([
    ['its collections', { collectionIds: [finance] }, {}, 'collection'],
    ['its topic', { topics: ['legal', 'medical'] }, { topics: ['medical'] }, 'topic'],
    ['who asks', { roles: ['member'] }, {}, 'role'],
    ['its confidence', { confidenceBelow: 0.81 }, {}, 'confidence'],
    ['personal data in it', { personalData: true }, { personalData: ['e-mail addresses'] }, 'personal-data'],
    ['what reads like an order', { injectionFrom: 0.5 }, { injection: 0.5 }, 'injection'],
    ['nothing at all, where it names nothing', {}, {}, 'rule'],
  ])('hold an answer for %s', (_, when, change, kind) => {
    const { act, reasons } = judged([rule(when)], change)
    expect(act).toBe('hold')
    expect(reasons.map((reason) => reason.kind)).toEqual([kind])
    expect(reasons[0]?.words).toMatch(/\.$/)
  })

  it('hold what a person has approved only for what is in it', () => {
    const approved = { approved: true, topics: ['legal'], personalData: ['e-mail addresses'], injection: 1 } as const
    for (const when of [
      {},
      { collectionIds: [finance] },
      { roles: ['member'] as const },
      { confidenceBelow: 1 },
      { injectionFrom: 0.1 },
    ])
      expect(judged([rule(when as ReviewRule['when'])], approved).act).toBe('show')
    expect(judged([rule({ topics: ['legal'] })], approved).act).toBe('hold')
    expect(judged([rule({ personalData: true })], approved).act).toBe('hold')
  })

  it('ask for all that a rule names', () => {
    const both = rule({ collectionIds: [finance], topics: ['legal'] })
    expect(judged([both]).act).toBe('show')
    expect(judged([both], { topics: ['legal'] }).reasons.map(({ kind }) => kind)).toEqual(['collection', 'topic'])
  })

  it('take the strongest act, with the reasons of the rules that ask for it', () => {
    const rules = [
      rule({}, 'warn'),
      rule({ roles: ['member'] }, 'queue', 'Your first week.'),
      rule({ topics: ['legal'] }),
    ]
    expect(judged(rules)).toMatchObject({ act: 'queue', reasons: [{ kind: 'role', words: 'Your first week.' }] })
    expect(judged(rules, { topics: ['legal'] }).act).toBe('hold')
  })

  it('take an answer that could not be checked for one without confidence', () => {
    expect(judged([rule({ confidenceBelow: 0.1 })], { confidence: null })).toMatchObject({
      act: 'hold',
      reasons: [{ kind: 'unchecked' }],
    })
  })

  it('know before the writing where nothing can be held, so that it may be watched as it comes', () => {
    const known = { collectionIds: [finance], role: 'member' as const, injection: 0 }
    expect(mayHold({ rules: [] }, known)).toBe(false)
    expect(mayHold({ rules: [rule({ topics: ['legal'] })] }, known)).toBe(true)
    expect(mayHold({ rules: [rule({ topics: ['legal'] }, 'queue')] }, known)).toBe(false)
    expect(mayHold({ rules: [rule({ collectionIds: [newId()] })] }, known)).toBe(false)
    expect(mayHold({ rules: [rule({ roles: ['admin'] })] }, known)).toBe(false)
    expect(mayHold({ rules: [rule({ injectionFrom: 0.2 })] }, known)).toBe(false)
    expect(mayHold({ rules: [rule({ injectionFrom: 0.2 })] }, { ...known, injection: 0.2 })).toBe(true)
  })

  it('sample the share that is asked for, the same answer always alike', () => {
    const ids = Array.from({ length: 2_000 }, newId)
    const taken = ids.filter((id) => isSampled(id, 0.25))
    expect(taken.length / ids.length).toBeGreaterThan(0.21)
    expect(taken.length / ids.length).toBeLessThan(0.29)
    expect(ids.filter((id) => isSampled(id, 0.25))).toEqual(taken)
    expect(ids.some((id) => isSampled(id, 0))).toBe(false)
    expect(ids.every((id) => isSampled(id, 1))).toBe(true)
  })
})
