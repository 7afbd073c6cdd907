/**
 * Canaries: whether a model still does what it did. A few fixed questions are put to one model, on a schedule and as soon as it answers
 * under another id or fingerprint, and the share of the checks that hold is compared with its baseline.
 *
 * Promises: only the named model is asked, never its fallbacks; every call is reserved, settled and in the ledger (`canary`); it waits
 * behind chat; of several workers one asks; no connection is held meanwhile; only fixed words of ours leave, and to hosted models only
 * where the workspace allows them. A model that does not answer keeps its baseline, and one that had dropped stays so.
 */
import { randomBytes } from 'node:crypto'
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { z } from 'zod'
import { database } from '#db/client.ts'
import { listWorkspaceIds } from '#db/queries/alerts.ts'
import {
  type Canary,
  claimCanary,
  deleteCanary,
  holdCanary,
  listCanaries,
  listDroppedKeys,
  listLastServed,
  type Served,
  storeCanary,
} from '#db/queries/canaries.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { audit } from '#lib/audit.ts'
import { log } from '#lib/log.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { GatewaySettings } from '#lib/shared/gateway-settings.ts'
import { createMemo, type Memo } from '#lib/shared/memo.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Candidate, ModelEnd } from './call.ts'
import { type CanaryQuestion, canaryPromptVersion, canaryQuestions, judgeAnswers } from './canary-checks.ts'
import { callFigures, ledgerLine, promptIdentity } from './meter.ts'
import { meteredCall } from './metered.ts'
import { settingsOf } from './settings.ts'
import { listAskable } from './switched.ts'

const hourMs = 3_600_000
/** A right answer has at most sixty tokens. The rest is room for models that think before they speak, which would say nothing else. */
const tokensOutMax = 600
const callMsMax = 60_000
const runMsMax = 120_000
/** Many models are checked a few a minute, not all at once. */
const modelsPerSweepMax = 10
/** After a change, or without an answer, so long until the next look: a provider that serves two versions in turn must not cost a run a minute. */
const againMs = hourMs
/** What a model said of itself longer ago is left to the schedule. */
const heardMs = hourMs
/** Scores are stored in single precision. */
const rounding = 1e-6

/** What came of a run: an answer to every question, or why there was none. */
export type CanaryRun =
  | { answered: true; servedModel: string; fingerprint: string | null; score: number; detail: string }
  | { answered: false; detail: string }

type Known = Pick<
  Canary,
  | 'baselineServed'
  | 'baselineFingerprint'
  | 'servedModel'
  | 'fingerprint'
  | 'baselineScore'
  | 'score'
  | 'state'
  | 'detail'
>

const nothingKnown: Known = {
  baselineServed: null,
  baselineFingerprint: null,
  servedModel: null,
  fingerprint: null,
  baselineScore: null,
  score: null,
  state: 'unreachable',
  detail: '',
}

/** Whether both speak of different models. A fingerprint that one of them leaves out says nothing. */
const isOther = (before: Served, now: Served): boolean =>
  (before.servedModel !== null && now.servedModel !== null && before.servedModel !== now.servedModel) ||
  (before.fingerprint !== null && now.fingerprint !== null && before.fingerprint !== now.fingerprint)

/** What is known of a model after a run; `dropFrom` is the fall of the score (0 to 1) from which it has dropped. Pure. */
export const compareRun = (before: Known = nothingKnown, run: CanaryRun, dropFrom: number): Known => {
  // What had dropped and is silent now has not recovered.
  if (!run.answered)
    return before.state === 'dropped' ? before : { ...before, state: 'unreachable', detail: run.detail }
  const { servedModel, fingerprint, score, detail } = run
  const seen = { servedModel, fingerprint, score, detail }
  if (before.baselineScore === null)
    return { ...seen, state: 'ok', baselineServed: servedModel, baselineFingerprint: fingerprint, baselineScore: score }
  const baseline = {
    baselineServed: before.baselineServed,
    baselineFingerprint: before.baselineFingerprint,
    baselineScore: before.baselineScore,
  }
  const fall = before.baselineScore - score
  if (fall > rounding && fall >= dropFrom - rounding) return { ...baseline, ...seen, state: 'dropped' }
  const other = isOther({ servedModel: before.baselineServed, fingerprint: before.baselineFingerprint }, run)
  if (!other) return { ...baseline, ...seen, state: 'ok' }
  return {
    ...seen,
    state: 'changed',
    baselineServed: servedModel,
    baselineFingerprint: fingerprint,
    // The better of both: a model that gets a little worse with every version must not take its baseline down with it.
    baselineScore: Math.max(before.baselineScore, score),
  }
}

