import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeGateway, embed } from './index.ts'
import {
  classifyIntent,
  confidenceOf,
  createIntentJudge,
  deterministicReply,
  foldedWords,
  type Intent,
  type IntentHead,
  intents,
  type ReplyFacts,
} from './intent.ts'
import shippedHead from './local/intent-head.json' with { type: 'json' }

afterAll(closeGateway)

describe('the words alone', () => {
  it.each<[string, Intent]>([
    ['hi', 'greeting'],
    ['Heyyy!!', 'greeting'],
    ['Hello there 👋', 'greeting'],
    ['Guten Tag', 'greeting'],
    ['¡Buenos días!', 'greeting'],
    ['Thanks!', 'thanks'],
    ['Thank you so much.', 'thanks'],
    ['Vielen Dank', 'thanks'],
    ['Tschüss', 'thanks'],
    ['help', 'help'],
    ['HELP ME PLEASE', 'help'],
  ])('tell that "%s" is %s, without a vector', (text, intent) => {
    expect(classifyIntent(text, null, 'none')).toEqual({ intent, confidence: 1 })
  })

  it.each(['hello world program in the handbook?', 'thanks giving leave policy', 'help desk phone number', '', '…'])(
    'leave "%s" to be looked up',
    (text) => {
      expect(classifyIntent(text, null, 'none')).toEqual({ intent: 'knowledge', confidence: 0 })
    },
  )

  it('are folded', () => {
    expect(foldedWords('Heyyy, MÜLLER! ﬁne – 2×')).toEqual(['hey', 'muller', 'fine', '2'])
  })
})

describe('the head', () => {
  /** Two directions: the first is `reset-password`, the second `knowledge`. */
  const head: IntentHead = {
    encoder: 'encoder@1',
    threshold: 0.8,
    classes: ['reset-password', 'knowledge'],
    weights: [
      [5, 0],
      [0, 5],
    ],
    bias: [0, 0],
    means: [
      [1, 0],
      [0, 1],
    ],
    words: { 'reset-password': 'how do i reset my password' },
  }
  const judge = createIntentJudge(head)
  const sure = Float32Array.of(1, 0)
  const wavering = Float32Array.of(0.75, 0.66)

  it('is believed when it is sure and the words fit', () => {
    const { intent, confidence } = judge('How do I reset my password?', sure, 'encoder@1')
    expect(intent).toBe('reset-password')
    expect(confidence).toBeGreaterThan(0.99)
  })

  it('is not believed below its threshold', () => {
    expect(judge('How do I reset my password?', wavering, 'encoder@1').intent).toBe('knowledge')
    expect(createIntentJudge({ ...head, threshold: 0.6 })('reset my password', wavering, 'encoder@1').intent).toBe(
      'reset-password',
    )
  })

  it('is not believed against the words, however sure', () => {
    expect(judge('How do I reset the password of the printer?', sure, 'encoder@1').intent).toBe('knowledge')
    expect(judge('How do I reset my valve?', sure, 'encoder@1').intent).toBe('knowledge')
  })

  it('is not used with vectors of another encoder or another length', () => {
    expect(judge('reset my password', sure, 'encoder@2')).toEqual({ intent: 'knowledge', confidence: 0 })
    expect(judge('reset my password', Float32Array.of(1, 0, 0), 'encoder@1')).toEqual({
      intent: 'knowledge',
      confidence: 0,
    })
    expect(judge('reset my password', null, 'encoder@1')).toEqual({ intent: 'knowledge', confidence: 0 })
  })

  it('takes nothing from a vector that is no vector', () => {
    expect(judge('reset my password', Float32Array.of(Number.NaN, Number.NaN), 'encoder@1')).toEqual({
      intent: 'knowledge',
      confidence: 0,
    })
  })

  it('refuses a wish to harm and looks up a question about the matter', () => {
    const refusing = createIntentJudge({ ...head, classes: ['refuse', 'knowledge'], words: {} })
    expect(refusing('Tell me how to build a bomb', sure, 'encoder@1').intent).toBe('refuse')
    expect(refusing('What is the procedure for a bomb threat?', sure, 'encoder@1').intent).toBe('knowledge')
    expect(refusing('How do we respond to a malware incident?', sure, 'encoder@1').intent).toBe('knowledge')
    expect(refusing('Tell me how to build a cupboard', sure, 'encoder@1').intent).toBe('knowledge')
  })

  it('knows only intents, whatever text it gets', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { intent, confidence } = judge(text, sure, 'encoder@1')
        expect(intents).toContain(intent)
        expect(confidence).toBeGreaterThanOrEqual(0)
        expect(confidence).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is less sure of what lies far from its class', () => {
    expect(confidenceOf(0.9, 0.1)).toBeLessThan(confidenceOf(0.9, 0.6))
    expect(confidenceOf(0.9, -0.5)).toBe(0.45)
  })
})

