import { describe, expect, it } from 'vitest'
import { defaultGatewaySettings } from './gateway-settings.ts'
import { newId } from './ids.ts'
import { type ReviewRule, reviewRuleSchema } from './policy-contract.ts'
import { type Governed, governedOf, governedSchema, rebase } from './policy-draft.ts'
import { diffPolicy, minutesWords, policyLines, reviewRuleWords } from './policy-words.ts'

const usual = governedOf(defaultGatewaySettings)
const [hr, legal] = [newId(), newId()]
const names = { collections: { [hr]: 'People', [legal]: 'Legal' }, models: { p1: 'every model at Acme' } }
const changed = (over: Partial<Governed['policy']>): Governed =>
  governedSchema.parse({ ...usual, policy: { ...usual.policy, ...over } })

const wordsOf = (governed: Governed, key: string): string | undefined =>
  policyLines(governed, names).find((line) => line.key === key)?.words

describe('a policy in sentences', () => {
  it('says every rule, also those that are as they come', () => {
    const lines = policyLines(usual, names)
    expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length)
    for (const { words } of lines) expect(words).toMatch(/^[A-Z“].*\.$/)
    expect(wordsOf(usual, 'features.chat')).toBe('Chat uses every collection that the person may read.')
  })

  it('names collections and models as people do', () => {
    const strict = changed({
      features: { ...usual.policy.features, chat: [hr, legal] },
      exposure: [
        { collectionId: hr, to: ['p1'] },
        { collectionId: legal, to: [] },
      ],
      topics: { ...usual.policy.topics, medical: 'warn' },
    })
    expect(wordsOf(strict, 'features.chat')).toBe('Chat uses only “People” and “Legal”.')
    expect(wordsOf(strict, `exposure.${hr}`)).toBe('What is in “People” is read only by every model at Acme.')
    expect(wordsOf(strict, `exposure.${legal}`)).toContain('is read by no model')
    expect(wordsOf(strict, 'topics.medical')).toBe('Answers about medical matters are shown with a warning.')
  })

  it('tells what differs, once each, and nothing between a policy and itself', () => {
    expect(diffPolicy(usual, usual, names)).toEqual([])
    const rule = {
      id: newId(),
      name: 'No promises',
      over: 'answer',
      test: { kind: 'must-not-match' as const, pattern: 'promise' },
      act: 'warn' as const,
      words: '',
    }
    const before = changed({ rules: [rule] })
    const after = changed({ rules: [{ ...rule, words: 'Ask sales.' }], secondApprover: true })
    expect(diffPolicy(before, after, names).map(({ key }) => key)).toEqual(['secondApprover', `rules.${rule.id}.words`])
    expect(diffPolicy(before, usual, names)).toMatchObject([
      { after: null, before: expect.stringContaining('No promises') },
    ])
  })

  it('sees every field of what drafts govern', () => {
    const leaves = (value: unknown, path: string[] = []): string[][] =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]))
        : [path]
    const other = (value: unknown): unknown =>
      ({ boolean: () => !value, number: () => 0.77, string: () => null, object: () => null })[
        typeof value as 'number'
      ]()
    const swaps: Record<string, unknown> = {
      'policy.exposure': [{ collectionId: hr, to: [] }],
      'policy.rules': [{ id: newId(), name: 'R', test: { kind: 'must-cite', citations: 1 } }],
      'policy.review.rules': [{ id: newId(), name: 'R', when: { topics: ['legal'] } }],
      'policy.review.slaMinutes': 30,
      'policy.review.holdMinutes': 90,
      'policy.review.fallback': 'sources',
      'policy.review.seedShare': 0.05,
      'policy.review.webhookUrl': 'https://hooks.halden.example/a',
      'policy.quietHours': { from: '22:00', to: '06:00', timeZone: 'UTC', jobs: ['graph'] },
      unknownPrice: 'refuse',
      providers: 'local',
    }
    for (const path of leaves(usual)) {
      const name = path.join('.')
      const copy = structuredClone(usual) as unknown as Record<string, unknown>
      const place = path.slice(0, -1).reduce((at, part) => at[part] as Record<string, unknown>, copy)
      const last = path.at(-1) ?? ''
      const value = place[last]
      place[last] =
        swaps[name] ??
        (name.includes('topics.') || name.includes('.acts.')
          ? value === 'allow' && name.includes('topics.')
            ? 'warn'
            : 'block'
          : name.includes('retention.') || name.startsWith('budgets.')
            ? 200
            : name.includes('features.')
              ? []
              : other(value))
      expect(diffPolicy(usual, governedSchema.parse(copy), names), name).toHaveLength(1)
    }
  })
})