type Due = {
  before: Pick<Canary, 'state' | 'checkedAt' | 'servedModel' | 'fingerprint'> | undefined
  /** How the model answered last in any call; undefined when it has not of late. */
  heard: Served | undefined
  everyHours: number
  now: Date
}

/** Why a model is to be checked now; null when it is not. Pure. */
export const dueFor = ({ before, heard, everyHours, now }: Due): 'schedule' | 'change' | null => {
  const scheduled = everyHours > 0
  if (!before) return scheduled ? 'schedule' : null
  const ageMs = now.getTime() - before.checkedAt.getTime()
  const waitMs = before.state === 'unreachable' ? Math.min(againMs, everyHours * hourMs) : everyHours * hourMs
  if (scheduled && ageMs >= waitMs) return 'schedule'
  const rested = before.state === 'ok' || ageMs >= againMs
  return heard && rested && isOther(before, heard) ? 'change' : null
}

/** The candidates in their order, with those that have dropped behind the others; the built-in one stays the last resort. Pure. */
export const demoteDropped = (candidates: readonly Candidate[], dropped: ReadonlySet<string>): Candidate[] => {
  const rank = ({ key, provider }: Candidate): number => (provider.kind === 'built-in' ? 2 : dropped.has(key) ? 1 : 0)
  return candidates.toSorted((a, b) => rank(a) - rank(b))
}

type Held = { footnoteDroppedModels?: Memo<ReadonlySet<string>> }
const held = globalThis as typeof globalThis & Held
const droppedFreshMs = 5_000
/** One a process, whichever bundle asks. */
const droppedMemo = (): Memo<ReadonlySet<string>> => {
  held.footnoteDroppedModels ??= createMemo({ entriesMax: 1_000, ttlMs: droppedFreshMs })
  return held.footnoteDroppedModels
}

const noKeys: ReadonlySet<string> = new Set()

/** The keys of the models of a workspace that do worse than they did; read at most every five seconds. Never throws. */
export const droppedModels = (workspaceId: string): Promise<ReadonlySet<string>> =>
  droppedMemo()
    .get(workspaceId, async () => new Set(await listDroppedKeys(database().db, workspaceId)))
    .catch((error: unknown) => {
      // Fail open: it is a matter of order, and a call must not fail for it.
      log.warn({ err: error, workspaceId }, 'which models have dropped was not read')
      return noKeys
    })

type Payer = Pick<Viewer, 'workspaceId'> & { userId: string | null }
type Run = {
  payer: Payer
  candidate: Candidate
  rules: { settings: GatewaySettings; version: number }
  signal: AbortSignal
}

const isAllowed = ({ provider }: Candidate, settings: GatewaySettings): boolean =>
  settings.providers === 'any' || provider.local

const optionsOf = ({ instructions, ask, schema }: CanaryQuestion): LanguageModelV4CallOptions => ({
  prompt: [
    { role: 'system', content: instructions },
    { role: 'user', content: [{ type: 'text', text: ask(randomBytes(9).toString('base64url')) }] },
  ],
  maxOutputTokens: tokensOutMax,
  ...(schema
    ? {
        responseFormat: {
          type: 'json',
          name: 'canary',
          schema: z.toJSONSchema(schema) as NonNullable<
            Extract<LanguageModelV4CallOptions['responseFormat'], { type: 'json' }>['schema']
          >,
        },
      }
    : {}),
})

