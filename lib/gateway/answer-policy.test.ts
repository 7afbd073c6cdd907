import { describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { type AnswerRule, type Policy, type PolicyTopic, policySchema } from '#lib/shared/policy-contract.ts'
import { judgeAnswer, judgeQuestion, mayWithhold } from './answer-policy.ts'
import { meetsRule, outputText, patternFault, rulesMet } from './answer-rules.ts'
import { mayRead } from './exposure.ts'
import { topicsOf } from './topics.ts'

const about = (text: string): PolicyTopic[] => topicsOf(text).map(({ topic }) => topic)

describe('topics', () => {
  it.each<[PolicyTopic, string]>([
    ['medical', 'What is the maximum dosage of ibuprofen with high blood pressure?'],
    ['medical', 'Welche Nebenwirkungen hat das Medikament?'],
    ['legal', 'Can I sue my landlord for breach of contract?'],
    ['financial', 'Should I invest in an index fund or buy shares?'],
    ['employment', 'What is my notice period if I am laid off?'],
    ['security', 'Which CVE describes the privilege escalation?'],
    ['self-harm', 'I want to die'],
    ['self-harm', 'je veux mettre fin à mes jours'],
  ])('tells that a question is about %s: %s', (topic, text) => {
    expect(about(text)).toContain(topic)
  })

  it.each([
    'How do I reset the printer?',
    'Which port does the service listen on?',
    'How many days of annual leave are there?',
    'Where is the hospital in Lyon, and who is its manager?',
    'Kill the process and restart it',
    'What does the contract with the caterer cost?',
  ])('leaves alone what has a word in passing: %s', (text) => {
    expect(about(text)).toEqual([])
  })

  it('wants more of a long text, and is not fooled by what nobody sees', () => {
    const long = `${'The machine is cleaned every evening by the crew. '.repeat(60)} Ask a doctor about pain.`
    expect(about(long)).toEqual([])
    expect(about('What d\u200bosa\u200bge of in\u2060sulin?')).toEqual(['medical'])
  })
})

const rule = (test: AnswerRule['test'], rest: Partial<AnswerRule> = {}): AnswerRule => ({
  id: newId(),
  name: 'Rule',
  over: 'answer',
  act: 'warn',
  words: '',
  ...rest,
  test,
})
const on = (text: string, citations = 0) => ({ text, citations })

describe('rules over answers', () => {
  it.each<[AnswerRule['test'], string, string]>([
    [{ kind: 'must-not-match', pattern: '(?i)guarantee' }, 'We Guarantee it.', 'We try.'],
    [{ kind: 'must-match', pattern: 'Source:' }, 'No word.', 'Source: handbook'],
    [{ kind: 'max-characters', characters: 50 }, 'x'.repeat(51), 'x'.repeat(50)],
  ])('%o acts on one text and not on the other', (test, met, unmet) => {
    expect(meetsRule(rule(test), on(met))).toBe(true)
    expect(meetsRule(rule(test), on(unmet))).toBe(false)
  })

  it('counts citations, and holds only against what the rule is over', () => {
    const cites = rule({ kind: 'must-cite', citations: 2 })
    expect(meetsRule(cites, on('text', 1))).toBe(true)
    expect(meetsRule(cites, on('text', 2))).toBe(false)
    const title = rule({ kind: 'must-not-match', pattern: 'secret' }, { over: 'title' })
    expect(rulesMet([title], 'answer', on('secret'))).toEqual([])
    expect(rulesMet([title], 'title', on(outputText({ title: 'a secret', list: [{ n: 1 }] })))).toEqual([title])
  })

  it('takes no longer for a pattern that would never end elsewhere, and says which it cannot read', () => {
    const startedMs = performance.now()
    expect(meetsRule(rule({ kind: 'must-not-match', pattern: '^(a+)+$' }), on(`${'a'.repeat(50_000)}!`))).toBe(false)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(patternFault('(a+)+$')).toBeNull()
    for (const pattern of ['(', '(?=x)', '(a)\\1', '(a{1000}){1000}']) {
      expect(patternFault(pattern)).toContain('cannot be read')
      // Fails closed: stored by whoever, it is met.
      expect(meetsRule(rule({ kind: 'must-match', pattern }), on('x'))).toBe(true)
    }
  })
})

const policy = (over: Partial<Record<keyof Policy, unknown>>): Policy => policySchema.parse(over)

describe('a policy over a question and an answer', () => {
  it('withholds, warns and allows by topic, with a next step', () => {
    const strict = policy({ topics: { medical: 'withhold', legal: 'warn' } })
    expect(judgeQuestion(strict, ['What is the dosage of insulin?'])).toMatchObject([
      { kind: 'topic', id: 'medical', act: 'withhold', words: expect.stringContaining('Ask a doctor') },
    ])
    expect(judgeQuestion(strict, ['Can I sue them in court?'])).toMatchObject([{ id: 'legal', act: 'warn' }])
    expect(judgeQuestion(policy({}), ['What is the dosage of insulin?'])).toEqual([])
    expect(
      judgeAnswer(strict, { text: 'Take 20 mg per day of the antidepressant.', citations: 1, confidence: 1 }),
    ).toMatchObject([{ id: 'medical', act: 'withhold' }])
  })

  it('acts on confidence at its bounds, and not where it is not known', () => {
    const bounds = policy({ confidence: { warnBelow: 0.6, withholdBelow: 0.3 } })
    const at = (confidence: number | null) =>
      judgeAnswer(bounds, { text: 'x', citations: 1, confidence }).map(({ act }) => act)
    expect([0.29, 0.3, 0.59, 0.6, null].map(at)).toEqual([['withhold'], ['warn'], ['warn'], [], []])
  })

  it('tells the asker what the rule says, or its name', () => {
    const pattern = { kind: 'must-not-match', pattern: 'promise' } as const
    const named = judgeAnswer(policy({ rules: [rule(pattern, { name: 'No promises' })] }), {
      text: 'We promise.',
      citations: 1,
      confidence: 1,
    })
    expect(named).toMatchObject([{ kind: 'rule', act: 'warn', words: expect.stringContaining('No promises') }])
    const worded = policy({ rules: [rule(pattern, { words: 'Ask sales.', act: 'withhold' })] })
    expect(judgeAnswer(worded, { text: 'We promise.', citations: 1, confidence: 1 })).toMatchObject([
      { act: 'withhold', words: 'Ask sales.' },
    ])
  })

  it('knows whether an answer may turn out to be withheld', () => {
    const task = rule({ kind: 'must-match', pattern: 'x' }, { over: 'title', act: 'withhold' })
    expect(mayWithhold(policy({ confidence: { warnBelow: 0.9 }, topics: { legal: 'warn' }, rules: [task] }))).toBe(
      false,
    )
    expect(mayWithhold(policy({ confidence: { warnBelow: 0.9, withholdBelow: 0.1 } }))).toBe(true)
    expect(mayWithhold(policy({ topics: { legal: 'withhold' } }))).toBe(true)
    expect(mayWithhold(policy({ rules: [{ ...task, over: 'answer' }] }))).toBe(true)
  })
})

describe('exposure', () => {
  const [open, closed, inside] = ['open', 'closed', 'inside']
  const exposure: Policy['exposure'] = [
    { collectionId: closed, to: [] },
    { collectionId: inside, to: 'local' },
    { collectionId: 'named', to: ['p1', 'p2/big'] },
  ]
  const model = (id: string, modelId: string, over: { local?: boolean; kind?: 'built-in' | 'openai' } = {}) => ({
    key: `${id}/${modelId}`,
    provider: { id, kind: 'openai' as const, local: false, ...over },
  })

  it('lets a model read what every named collection allows it, and nothing where it is not known what is sent', () => {
    const big = model('p2', 'big')
    expect(mayRead(big, exposure, [open])).toBe(true)
    expect(mayRead(big, exposure, ['named'])).toBe(true)
    expect(mayRead(model('p2', 'small'), exposure, ['named'])).toBe(false)
    expect(mayRead(model('p1', 'any'), exposure, ['named'])).toBe(true)
    expect(mayRead(big, exposure, ['named', closed])).toBe(false)
    expect(mayRead(model('p3', 'own', { local: true }), exposure, [inside])).toBe(true)
    expect(mayRead(big, exposure, [inside])).toBe(false)
    expect(mayRead(big, exposure, 'unknown')).toBe(false)
    expect(mayRead(big, [], 'unknown')).toBe(true)
    expect(mayRead(model('built-in', 'quotes', { kind: 'built-in' }), exposure, 'unknown')).toBe(true)
  })
})
