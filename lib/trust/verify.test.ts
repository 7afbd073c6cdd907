import { describe, expect, it } from 'vitest'
import { createCiter, type Evidence } from '#lib/rag/index.ts'
import { createVerifier, type Judge, type Meaning } from './index.ts'

type Passage = Evidence['passages'][number]

const passage = (n: number, title: string, text: string): Passage => ({
  n,
  chunkId: `chunk-${n}`,
  documentId: `document-${n}`,
  versionId: `version-${n}`,
  title,
  collectionId: 'staff',
  collection: 'Staff',
  mediaType: 'text/plain',
  page: null,
  pageTo: null,
  pages: null,
  headingPath: [],
  context: '',
  text,
  charStart: 0,
  charEnd: text.length,
  score: 1,
  lexical: null,
  vector: null,
  tokens: 40,
})
const handbook = passage(
  1,
  'Handbook',
  'Every employee gets 25 days of annual leave. Leave is agreed with the manager. The contract was signed by Ms Okafor on 3 May 2024.',
)
const older = passage(2, 'Older handbook', 'Every employee gets 28 days of annual leave. Lunch is served at noon.')

type Options = {
  question?: string
  passages?: Passage[]
  near?: number
  meaning?: Meaning
  judge?: Judge
  cut?: number
}
const verify = (answer: string, { question = 'How many days of annual leave are there?', ...given }: Options = {}) => {
  const { passages = [handbook], near = 0.8, meaning, judge, cut = 7 } = given
  const citer = createCiter({ passages })
  const evidence = { passages, relevance: { near, coverage: 0 } }
  const verifier = createVerifier({ question, evidence, meaning: meaning ?? null, judge: judge ?? null })
  for (let at = 0; at < answer.length; at += cut) verifier.push(citer.push(answer.slice(at, at + cut)))
  verifier.push(citer.end())
  return verifier.finish()
}
const said = 'Every employee gets 25 days of annual leave [1].'

describe('an answer that is supported', () => {
  it('is trusted, and says so', async () => {
    const { confidence, reasons, sentences, claims } = await verify(`${said} Leave is agreed with the manager [1].`)
    expect(confidence).toBeGreaterThan(0.8)
    expect(reasons).toEqual(['All two sentences are supported by what they cite.'])
    expect(claims).toEqual({ total: 2, supported: 2 })
    expect(sentences.map(({ supported, citations, reasons: why }) => [supported, citations, why])).toEqual([
      [true, [1], []],
      [true, [2], []],
    ])
  })

  it('is judged the same however it was cut', async () => {
    const answer = `${said} The pension is 9 percent [1]. Who pays it? Leave is agreed with the manager [1][7].`
    expect(await verify(answer, { cut: 1 })).toEqual(await verify(answer, { cut: answer.length }))
  })
})

describe('an answer that is not', () => {
  it.each([
    ['Every employee gets 30 days of annual leave [1].', 'The number 30 is not in what it cites.'],
    ['The contract was signed by Ms Okafor on 3 May 2025 [1].', 'The date 2025 is not in what it cites.'],
    ['The contract was signed by Ms Lindqvist on 3 May 2024 [1].', 'The name Lindqvist is not in what it cites.'],
    [
      'Every employee does not get 25 days of annual leave [1].',
      'It says that something is not so, and what it cites does not.',
    ],
    ['The canteen closes early [1].', 'None of its words are in what it cites.'],
    ['Every employee gets 25 days of annual leave.', 'It names no source.'],
  ])('is told why: %s', async (answer, reason) => {
    const { sentences, confidence } = await verify(answer)
    expect(sentences[0]?.reasons).toContain(reason)
    expect(sentences[0]?.supported).toBe(reason.startsWith('The name'))
    expect(confidence).toBeLessThan((await verify(said)).confidence ?? 0)
  })

  it('counts in words what has no support', async () => {
    const { reasons, confidence } = await verify(`${said} The pension fund sits in Oslo. Parking is free for guests.`)
    expect(reasons).toContain('Two of three sentences have no support.')
    expect(confidence).toBeLessThan(0.6)
  })

  it('that cites nothing is not trusted, and what only says that nothing was found claims nothing', async () => {
    expect(await verify('There are 25 days of annual leave.')).toMatchObject({
      confidence: 0.1,
      reasons: ['It cites nothing.'],
    })
    expect((await verify('The documents do not say that.')).claims.total).toBe(0)
  })
})