describe('what a person looks at, in sentences', () => {
  const rule = (when: ReviewRule['when'], over: Partial<ReviewRule> = {}): ReviewRule =>
    reviewRuleSchema.parse({ id: newId(), name: 'R', when, ...over })
  const reviewed = (over: Partial<Governed['policy']['review']>): Governed =>
    changed({ review: { ...usual.policy.review, ...over } })

  it.each<[ReviewRule, string]>([
    [rule({}, { act: 'hold' }), '“R”: Every answer is held: nothing of it is shown until a person has decided.'],
    [
      rule({ collectionIds: [hr, newId()], topics: ['legal', 'medical'] }, { act: 'warn' }),
      '“R”: An answer that draws from “People” or a collection that is gone and is about legal matters or medical matters is shown with a warning.',
    ],
    [
      rule({ roles: ['member'], confidenceBelow: 0.55, personalData: true, injectionFrom: 0.4 }),
      '“R”: An answer that was asked for by a member, is less than 55 % sure (or could not be checked), holds personal data or secrets and was written over text that tries to give orders (a score of 0.4 or more) is shown, and a person looks at it afterwards.',
    ],
  ])('says all that a rule names: %#', (one, words) => {
    expect(reviewRuleWords(one, names)).toBe(words)
  })

  it('tells of a rule that tells the asker something else, and of another address at the same host, without its key', () => {
    const one = rule({}, { words: 'Old' })
    expect(diffPolicy(reviewed({ rules: [one] }), reviewed({ rules: [{ ...one, words: '' }] }), names)).toEqual([
      {
        key: `review.rules.${one.id}.words`,
        before: '“R” tells the asker: “Old”.',
        after: '“R” tells the asker: what was met.',
      },
    ])
    const [before, after] = ['https://h.example/k-1', 'https://h.example/k-2'].map((webhookUrl) =>
      reviewed({ webhookUrl }),
    )
    const moved = diffPolicy(before ?? usual, after ?? usual, names)
    expect(moved).toMatchObject([{ after: 'When a held answer is decided, another address at h.example is told.' }])
    expect(JSON.stringify([moved, policyLines(after ?? usual, names)])).not.toContain('/k-')
  })

  it('says times in the unit that they fill', () => {
    expect([1, 59, 60, 90, 240, 1_440, 2_880].map(minutesWords)).toEqual([
      '1 minute',
      '59 minutes',
      '1 hour',
      '90 minutes',
      '4 hours',
      '1 day',
      '2 days',
    ])
  })
})

describe('a draft brought onto a newer policy', () => {
  it('keeps what it changed, and takes what others changed', () => {
    const base = {
      a: 1,
      b: { c: 1, d: 1 },
      list: [
        { id: 'x', n: 1 },
        { id: 'y', n: 1 },
      ],
    }
    const mine = {
      a: 1,
      b: { c: 2, d: 1 },
      list: [
        { id: 'x', n: 2 },
        { id: 'y', n: 1 },
        { id: 'mine', n: 1 },
      ],
    }
    const theirs = {
      a: 9,
      b: { c: 1, d: 9 },
      list: [
        { id: 'x', n: 1 },
        { id: 'theirs', n: 1 },
      ],
    }
    expect(rebase(base, mine, theirs)).toEqual({
      a: 9,
      b: { c: 2, d: 9 },
      list: [
        { id: 'x', n: 2 },
        { id: 'theirs', n: 1 },
        { id: 'mine', n: 1 },
      ],
    })
    expect(rebase(base, base, theirs)).toEqual(theirs)
    expect(rebase({ to: 'local' }, { to: ['p'] }, { to: [] })).toEqual({ to: ['p'] })
  })
})
