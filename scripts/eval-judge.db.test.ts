import { afterAll, beforeAll, expect, it } from 'vitest'
import { addTestModel, createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { evaluateJudge } from './eval-judge.ts'
import type { Pair } from './eval-pairs.ts'

const test = withDatabase()

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(() => vendor.close())

const text = 'Every employee gets 25 days of annual leave. Leave is agreed with the manager. Lunch is at noon.'
const pair = (set: string, claim: string, supports: boolean): Pair => ({ set, claim, text, fold: 0, supports })
const pairs = [
  pair('handbook', 'Every employee gets 25 days of annual leave.', true),
  pair('handbook', 'Leave is agreed with the manager.', true),
  // All its words are there: our own check takes it for supported.
  pair('handbook', 'Lunch is agreed with the manager.', false),
  pair('canteen', 'Lunch is at noon.', true),
]
const verdict = (supported: boolean): string => JSON.stringify({ supported, reason: 'as scripted' })

const viewerWith = async (...urls: string[]) => {
  const { viewers } = await createTestWorkspace(test.current())
  const { workspaceId } = viewers.admin
  for (const baseUrl of urls) await addTestModel(test.current().db, { workspaceId, baseUrl })
  return viewers.admin
}

it('puts a model’s verdicts beside the checks’ own figures, by set', async () => {
  vendor.script([{ when: 'Claim: Lunch is agreed', text: verdict(false) }, { text: verdict(true) }])
  const viewer = await viewerWith(vendor.url)
  const { metrics, lines } = await evaluateJudge(pairs, { viewer, meaning: null, sample: 100 })
  expect(vendor.requests).toHaveLength(4)
  expect(metrics['judge.accuracy.handbook']).toMatchObject({ value: 1, pass: null })
  expect(metrics['judge.auc.handbook']).toMatchObject({ value: 1 })
  expect(metrics['judge.with-checks.auc.handbook']).toMatchObject({ value: 1 })
  expect(metrics['judge.accuracy.canteen']).toMatchObject({ value: 1 })
  // One right pair alone: nothing to tell it from.
  expect(metrics['judge.auc.canteen']).toBeUndefined()
  expect(lines.find((line) => line.startsWith('handbook'))).toMatch(/^handbook\s+3\s+0\s+1\.000/)
})

it('draws at most so many of a set, the same each time', async () => {
  vendor.script({ text: verdict(true) })
  const claims = async (): Promise<string[]> => {
    vendor.requests.length = 0
    await evaluateJudge(pairs, { viewer: await viewerWith(vendor.url), meaning: null, sample: 1 })
    return vendor.requests.map(({ body }) => /Claim: [^\\]+/.exec(JSON.stringify(body))?.[0] ?? '').sort()
  }
  const drawn = await claims()
  expect(drawn).toHaveLength(2)
  expect(await claims()).toEqual(drawn)
})

it('counts what the model had no word for, and makes no figure of it', async () => {
  vendor.script({ text: 'I would rather not say.' })
  const viewer = await viewerWith(vendor.url)
  const { metrics, lines } = await evaluateJudge(pairs.slice(0, 1), { viewer, meaning: null, sample: 5 })
  expect(metrics).toEqual({})
  expect(lines.at(-1)).toMatch(/^handbook\s+1\s+1$/)
})

it('says in one line that no model is there', async () => {
  const { metrics, lines } = await evaluateJudge(pairs, { viewer: await viewerWith(), meaning: null, sample: 5 })
  expect(metrics).toEqual({})
  expect(lines).toEqual([expect.stringContaining('no model is configured')])
})