describe('an answer that claims nothing', () => {
  it('is sure when all it says is that the documents do not say', async () => {
    expect(await verify('The documents do not say how many days there are.')).toMatchObject({
      abstains: true,
      confidence: 1,
    })
  })

  it.each(['Monday.', '```\nEverybody gets 90 days of leave.\n```', '| Leave | 90 days |\n| --- | --- |'])(
    'and says something all the same is not: %s',
    async (answer) => {
      expect(await verify(answer)).toMatchObject({ abstains: false, confidence: 0.1 })
    },
  )

  it('is not sure for a remark with code beside it', async () => {
    const answer = 'The documents do not say how many days there are.\n```\nIt is 90 days.\n```'
    expect(await verify(answer)).toMatchObject({ abstains: false, confidence: 0.1 })
  })
})

describe('what else lowers a confidence', () => {
  it('is that the sources disagree on what it says', async () => {
    const alone = await verify(said)
    const { contradictions, reasons, confidence } = await verify(said, { passages: [handbook, older] })
    expect(contradictions).toMatchObject([{ kind: 'number', sides: [{ n: 1 }, { n: 2, title: 'Older handbook' }] }])
    expect(reasons).toContain('The sources disagree on a number.')
    expect(confidence).toBeLessThan(alone.confidence ?? 0)
    const beside = await verify('Leave is agreed with the manager [1].', { passages: [handbook, older] })
    expect(beside.contradictions).toEqual([])
  })

  it('is a weak match, and an answer to something else', async () => {
    expect((await verify(said, { near: 0.1 })).reasons).toContain('The best passage is a weak match.')
    const { reasons } = await verify(said, { question: 'Who repairs the coffee machine?' })
    expect(reasons).toContain('The answer says little about what was asked.')
  })
})

describe('who takes part', () => {
  const unit = (text: string): Float32Array =>
    Float32Array.from([/leave|holiday/i.test(text) ? 1 : 0, /leave|holiday/i.test(text) ? 0 : 1])

  it('is an encoder, asked for each text once', async () => {
    const asked: string[] = []
    const meaning: Meaning = {
      encode: async (texts) => {
        asked.push(...texts)
        return texts.map(unit)
      },
      unlike: 0,
    }
    const found = await verify(`${said} ${said}`, { meaning })
    expect(found.by.encoder).toBe(true)
    expect(new Set(asked).size).toBe(asked.length)
  })

  it('is nobody where the encoder or the judge fails: the checks go on by words', async () => {
    const meaning: Meaning = { encode: () => Promise.reject(new Error('no encoder')), unlike: 0 }
    const judge: Judge = () => Promise.reject(new Error('no judge'))
    const found = await verify(said, { meaning, judge })
    expect(found.confidence).toBe((await verify(said)).confidence)
    expect(found.by).toEqual({ encoder: false, judge: 'failed' })
  })

  it('is a judge, whose verdict moves the confidence and is told in its words', async () => {
    const asked: string[] = []
    const judge =
      (supported: boolean): Judge =>
      async ({ claim, passage: text }) => {
        asked.push(claim)
        return { supported, reason: text.includes('25 days') ? 'it is about others' : 'nothing was sent' }
      }
    const against = await verify(said, { judge: judge(false) })
    expect(against.sentences[0]?.reasons).toContain('The judge: it is about others')
    expect(against.confidence).toBeLessThan((await verify(said)).confidence ?? 0)
    expect((await verify(said, { judge: judge(true) })).confidence).toBeGreaterThan(
      (await verify(said)).confidence ?? 1,
    )
    expect(asked).toEqual([
      'Every employee gets 25 days of annual leave.',
      'Every employee gets 25 days of annual leave.',
    ])
  })
})

describe('a check that cannot be made', () => {
  it('says that nothing is known, and throws nothing at the answer', async () => {
    const broken = { ...handbook, text: null as unknown as string }
    const evidence = { passages: [broken], relevance: { near: 0.8, coverage: 0 } }
    const verifier = createVerifier({ question: 'How many?', evidence })
    verifier.push([{ type: 'text', text: 'There are 25 days of leave.' }])
    const found = await verifier.finish()
    expect(found).toMatchObject({ confidence: null, reasons: ['The answer could not be checked.'] })
    expect(await verifier.finish()).toBe(found)
  })

  it('says which citation is not there', async () => {
    const verifier = createVerifier({
      question: 'q',
      evidence: { passages: [handbook], relevance: { near: 1, coverage: 1 } },
    })
    verifier.push([{ type: 'text', text: 'Leave is agreed with the manager [^4].' }])
    const { sentences } = await verifier.finish()
    expect(sentences).toMatchObject([
      { supported: false, reasons: ['It cites [4], which is not there.', 'It names no source.'] },
    ])
  })
})
