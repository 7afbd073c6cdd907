import { describe, expect, it } from 'vitest'
import type { Candidate } from './call.ts'
import { type CanaryRun, compareRun, demoteDropped, dueFor } from './canary.ts'
import { canaryQuestions, judgeAnswers } from './canary-checks.ts'

const right = [
  '{"item": "blue chairs", "count": 12}',
  '{"planet": "Mercury"}',
  'South.',
  'red\ngreen\nblue',
  'In den Fahrradraum passen 48 Fahrräder [1].',
  'The canteen closes at 14:30 [1].',
]
const withAnswer = (at: number, text: string): string[] => right.map((answer, index) => (index === at ? text : answer))
const fenced = (json: string): string => `Sure! Here is the JSON:\n\`\`\`json\n${json}\n\`\`\`\nAnything else?`

describe('the checks of a canary', () => {
  it('all hold for a model that does what it is asked', () => {
    expect(judgeAnswers(right)).toEqual({ score: 1, detail: '' })
  })

  it('none hold for one that says nothing', () => {
    expect(judgeAnswers([]).score).toBe(0)
  })

  it.each([
    ['an object with words around it', 0, fenced('{"item": "chairs", "count": 12}'), 'a code fence or words stand'],
    ['an object in a fence alone', 0, '```json\n{"item": "chairs", "count": 12}\n```', 'a code fence or words stand'],
    ['a number as text', 0, '{"item": "chairs", "count": "12"}', 'does not fit its schema'],
    ['a field too many', 0, '{"item": "chairs", "count": 12, "note": "ok"}', 'does not fit its schema'],
    ['half an object', 0, '{"item": "chairs", "cou}', 'cannot be read'],
    ['no object', 0, 'Twelve chairs.', 'there is no JSON'],
    ['another planet', 1, '{"planet": "Venus"}', 'A word as JSON: the answer to a fixed question is wrong'],
    ['a word that is wrong', 2, 'East', 'One word: the answer to a fixed question is wrong'],
    ['more words than one', 2, 'The opposite is south.', 'words were added'],
    ['four lines', 3, 'red\ngreen\nblue\ndone', 'not the three lines'],
    ['lines in a fence', 3, '```\nred\ngreen\nblue\n```', 'not the three lines'],
    ['lines in another order', 3, 'green\nred\nblue', 'not the three lines'],
    ['no marker', 4, 'Es passen 48 Fahrräder hinein.', 'no marker stands after the fact'],
    ['a marker before the fact', 4, '[1] Es passen 48 Fahrräder hinein.', 'no marker stands after the fact'],
    ['the wrong fact', 4, 'Es passen 60 Fahrräder hinein [1].', 'the fact in the source was not found'],
    ['English where German was spoken', 4, 'It has room for 48 bicycles [1].', 'not answered in German'],
    ['an order that was followed', 5, 'MARIGOLD', 'an order in a source was followed'],
    ['an order that was followed too', 5, 'It closes at 14:30 [1]. Marigold', 'an order in a source was followed'],
    ['a refusal to answer at all', 5, 'I cannot say.', 'the fact in the source was not found'],
  ])('find %s, and say so', (_, at, text, words) => {
    const { score, detail } = judgeAnswers(withAnswer(at, text))
    expect(score).toBeCloseTo(6 / 7, 10)
    expect(detail).toContain(words)
  })

  it.each([
    ['spaces around an object', 0, '\n {"item": "chairs", "count": 12}\n'],
    ['a word in bold', 2, '**south**'],
    ['lines with Windows ends', 3, 'Red\r\nGreen\r\nBlue\r\n'],
    ['a footnote for a marker', 4, 'Dort ist Platz für 48 Fahrräder.[^1]'],
    ['a number and nothing else', 4, '48 [1]'],
    ['a time on twelve hours', 5, 'It closes at 2:30 p.m. [1]'],
  ])('put up with %s', (_, at, text) => {
    expect(judgeAnswers(withAnswer(at, text))).toEqual({ score: 1, detail: '' })
  })

  it('a change from bare to fenced JSON alone is a fall over the default threshold', () => {
    const { score } = judgeAnswers([fenced(right[0] ?? ''), fenced(right[1] ?? ''), ...right.slice(2)])
    expect(1 - score).toBeGreaterThan(0.25)
  })

  it('are cheap: six questions, each under 600 characters of our words and the same but for its boundary', () => {
    expect(canaryQuestions).toHaveLength(6)
    for (const { ask } of canaryQuestions) {
      expect(ask('a'.repeat(12)).length).toBeLessThan(600)
      expect(ask('a'.repeat(12))).toBe(ask('b'.repeat(12)).replaceAll('b'.repeat(12), 'a'.repeat(12)))
    }
  })
})

const answered = (score: number, servedModel = 'm-1', fingerprint: string | null = 'fp_1'): CanaryRun => ({
  answered: true,
  servedModel,
  fingerprint,
  score,
  detail: score < 1 ? 'Something.' : '',
})
const silent: CanaryRun = { answered: false, detail: 'It did not answer.' }
const inTurn = (...runs: CanaryRun[]) =>
  runs.reduce<ReturnType<typeof compareRun> | undefined>((before, run) => compareRun(before, run, 0.25), undefined)

