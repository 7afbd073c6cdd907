import { eq } from 'drizzle-orm'
import { beforeEach, describe, expect, it } from 'vitest'
import { modelCalls } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Attempt, ModelEnd } from './call.ts'
import { callFigures, type NewModelCall, promptIdentity, recordCall } from './meter.ts'

const test = withDatabase()
let workspace: TestWorkspace
beforeEach(async () => {
  workspace = await createTestWorkspace(test.current())
})

const call = (over: Partial<NewModelCall> = {}): NewModelCall => ({
  workspaceId: workspace.workspaceId,
  userId: workspace.viewers.member.userId,
  task: 'answer',
  feature: 'chat',
  outcome: 'ok',
  ...over,
})
const ledger = () =>
  test.current().db.select().from(modelCalls).where(eq(modelCalls.workspaceId, workspace.workspaceId))

const attempt: Attempt = {
  key: 'test/a',
  modelId: 'a',
  outcome: 'ok',
  detail: '',
  startMs: 0,
  durationMs: 900,
  firstTokenMs: 120,
  statusCode: 200,
}
const end = (over: Partial<ModelEnd> = {}): ModelEnd => ({
  candidate: {
    key: 'Test/a',
    provider: {
      id: 'test',
      name: 'Test',
      kind: 'compatible',
      local: false,
      baseUrl: undefined,
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
    },
    modelId: 'a',
    tier: 'fast',
    model: {} as ModelEnd['candidate']['model'],
    contextTokensMax: 8_000,
    price: { input: 1_000_000, output: 2_000_000, cached: 500_000 },
  },
  servedModel: 'a-2026-10-01',
  fingerprint: 'fp_1',
  finish: 'stop',
  usage: { in: 1_000, out: 200, cached: 400, reasoning: 50, estimated: false },
  attempts: [{ ...attempt, outcome: 'server', statusCode: 500 }, attempt],
  firstTokenMs: 120,
  totalMs: 900,
  ...over,
})

describe('the ledger', () => {
  it('keeps of a call who answered, how often it was tried, its tokens and what they cost', async () => {
    await recordCall(
      test.current().db,
      call({ ...callFigures(end()), ...promptIdentity('answer', '2026-11-20', 'Cite.') }),
    )
    expect(await ledger()).toEqual([
      expect.objectContaining({
        task: 'answer',
        provider: 'Test',
        requestedModel: 'a',
        servedModel: 'a-2026-10-01',
        fingerprint: 'fp_1',
        outcome: 'ok',
        attempts: 2,
        tokensIn: 1_000,
        tokensOut: 200,
        tokensCached: 400,
        tokensReasoning: 50,
        usageEstimated: false,
        costMicros: 600 + 200 + 400,
        savedMicros: 0,
        firstTokenMs: 120,
        totalMs: 900,
        promptName: 'answer',
        promptVersion: '2026-11-20',
      }),
    ])
  })

  it('has the line with the transaction it is written in, or not at all', async () => {
    const { db } = test.current()
    await expect(
      db.transaction(async (tx) => {
        await recordCall(tx, call())
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    expect(await ledger()).toEqual([])
    await db.transaction((tx) => recordCall(tx, call()))
    expect(await ledger()).toHaveLength(1)
  })

  it('counts a call once that is written twice under one id, and two calls twice', async () => {
    const { db } = test.current()
    const id = newId()
    await recordCall(db, call({ id, costMicros: 5 }))
    await recordCall(db, call({ id, costMicros: 7 }))
    expect(await ledger()).toMatchObject([{ id, costMicros: 5 }])
    await recordCall(db, call())
    expect(await ledger()).toHaveLength(2)
  })

  it('is not stopped by what a provider says of itself', async () => {
    const { db } = test.current()
    const usage = { in: 2 ** 40, out: 1.5, cached: -3, reasoning: Number.NaN, estimated: false }
    await recordCall(db, call(callFigures(end({ usage, servedModel: `a\0${'x'.repeat(10_000)}`, totalMs: 12.7 }))))
    const [line] = await ledger()
    expect(line).toMatchObject({
      tokensIn: 2_147_483_647,
      tokensOut: 2,
      tokensCached: 0,
      tokensReasoning: null,
      totalMs: 13,
    })
    expect(line?.servedModel).toHaveLength(300)
    // No count, no price: unknown, and not 0.
    expect(line?.costMicros).toBeNull()
  })

  it('keeps money that no 32 bits hold', async () => {
    await recordCall(test.current().db, call({ costMicros: 5_000_000_000_000 }))
    expect(await ledger()).toMatchObject([{ costMicros: 5_000_000_000_000 }])
  })

  it('tells an answer that was stopped, and one that the model refused, from one that is whole', () => {
    expect(callFigures(end()).outcome).toBe('ok')
    expect(callFigures(end({ finish: 'refused' })).outcome).toBe('refused')
    expect(callFigures(end({ attempts: [{ ...attempt, outcome: 'stopped' }] })).outcome).toBe('stopped')
  })
})

describe('a prompt', () => {
  it('is known by name, version and its words', () => {
    const prompt = promptIdentity('answer', '2026-11-20', 'abc')
    // SHA-256 of "abc", as FIPS 180-2 prints it.
    expect(prompt).toEqual({ promptName: 'answer', promptVersion: '2026-11-20', promptHash: 'ba7816bf8f01' })
    expect(promptIdentity('answer', '2026-11-20', 'abd').promptHash).not.toBe(prompt.promptHash)
  })
})