/** One question to one model, reserved before, settled and written down after. Throws as `runCandidates` and `admit`. */
const askOne = async (question: CanaryQuestion, run: Run): Promise<{ text: string; end: ModelEnd }> => {
  const { payer, candidate, rules, signal } = run
  const options = optionsOf(question)
  let text = ''
  let end: ModelEnd | undefined
  for await (const event of meteredCall({
    viewer: payer,
    settings: rules.settings,
    candidates: [candidate],
    options,
    lane: 'evaluation',
    signal,
    deadlines: { totalMs: callMsMax },
    tokensIn: estimateTokens(JSON.stringify(options.prompt)),
    tokensOutMax,
    line: {
      workspaceId: payer.workspaceId,
      userId: payer.userId,
      task: 'canary',
      feature: 'canary',
      flags: ['canary'],
      tier: candidate.tier,
      route: 'canary',
      policyVersion: rules.version,
      ...promptIdentity('canary', canaryPromptVersion, question.instructions),
    },
    record: (lines) => insertModelCalls(database().db, lines),
  })) {
    if (event.type === 'end') end = event.end
    else if (event.type === 'replace') text = ''
    else text += event.text
  }
  if (!end) throw new AppError('model-failed', { context: { reason: 'no end' } })
  return { text, end }
}

/**
 * Puts the canary's questions to one model, one after the other, and stops at the first that it does not answer. Throws
 * `over-budget`, `tokens-limited`, `price-unknown` when it may not be asked, and the signal's reason.
 */
const askAll = async (run: Run): Promise<CanaryRun> => {
  const limit = AbortSignal.timeout(runMsMax)
  const signal = AbortSignal.any([run.signal, limit])
  const answers: string[] = []
  let last: ModelEnd | undefined
  for (const question of canaryQuestions) {
    try {
      const { text, end } = await askOne(question, { ...run, signal })
      answers.push(text)
      last = end
    } catch (error) {
      run.signal.throwIfAborted()
      if (limit.aborted) return { answered: false, detail: 'It had not answered within two minutes.' }
      if (!(error instanceof AppError) || !unanswered.has(error.code)) throw error
      return { answered: false, detail: `It did not answer. ${error.publicMessage}` }
    }
  }
  if (!last) throw new Error('a canary without questions')
  // As the ledger has it, with which it is compared.
  const { servedModel, fingerprint } = ledgerLine({
    workspaceId: run.payer.workspaceId,
    task: 'canary',
    feature: 'canary',
    ...callFigures(last),
  })
  return {
    answered: true,
    servedModel: servedModel ?? run.candidate.modelId,
    fingerprint: fingerprint ?? null,
    ...judgeAnswers(answers),
  }
}

const unanswered = new Set<AppError['code']>(['model-failed', 'model-misconfigured'])

/** Runs a claimed canary and stores what came of it. */
const runCanary = async (run: Run, claimedKey: string, at: Date): Promise<Canary> => {
  const { payer, candidate, rules } = run
  const { workspaceId } = payer
  const outcome = await askAll(run)
  const stored = await database().db.transaction(async (tx) => {
    // A server without a named model has said by now which it has.
    const { key } = candidate
    if (key !== claimedKey) await deleteCanary(tx, { workspaceId, key: claimedKey })
    const before = await holdCanary(tx, { workspaceId, key })
    const after = compareRun(before, outcome, rules.settings.canary.dropFrom)
    const changedAt = before?.state === after.state ? before.changedAt : at
    const canary: Canary = { ...after, workspaceId, key, checkedAt: at, changedAt }
    await storeCanary(tx, canary)
    return canary
  })
  droppedMemo().purge(workspaceId)
  if (stored.state === 'dropped')
    log.warn(
      { model: stored.key, score: stored.score, baseline: stored.baselineScore },
      'a model does worse than it did',
    )
  return stored
}

