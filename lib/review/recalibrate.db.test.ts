import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rows } from '#db/client.ts'
import { listJudged } from '#db/queries/confidence.ts'
import { listAlerts } from '#db/reports/alerts.ts'
import { auditLog, confidenceFits, labelItems, labels, messages, reviewItems } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { checkAlerts } from '#lib/alerts.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { newId } from '#lib/shared/ids.ts'
import { unchanged } from '#lib/trust/index.ts'
import { ask, type Desk, openDesk, setReviewPolicy } from './fixtures/desk.ts'
import { calibrationReport, confidenceFit, queueDueRecalibration, recalibrateConfidence } from './index.ts'

const database = withDatabase()
const db = () => database.current().db
let desk: Desk
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  desk = await openDesk(database.current())
})

/** Decided items, as they are left when their conversations have gone. */
const decide = async (count: number, over: Partial<typeof reviewItems.$inferInsert> = {}): Promise<void> => {
  const content = { text: '', citations: [], claims: [], metadata: {}, sources: [] }
  await db()
    .insert(reviewItems)
    .values(
      Array.from({ length: count }, () => ({
        ...{
          id: newId(),
          workspaceId: desk.workspaceId,
          kind: 'held' as const,
          question: '',
          content,
          contentHash: '',
        },
        ...{ reasons: [], reason: 'confidence', risk: 50, confidence: 0.9, held: true, state: 'rejected' as const },
        ...{ dueAt: new Date(), decidedAt: new Date(), ...over },
      })),
    )
}
const fits = () => db().select().from(confidenceFits).where(eq(confidenceFits.workspaceId, desk.workspaceId))

test('decisions are fitted once, audited, and hold for new answers; what was not judged for being right is left out', async () => {
  const { workspaceId, viewers } = desk
  await decide(5, { seeded: true })
  await decide(5, { kind: 'asked' })
  await decide(5, { state: 'expired' })
  await decide(5, { confidence: null })
  expect(await recalibrateConfidence({ workspaceId })).toBeNull()
  expect(await confidenceFit(workspaceId)).toEqual(unchanged)
  await decide(30)
  await decide(10, { state: 'approved', confidence: 0.3 })
  expect(await recalibrateConfidence({ workspaceId })).toMatchObject({ decisions: 40 })
  await recalibrateConfidence({ workspaceId })
  const [fit, ...more] = await fits()
  expect(more).toEqual([])
  expect(fit).toMatchObject({ version: 1, decisions: 40 })
  expect(fit?.eceAfter).toBeLessThan(fit?.eceBefore ?? 0)
  expect(await confidenceFit(workspaceId)).toEqual({ bias: fit?.intercept, slope: fit?.slope, decisions: 40 })
  const lines = await db().select().from(auditLog).where(eq(auditLog.workspaceId, workspaceId))
  expect(lines.map(({ event }) => event)).toContain('confidence.recalibrated')
  const report = await calibrationReport(viewers.reviewer, 30)
  expect(report).toMatchObject({ decisions: 40, fits: [{ version: 1 }] })
  expect(report.bins.filter(({ count }) => count > 0)).toMatchObject([
    { count: 10, right: 1 },
    { count: 30, right: 0, low: 0 },
  ])
  expect(report.error).toBeCloseTo((30 * 0.9 + 10 * 0.7) / 40, 5)
})

test('labels that a third has settled, or in which two agree, are judgements too, once an answer', async () => {
  const { workspaceId, viewers } = desk
  const label = async (ratings: number[], adjudicated: number | null) => {
    const { messageId, itemId } = await ask(db(), desk, { kind: 'sampled' })
    const scores = (correct: number) => ({ correct, grounded: 2, relevant: 0, tone: 0 })
    await db()
      .insert(labelItems)
      .values({
        ...{ messageId, workspaceId, rubricVersion: 1 },
        ...(adjudicated === null ? {} : { adjudicated: scores(adjudicated), adjudicatedAt: new Date() }),
      })
    const raters = [viewers.reviewer, desk.second]
    for (const [at, correct] of ratings.entries())
      await db()
        .insert(labels)
        .values({ messageId, raterId: raters[at]?.userId ?? '', workspaceId, scores: scores(correct) })
    return itemId
  }
  await label([2, 2], null)
  await label([2, 0], 0)
  await label([2, 0], null)
  await label([2], null)
  const decided = await label([2, 2], null)
  await db().update(reviewItems).set({ state: 'rejected', decidedAt: new Date() }).where(eq(reviewItems.id, decided))
  const { decisions, bins } = await calibrationReport(viewers.reviewer, 30)
  expect(decisions).toBe(3)
  expect(bins.find(({ count }) => count > 0)).toMatchObject({ count: 3, right: 1 / 3 })
})

test('what was said before a fit is not freed of it, however late somebody complains', async () => {
  const { workspaceId } = desk
  const before = await ask(db(), desk, { kind: 'feedback' })
  await db()
    .update(messages)
    .set({ createdAt: sql`now() - interval '2 days'` })
    .where(eq(messages.id, before.messageId))
  await ask(db(), desk, { kind: 'feedback' })
  await db()
    .insert(confidenceFits)
    .values({
      ...{ workspaceId, version: 1, slope: 0.5, intercept: -1, decisions: 9, eceBefore: 0, eceAfter: 0 },
      createdAt: sql`now() - interval '1 day'`,
    })
  await db()
    .update(reviewItems)
    .set({ state: 'rejected', decidedAt: new Date() })
    .where(eq(reviewItems.workspaceId, workspaceId))
  const judged = await listJudged(db(), { workspaceId, since: new Date(Date.now() - 60_000) })
  expect(judged.map(({ slope, intercept }) => [slope, intercept]).sort()).toEqual([
    [0.5, -1],
    [1, 0],
  ])
})

test('a workspace is fitted once a day, and only when something was judged since', async () => {
  const { workspaceId } = desk
  const queued = () =>
    rows(
      db(),
      sql`select 1 from pgboss.job where name = 'confidence.recalibrate' and data ->> 'workspaceId' = ${workspaceId}`,
    )
  await queueDueRecalibration()
  expect(await queued()).toHaveLength(0)
  await decide(1)
  await queueDueRecalibration()
  await queueDueRecalibration()
  expect(await queued()).toHaveLength(1)
  await recalibrateConfidence({ workspaceId })
  await db().execute(sql`update rate_limits set resets_at = now() - interval '1 second'`)
  await queueDueRecalibration()
  expect(await queued()).toHaveLength(1)
})

test('an alert tells when decisions do not bear out what answers say of themselves, and ends when they do', async () => {
  const { workspaceId, viewers } = desk
  await setReviewPolicy(db(), workspaceId, {})
  const open = async () =>
    (await listAlerts(db(), viewers.admin)).filter(({ rule, endedAt }) => rule === 'confidence-drift' && !endedAt)
  await decide(29)
  // Who complains has found an error, however sure the answer was.
  await decide(20, { kind: 'feedback' })
  await checkAlerts()
  expect(await open()).toEqual([])
  await decide(1)
  await checkAlerts()
  expect(await open()).toMatchObject([{ detail: expect.stringContaining('off by 90 % on average, over 30 decisions') }])
  await decide(270, { state: 'approved' })
  await checkAlerts()
  expect(await open()).toEqual([])
})
