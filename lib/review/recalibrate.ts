/**
 * Confidence is brought in line with what people decide.
 *
 * Who is looked at is no fair sample: doubtful answers are held, some of the others are taken at random. So each kind of answer (held,
 * queued, complained about, shown) is weighted up to as many as there were of it, judged or not (post-stratification): what reviewers
 * see most does not count most. Seeded errors and questions for a person are left out. What was said is first freed of the fit that was
 * in force when it was said, so that no fit feeds on another. Few decisions leave things nearly as they are.
 */
import { database } from '#db/client.ts'
import {
  countStrata,
  insertFit,
  type JudgedAnswer,
  listFits,
  listJudged,
  listRecalibrationDue,
  type Stratum,
} from '#db/queries/confidence.ts'
import { takePoint } from '#db/queries/limits.ts'
import { audit } from '#lib/audit.ts'
import { enqueue, type JobPayload } from '#lib/jobs.ts'
import type { CalibrationReport } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import {
  calibrationError,
  type Decision,
  logLoss,
  type Recalibration,
  recalibrate,
  recalibrated,
  reliability,
  unchanged,
} from '#lib/trust/index.ts'

const dayMs = 86_400_000
const daySeconds = 86_400
/** Older decisions were made on other models and other documents. */
const fittedDays = 180
/** One decision counts for so many of the mean one at most: a few must not decide for thousands. */
const weightMax = 20
const folds = 5
/** Shifted by one each round, so that what comes in fives is spread. */
const foldOf = (at: number): number => (at + Math.floor(at / folds)) % folds
const workspacesAtOnce = 50
const fitsShown = 30
const memoMs = 60_000

type Population = Partial<Record<Stratum, number>>

/** How much each counts, their mean 1: as many as there were of its kind, by how many of them were judged. */
export const weightsOf = (judged: readonly Pick<JudgedAnswer, 'stratum'>[], population: Population): number[] => {
  const seen = new Map<Stratum, number>()
  for (const { stratum } of judged) seen.set(stratum, (seen.get(stratum) ?? 0) + 1)
  // Conversations that were deleted since are not counted any more: then those that were judged are all there are.
  const raw = judged.map(({ stratum }) => {
    const there = seen.get(stratum) ?? 1
    return Math.max(population[stratum] ?? 0, there) / there
  })
  const mean = raw.reduce((sum, one) => sum + one, 0) / Math.max(1, raw.length)
  return raw.map((one) => Math.min(weightMax, one / mean))
}

/** A confidence as it was before the fit that it was shown by. It is stored with two decimals, and so it comes back. */
const unbent = ({ confidence, slope, intercept }: JudgedAnswer): number =>
  slope === 1 && intercept === 0
    ? confidence
    : recalibrated({ bias: -intercept / slope, slope: 1 / slope, decisions: 1 }, confidence)

type Fit = Recalibration & { errorBefore: number; errorAfter: number }

/**
 * The fit, and the error before (as it was shown) and after: of each fifth by the fit of the other four, for a fit flatters itself. One
 * that foretells those no better than no fit at all is not taken. Pure.
 */
export const fitOf = (judged: readonly JudgedAnswer[], population: Population): Fit => {
  const weights = weightsOf(judged, population)
  const decisions = judged.map(
    (one, at): Required<Decision> => ({
      confidence: unbent(one),
      wasRight: one.right,
      weight: weights[at] ?? 1,
    }),
  )
  const without = Array.from({ length: folds }, (_, fold) =>
    recalibrate(
      unchanged,
      decisions.filter((__, at) => foldOf(at) !== fold),
    ),
  )
  const after = decisions.map(({ confidence, wasRight, weight }, at) => ({
    probability: recalibrated(without[foldOf(at)] ?? unchanged, confidence),
    right: wasRight,
    weight,
  }))
  const before = judged.map(({ confidence, right }, at) => ({
    probability: confidence,
    right,
    weight: weights[at] ?? 1,
  }))
  const plain = decisions.map(({ confidence, wasRight, weight }) => ({
    probability: confidence,
    right: wasRight,
    weight,
  }))
  const isBetter = logLoss(after) < logLoss(plain)
  return {
    ...(isBetter ? recalibrate(unchanged, decisions) : { ...unchanged, decisions: decisions.length }),
    errorBefore: calibrationError(before),
    errorAfter: calibrationError(isBetter ? after : plain),
  }
}