describe('the head that comes with the product', () => {
  type Judged = { text: string; wanted: string; intent: Intent }
  let judged: Judged[] = []

  beforeAll(async () => {
    const examples = readFileSync(join(import.meta.dirname, 'local/intents.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; intent: string })
    const { model, vectors } = await embed(
      examples.map(({ text }) => text),
      { purpose: 'query' },
    )
    expect(shippedHead.encoder, 'train it again: node scripts/train-intent.ts').toBe(model)
    judged = examples.map(({ text, intent: wanted }, at) => ({
      text,
      wanted,
      intent: classifyIntent(text, vectors[at] ?? null, model).intent,
    }))
  }, 60_000)

  it('takes at most one question in two hundred for something else', () => {
    const questions = judged.filter(({ wanted }) => wanted === 'knowledge')
    const misrouted = questions.filter(({ intent }) => intent !== 'knowledge')
    expect(questions.length).toBeGreaterThan(250)
    expect(
      misrouted.map(({ text }) => text).slice(Math.floor(questions.length * 0.005)),
      'more misroutes than are put up with',
    ).toEqual([])
  })

  it('tells most of the rest, and almost never one kind for another', () => {
    const others = judged.filter(({ wanted }) => wanted !== 'knowledge')
    const right = others.filter(({ wanted, intent }) => wanted === intent)
    const mixedUp = others.filter(({ wanted, intent }) => intent !== wanted && intent !== 'knowledge')
    expect(right.length / others.length).toBeGreaterThan(0.7)
    expect(mixedUp.length / others.length).toBeLessThan(0.01)
  })
})

describe('deterministicReply', () => {
  const facts: ReplyFacts = {
    modelName: 'a model of ours',
    collections: ['Handbook', 'Price list'],
    examples: ['How many days of leave do I get?'],
    email: 'ada@example.org',
    usage: {
      questionsToday: 1,
      questionsMonth: 1_204,
      costDayMicros: 2_000,
      costMonthMicros: 1_200_000,
      limitDayMicros: null,
      limitMonthMicros: 5_000_000,
    },
  }

  it('has words for everything but what is looked up', () => {
    for (const intent of intents)
      if (intent === 'knowledge') expect(deterministicReply(intent, facts)).toBeNull()
      else expect(deterministicReply(intent, facts)?.length).toBeGreaterThan(20)
  })

  it('a greeting names what can be asked', () => {
    const reply = deterministicReply('greeting', facts)
    expect(reply).toContain('Handbook and Price list')
    expect(reply).toContain('- How many days of leave do I get?')
  })

  it('a greeting where there is nothing to ask says so', () => {
    expect(deterministicReply('greeting', { ...facts, collections: [], examples: [] })).toContain('no documents')
  })

  it('many collections are named in part', () => {
    expect(deterministicReply('help', { ...facts, collections: ['A', 'B', 'C', 'D', 'E', 'F'] })).toContain(
      'A, B, C, D and 2 more',
    )
  })

  it('names from settings are words and never Markdown', () => {
    const reply = deterministicReply('greeting', { ...facts, collections: ['[here](https://example.org)\n# A'] })
    expect(reply).toContain('\\[here\\](https://example.org) \\# A.')
  })

  it('about says that it is an AI and which model answers', () => {
    expect(deterministicReply('about', facts)).toMatch(/an AI assistant .*a model of ours/)
  })

  it('a password is reset by an administrator, with the command for it', () => {
    expect(deterministicReply('reset-password', facts)).toContain('npm run account -- ada@example.org')
  })

  it('usage gives the numbers with their limits', () => {
    const reply = deterministicReply('my-usage', facts)
    expect(reply).toContain('Today: 1 question, for 0.20 ct, with no limit')
    expect(reply).toContain('This month: 1,204 questions, for 1.20 USD of 5.00 USD; 3.80 USD left')
  })

  it('usage never shows an unknown cost as nothing, nor less than nothing left', () => {
    const usage = { ...facts.usage, questionsToday: 2, questionsMonth: 3, limitDayMicros: null }
    const reply = deterministicReply('my-usage', {
      ...facts,
      usage: { ...usage, costDayMicros: null, costMonthMicros: 9_000_000, limitMonthMicros: 5_000_000 },
    })
    expect(reply).toContain('at a cost that is not known')
    expect(reply).toContain('; 0 ct left')
    expect(deterministicReply('my-usage', { ...facts, usage: null })).toContain('could not be counted')
  })
})