const checkWorkspace = async (workspaceId: string, now: Date, signal: AbortSignal, most: number): Promise<number> => {
  const { db } = database()
  const rules = await settingsOf(workspaceId)
  const candidates = (await listAskable(workspaceId)).filter((candidate) => isAllowed(candidate, rules.settings))
  if (candidates.length === 0) return 0
  const [canaries, heard] = await Promise.all([
    listCanaries(db, workspaceId),
    listLastServed(db, workspaceId, new Date(now.getTime() - heardMs)),
  ])
  const { everyHours, alsoLocal } = rules.settings.canary
  let ran = 0
  for (const candidate of candidates) {
    if (ran >= most || signal.aborted) break
    const { key, modelId, provider } = candidate
    const before = canaries.find((one) => one.key === key)
    const why = dueFor({
      before,
      heard: heard.find((one) => one.provider === provider.name && one.requestedModel === modelId),
      everyHours: provider.local && !alsoLocal ? 0 : everyHours,
      now,
    })
    // Whoever claims it asks; other workers see that it was checked.
    if (!why || !(await claimCanary(db, { workspaceId, key, seenAt: before?.checkedAt ?? null, at: now }))) continue
    ran += 1
    await runCanary({ payer: { workspaceId, userId: null }, candidate, rules, signal }, key, now).catch(
      (error: unknown) => {
        if (signal.aborted) return
        // Not asked, for want of money or of a price: the next time it is due. What is known stays.
        log.warn({ err: error, workspaceId, model: key, why }, 'a canary could not be run')
      },
    )
  }
  return ran
}

let sweeping = false

/**
 * Runs the canaries that are due, one after the other, and resolves to how many that were; the worker calls it each minute. While one
 * sweep is under way in this process another does nothing. One workspace's trouble is not another's.
 */
export const sweepCanaries = async (
  now: Date = new Date(),
  signal: AbortSignal = new AbortController().signal,
): Promise<number> => {
  if (sweeping) return 0
  sweeping = true
  let ran = 0
  try {
    for (const workspaceId of await listWorkspaceIds(database().db)) {
      if (ran >= modelsPerSweepMax || signal.aborted) break
      ran += await checkWorkspace(workspaceId, now, signal, modelsPerSweepMax - ran).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error, workspaceId }, 'canaries were not run')
        return 0
      })
    }
  } finally {
    sweeping = false
  }
  return ran
}

/** Checks that an admin asked for and that are under way: the same again waits for the same. */
const checking = new Map<string, Promise<Canary>>()

const checkNow = async (viewer: Viewer, key: string): Promise<Canary> => {
  const { workspaceId, userId } = viewer
  const [rules, candidates] = await Promise.all([settingsOf(workspaceId), listAskable(workspaceId)])
  const candidate = candidates.find((one) => one.key === key)
  if (!candidate) throw new AppError('not-found')
  if (!isAllowed(candidate, rules.settings))
    throw new AppError('bad-request', {
      message: 'This workspace asks local models only, and this one is hosted. Allow hosted models to check it.',
    })
  return runCanary(
    { payer: { workspaceId, userId }, candidate, rules, signal: new AbortController().signal },
    key,
    new Date(),
  )
}

/**
 * Runs the canary of one model now, in at most two minutes, and resolves to what is stored. A model that does not answer is no error.
 * Throws `not-found`, `bad-request` in words where hosted models may not be asked, `over-budget`, `tokens-limited`, `price-unknown`.
 */
export const checkModel = (viewer: Viewer, key: string): Promise<Canary> => {
  const name = `${viewer.workspaceId} ${key}`
  const known = checking.get(name)
  if (known) return known
  const started = checkNow(viewer, key).finally(() => checking.delete(name))
  checking.set(name, started)
  return started
}

/** Takes what a model did at its last check for its baseline. Throws `not-found` when it has answered no check. */
export const acceptCanary = async (viewer: Viewer, key: string): Promise<void> => {
  const { workspaceId } = viewer
  await database().db.transaction(async (tx) => {
    const before = await holdCanary(tx, { workspaceId, key })
    if (!before || before.score === null) throw new AppError('not-found')
    const { servedModel, fingerprint, score, baselineScore } = before
    await storeCanary(tx, {
      ...before,
      baselineServed: servedModel,
      baselineFingerprint: fingerprint,
      baselineScore: score,
      state: 'ok',
      changedAt: before.state === 'ok' ? before.changedAt : new Date(),
    })
    await audit(tx, {
      actor: viewer,
      event: 'canary.accepted',
      objectId: key,
      details: { servedModel, fingerprint, score: [baselineScore, score] },
    })
  })
  droppedMemo().purge(workspaceId)
}
