import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { messages, streamEvents, traces } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { retrieve } from '#lib/rag/index.ts'
import type { ChatMessage } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import {
  answered,
  asking,
  type ChatWorld,
  keysText as keys,
  keysAnswer,
  openChatWorld,
  keysQuestion as question,
  setPolicy,
} from '#scripts/chat-world.ts'

const test = withDatabase()

let first: MockProvider
let second: MockProvider
beforeAll(async () => {
  first = await startMockProvider()
  second = await startMockProvider()
})
afterAll(() => Promise.all([first.close(), second.close()]))
beforeEach(() => {
  for (const vendor of [first, second]) {
    vendor.requests.length = 0
    vendor.script({ text: keysAnswer })
  }
})

const world = (): Promise<ChatWorld> => openChatWorld(test.current(), [first, second])
const citedIn = (answer: ChatMessage | undefined): string[] =>
  (answer?.parts ?? []).flatMap((part) => (part.type === 'data-citation' ? [part.data.title] : []))
const asked = (vendor: MockProvider): string => JSON.stringify(vendor.requests.map(({ body }) => body))

describe('what a feature may use', () => {
  it('keeps chat from a collection that search may use, also when it is asked for by name', async () => {
    const made = await world()
    await setPolicy(made, { features: { chat: [made.collectionId] } })
    const away = await answered(made, asking(question))
    expect(away.metadata).toMatchObject({ status: 'no-source' })
    expect(citedIn(away.answer)).toEqual([])
    const named = await answered(made, asking(question, { collectionIds: [made.secretId] }))
    expect(named.text).toContain('none of the collections that were chosen')
    expect(asked(first)).toBe('[]')
    expect((await retrieve(question, made.viewers.member)).passages[0]).toMatchObject({ text: keys })
    expect(citedIn((await answered(made, asking('When is a lost laptop reported?'))).answer)).toEqual(['Laptops'])
  })

  it('searches nothing where no collection is allowed, says why, and everything where none is named', async () => {
    const made = await world()
    await setPolicy(made, { features: { chat: [], search: [] } })
    expect(await answered(made, asking(question))).toMatchObject({
      text: expect.stringContaining('chat may use no collection'),
      metadata: { status: 'no-source' },
    })
    expect(await retrieve(question, made.viewers.member)).toMatchObject({
      found: false,
      passages: [],
      nearest: [],
      closed: expect.stringContaining('search may use no collection'),
    })
    await setPolicy(made, {})
    expect(citedIn((await answered(made, asking(question))).answer)).toEqual(['Keys'])
  })
})

describe('who may read a collection', () => {
  it('asks only a model that is allowed all of what is in the prompt', async () => {
    const made = await world()
    await setPolicy(made, { exposure: [{ collectionId: made.secretId, to: [made.providerIds[1] ?? ''] }] })
    expect((await answered(made, asking(question))).metadata?.model).toMatchObject({ id: 'mock-1' })
    expect(asked(first)).toBe('[]')
    first.script({ text: 'A lost laptop is reported within four hours [1].' })
    const elsewhere = { collectionIds: [made.collectionId] }
    const open = await answered(made, asking('When is a lost laptop reported?', elsewhere))
    expect(open.metadata?.model).toMatchObject({ id: 'mock-0' })
  })

  it('quotes by itself rather than fail over to a model that is not allowed (E16)', async () => {
    const made = await world()
    await setPolicy(made, { exposure: [{ collectionId: made.secretId, to: [made.providerIds[0] ?? ''] }] })
    first.script({ status: 503 })
    const failed = await answered(made, asking(question))
    expect(failed.metadata).toMatchObject({ status: 'complete', model: { kind: 'built-in' } })
    expect(failed.text).toContain('90 days')
    await setPolicy(made, { exposure: [{ collectionId: made.secretId, to: [] }] })
    const barred = await answered(made, asking(question))
    expect(barred.metadata).toMatchObject({
      model: { kind: 'built-in' },
      degraded: expect.stringContaining('policy of this workspace'),
    })
    expect(asked(second)).toBe('[]')
  })

  it('counts what earlier answers of the conversation were written from', async () => {
    const made = await world()
    const opened = asking(question)
    await answered(made, opened)
    expect(asked(first)).toContain('90 days')
    first.requests.length = 0
    await setPolicy(made, { exposure: [{ collectionId: made.secretId, to: [] }] })
    const later = await answered(made, asking('When is a lost laptop reported?', { chatId: opened.chatId }))
    expect(later.metadata?.model?.kind).toBe('built-in')
    expect(asked(first) + asked(second)).not.toContain('90 days')
    expect(JSON.stringify(later.answer)).not.toContain('collectionIds')
  })
})