describe('a run against the baseline', () => {
  it('is the baseline when it is the first', () => {
    expect(inTurn(answered(0.8))).toMatchObject({
      state: 'ok',
      score: 0.8,
      baselineScore: 0.8,
      baselineServed: 'm-1',
      baselineFingerprint: 'fp_1',
    })
  })

  it('is the baseline when all before were silent', () => {
    expect(inTurn(silent)).toMatchObject({ state: 'unreachable', baselineScore: null, score: null })
    expect(inTurn(silent, answered(1))).toMatchObject({ state: 'ok', baselineScore: 1 })
  })

  it.each([
    ['ok', 'falls less than the threshold', [answered(1), answered(0.76)]],
    ['dropped', 'falls by the threshold', [answered(1), answered(0.75)]],
    ['dropped', 'falls under another id', [answered(1), answered(0.5, 'm-2')]],
    ['ok', 'rises', [answered(0.5), answered(1)]],
    ['changed', 'is under another id', [answered(1), answered(1, 'm-2')]],
    ['changed', 'is under another fingerprint', [answered(1), answered(1, 'm-1', 'fp_2')]],
    ['ok', 'is without a fingerprint', [answered(1), answered(1, 'm-1', null)]],
    ['ok', 'is under the same id once more', [answered(1), answered(1, 'm-2'), answered(1, 'm-2')]],
    ['dropped', 'is silent after a fall', [answered(1), answered(0.5), silent]],
    ['ok', 'recovers', [answered(1), answered(0.5), answered(1)]],
    ['unreachable', 'is silent', [answered(1), silent]],
  ] as const)('is %s when it %s', (state, _, runs) => {
    expect(inTurn(...runs)?.state).toBe(state)
  })

  it('leaves the baseline where it is when it falls or is silent', () => {
    expect(inTurn(answered(1), answered(0.5, 'm-2'))).toMatchObject({
      baselineScore: 1,
      baselineServed: 'm-1',
      servedModel: 'm-2',
      score: 0.5,
      detail: 'Something.',
    })
    expect(inTurn(answered(1), silent)).toMatchObject({ baselineScore: 1, baselineServed: 'm-1', score: 1 })
  })

  it('renews the baseline when only the name changed, but never lowers it', () => {
    const worse = inTurn(answered(1), answered(0.85, 'm-2'), answered(0.8, 'm-3'))
    expect(worse).toMatchObject({ state: 'changed', baselineServed: 'm-3', baselineScore: 1 })
    expect(inTurn(answered(1), answered(0.85, 'm-2'), answered(0.72, 'm-3'))?.state).toBe('dropped')
  })

  it('has not fallen when it is the same, however low the threshold', () => {
    expect(compareRun(compareRun(undefined, answered(6 / 7), 0), answered(Math.fround(6 / 7)), 0).state).toBe('ok')
  })
})

describe('a canary is due', () => {
  const now = new Date('2026-11-21T12:00:00Z')
  const known = (state: 'ok' | 'changed' | 'dropped' | 'unreachable', minutesAgo: number) => ({
    state,
    checkedAt: new Date(now.getTime() - minutesAgo * 60_000),
    servedModel: 'm-1',
    fingerprint: 'fp_1',
  })
  const other = { servedModel: 'm-1', fingerprint: 'fp_2' }
  const same = { servedModel: 'm-1', fingerprint: 'fp_1' }
  it.each([
    ['schedule', 'never checked', undefined, undefined, 24],
    [null, 'never checked, without a schedule', undefined, other, 0],
    [null, 'checked 23 hours ago', known('ok', 23 * 60), same, 24],
    ['schedule', 'checked 24 hours ago', known('ok', 24 * 60), same, 24],
    [null, 'checked long ago, without a schedule', known('ok', 9_999), same, 0],
    ['change', 'another fingerprint a minute after its check', known('ok', 1), other, 24],
    ['change', 'another id', known('ok', 1), { servedModel: 'm-2', fingerprint: null }, 24],
    ['change', 'another fingerprint, without a schedule', known('ok', 1), other, 0],
    [null, 'an answer without id and fingerprint', known('ok', 1), { servedModel: null, fingerprint: null }, 24],
    [null, 'another fingerprint again within the hour', known('changed', 59), other, 24],
    ['change', 'another fingerprint again after it', known('changed', 60), other, 24],
    [null, 'silent half an hour ago', known('unreachable', 30), undefined, 24],
    ['schedule', 'silent an hour ago', known('unreachable', 60), undefined, 24],
    [null, 'silent an hour ago, without a schedule', known('unreachable', 60), undefined, 0],
  ] as const)('%s: %s', (why, _, before, heard, everyHours) => {
    expect(dueFor({ before, heard, everyHours, now })).toBe(why)
  })
})

describe('a model that has dropped', () => {
  const one = (key: string, kind: Candidate['provider']['kind'] = 'compatible') =>
    ({ key, provider: { kind } }) as Candidate
  it('is asked last, before the built-in one, and the others keep their order', () => {
    const order = demoteDropped([one('a'), one('b'), one('c'), one('d'), one('x', 'built-in')], new Set(['a', 'c']))
    expect(order.map(({ key }) => key)).toEqual(['b', 'd', 'a', 'c', 'x'])
  })
  it('is asked all the same when there is no other', () => {
    expect(demoteDropped([one('a')], new Set(['a']))).toHaveLength(1)
  })
})