const judgedSince = async (workspaceId: string, days: number, now: Date) => {
  const { db } = database()
  const since = new Date(now.getTime() - days * dayMs)
  const [judged, population] = await Promise.all([
    listJudged(db, { workspaceId, since }),
    countStrata(db, { workspaceId, since }),
  ])
  return { judged, population }
}

/** The job `confidence.recalibrate`: fits anew and stores what came of it. Nothing judged, or the same fit again: nothing is stored. */
export const recalibrateConfidence = async (
  { workspaceId }: JobPayload<'confidence.recalibrate'>,
  { now = new Date() }: { now?: Date } = {},
): Promise<Recalibration | null> => {
  const { judged, population } = await judgedSince(workspaceId, fittedDays, now)
  if (judged.length === 0) return null
  const { bias, slope, decisions, errorBefore, errorAfter } = fitOf(judged, population)
  await database().db.transaction(async (tx) => {
    const [last] = await listFits(tx, workspaceId, 1)
    // As the columns keep them.
    const same = (one: number, other: number): boolean => Math.fround(one) === Math.fround(other)
    if (last?.decisions === decisions && same(last.slope, slope) && same(last.intercept, bias)) return
    const version = (last?.version ?? 0) + 1
    await insertFit(tx, {
      ...{ workspaceId, version, slope, intercept: bias, decisions },
      ...{ eceBefore: errorBefore, eceAfter: errorAfter },
    })
    await audit(tx, {
      actor: { userId: null, workspaceId },
      event: 'confidence.recalibrated',
      objectId: workspaceId,
      details: { version, slope, intercept: bias, decisions, errorBefore, errorAfter },
    })
  })
  memo().delete(workspaceId)
  return { bias, slope, decisions }
}

/** Puts workspaces that people have judged answers in since the last fit into the queue, each once a day; the worker calls it now and then. */
export const queueDueRecalibration = async (): Promise<void> => {
  const { db } = database()
  for (const workspaceId of await listRecalibrationDue(db, workspacesAtOnce))
    await db.transaction(async (tx) => {
      const mark = await takePoint(tx, `recalibrate:${workspaceId}`, daySeconds)
      if (mark.points === 1) await enqueue(tx, 'confidence.recalibrate', { workspaceId })
    })
}

type Held = { footnoteConfidenceFits?: Map<string, { untilMs: number; fit: Promise<Recalibration> }> }
// Next.js bundles its own copy of this module: what was read is one a process all the same.
const held = globalThis as typeof globalThis & Held
const memo = () => {
  held.footnoteConfidenceFits ??= new Map()
  return held.footnoteConfidenceFits
}

const readFit = async (workspaceId: string): Promise<Recalibration> => {
  const [fit] = await listFits(database().db, workspaceId, 1)
  return fit ? { bias: fit.intercept, slope: fit.slope, decisions: fit.decisions } : unchanged
}

/** How new confidences are bent in a workspace, for `recalibrated`; read again after a minute. Throws when it cannot be read. */
export const confidenceFit = (workspaceId: string, nowMs: number = Date.now()): Promise<Recalibration> => {
  const known = memo().get(workspaceId)
  if (known && known.untilMs > nowMs) return known.fit
  const fit = readFit(workspaceId)
  memo().set(workspaceId, { untilMs: nowMs + memoMs, fit })
  // What failed is asked again.
  fit.catch(() => memo().delete(workspaceId))
  return fit
}

/** What was said beside what people found, over some days, weighted as the fit is; and the fits so far. */
export const calibrationReport = async (
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  days: number,
  now: Date = new Date(),
): Promise<CalibrationReport> => {
  const [{ judged, population }, fits] = await Promise.all([
    judgedSince(workspaceId, days, now),
    listFits(database().db, workspaceId, fitsShown),
  ])
  const weights = weightsOf(judged, population)
  const outcomes = judged.map(({ confidence, right }, at) => ({
    probability: confidence,
    right,
    weight: weights[at] ?? 1,
  }))
  return {
    days,
    decisions: judged.length,
    error: judged.length === 0 ? null : calibrationError(outcomes),
    bins: reliability(outcomes).map(({ weight: _, ...bin }) => bin),
    fits: fits.map(({ version, slope, intercept, decisions, eceBefore, eceAfter, createdAt }) => ({
      ...{ version, slope, intercept, decisions },
      at: createdAt.toISOString(),
      errorBefore: eceBefore,
      errorAfter: eceAfter,
    })),
  }
}