describe('topics', () => {
  const medical = 'What is the dosage of insulin before signing keys are rotated?'

  it('are refused before a model is asked, with a next step', async () => {
    const made = await world()
    await setPolicy(made, { topics: { medical: 'withhold' } })
    const { text, metadata } = await answered(made, asking(medical))
    expect(text).toContain('Ask a doctor')
    expect(metadata).toMatchObject({ status: 'complete', route: 'policy', withheld: [text] })
    expect(asked(first)).toBe('[]')
    // What it stands for counts in a follow-up.
    const opened = asking('How often are signing keys rotated with insulin overdoses in mind?')
    await answered(made, opened)
    expect(await answered(made, asking('And by whom?', { chatId: opened.chatId }))).toMatchObject({
      metadata: { route: 'policy' },
    })
    // A short one that does not speak of it is a question of its own.
    const own = await answered(made, asking('Signing keys?', { chatId: opened.chatId }))
    expect(own.metadata?.route).not.toBe('policy')
  })

  it('carry a warning where the policy says so, and hold an answer about them back', async () => {
    const made = await world()
    await setPolicy(made, { topics: { security: 'warn' } })
    const warned = await answered(made, asking(question))
    expect(warned.metadata).toMatchObject({ status: 'complete', warnings: [expect.stringContaining('security')] })
    expect(warned.text).toContain('90 days')
    await setPolicy(made, { topics: { medical: 'withhold' } })
    first.script({ text: 'Signing keys are rotated every 90 days, and the insulin dosage is 20 units [1].' })
    const held = await answered(made, asking(`${question} Tell me everything.`))
    expect(held.metadata?.withheld).toMatchObject([expect.stringContaining('Ask a doctor')])
    expect(held.seen).not.toContain('20 units')
  })
})

describe('confidence', () => {
  it('is stored with its reasons, warns below one bound, and withholds below the other before a word is shown', async () => {
    const made = await world()
    const sure = await answered(made, asking(question))
    expect(sure.metadata?.confidence?.value).toBeGreaterThan(0.8)
    expect(sure.metadata?.warnings).toBeUndefined()
    first.script({ text: 'Signing keys are painted green on every Thursday in March [1].' })
    const doubtful = `${question} In which colour?`
    await setPolicy(made, { confidence: { warnBelow: 0.8 } })
    const warned = await answered(made, asking(doubtful))
    expect(warned.metadata).toMatchObject({ warnings: [expect.stringContaining('not well supported')] })
    expect(warned.text).toContain('green')
    await setPolicy(made, { confidence: { warnBelow: 0.8, withholdBelow: 0.8 } })
    const withheld = await answered(made, asking(doubtful))
    expect(withheld.metadata?.withheld).toHaveLength(1)
    expect(withheld.text).toContain('look at the documents themselves')
    expect(withheld.seen).not.toContain('green')
    expect(citedIn(withheld.answer)).toEqual([])
    const { db } = test.current()
    const stored = await db
      .select()
      .from(messages)
      .where(eq(messages.id, withheld.answer?.id ?? ''))
    const sent = await db
      .select()
      .from(streamEvents)
      .where(eq(streamEvents.messageId, withheld.answer?.id ?? ''))
    expect(JSON.stringify([stored, sent])).not.toContain('green')
    // What is sure enough comes whole, with its citations, when it has been judged.
    first.script({ text: keysAnswer })
    const released = await answered(made, asking(`${question} Please.`))
    expect(released.text).toContain('[^1]')
    expect(citedIn(released.answer)).toEqual(['Keys'])
  })
})

describe('rules over answers', () => {
  const rule = { id: newId(), name: 'No days', test: { kind: 'must-not-match' as const, pattern: '(?i)\\b90 days\\b' } }

  it('mark an answer, withhold it, and hold for an answer that was kept before', async () => {
    const made = await world()
    const kept = await answered(made, asking(question))
    expect(kept.metadata?.route).toBe('retrieval')
    await setPolicy(made, { rules: [rule] })
    const marked = await answered(made, asking(question))
    expect(marked.metadata).toMatchObject({ route: 'cache', warnings: [expect.stringContaining('No days')] })
    await setPolicy(made, { rules: [{ ...rule, act: 'withhold', words: 'Ask the platform team.' }] })
    for (const text of [question, `${question} Exactly.`]) {
      const { metadata, seen, text: told } = await answered(made, asking(text))
      expect(metadata?.withheld).toEqual(['Ask the platform team.'])
      expect(told).toBe('Ask the platform team.')
      expect(seen).not.toContain('90 days')
    }
  })
})

it('says under which version of the policy it was answered, on the answer and on its trace', async () => {
  const made = await world()
  await setPolicy(made, {})
  await setPolicy(made, { topics: { legal: 'warn' } })
  const { answer, metadata } = await answered(made, asking(question))
  expect(metadata?.policyVersion).toBe(2)
  const { db } = test.current()
  await expect
    .poll(
      async () =>
        (
          await db
            .select()
            .from(traces)
            .where(eq(traces.messageId, answer?.id ?? ''))
        )[0]?.policyVersion,
    )
    .toBe(2)
})
