/**
 * Whether a call to a model may be made: its price is reserved in every budget before it, and settled with the real cost after it.
 *
 * Promises: spent and reserved together never pass a limit, however many calls come at once; a refused call leaves nothing behind;
 * a reservation is settled once, and one whose process died is given back. What cannot be counted is refused. It knows nothing of
 * requests a minute at a door (lib/limits.ts) or at a provider.
 */
import { database } from '#db/client.ts'
import { type BudgetHold, type BudgetRefusal, holdBudget, settleBudget, sweepBudget } from '#db/queries/budgets.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { GatewaySettings } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Candidate } from './call.ts'
import { priceOf } from './cost.ts'
import { createLeases } from './lease.ts'

/** Limits of the whole installation, in micro-dollars; null is none. */
export type InstanceBudgets = { dayMicros: number | null; monthMicros: number | null }

export type Admission = {
  /** Who pays; work of a workspace that nobody asked for has no user. */
  viewer: Pick<Viewer, 'workspaceId'> & { readonly userId: string | null }
  settings: Pick<GatewaySettings, 'budgets' | 'tokenLimits' | 'unknownPrice'>
  /** Estimated, not less than what will be sent. */
  tokensIn: number
  /** The most that the call may answer with. */
  tokensOutMax: number
  /** Every model that may come to answer; the dearest of them is reserved. */
  candidates: readonly Candidate[]
  instance?: InstanceBudgets
  /** The moment of the call, for tests; the database's clock otherwise, which all replicas share. */
  at?: Date
}

export type Reservation = {
  /** Micro-dollars that are held. */
  readonly micros: number
  /**
   * Replaces what is held by what was used. An unknown cost (null) counts as all that was held. After the first time, and after
   * `release`, it does nothing. What was drawn from a lease is stored within seconds, the rest when this resolves.
   */
  settle(actual: { costMicros: number | null; tokens: number }): Promise<void>
  /** Gives everything back: no model was called. */
  release(): Promise<void>
}

/** Longer than any call may take. */
const expiresAfterSeconds = 900
const tokenWindowSeconds = 60
/** When others hold the rest, their answers end about then and give some of it back. */
const heldWaitSeconds = 30
/** A counter's widest number: a limit above it can not be reached. */
const tokensMost = 2_147_483_647

/**
 * Reserves what the call can cost at most. Throws `over-budget` or `tokens-limited` with words and the seconds to wait,
 * `price-unknown` by the workspace's rule, and `not-ready` when the budgets cannot be read.
 */
export const admit = async (admission: Admission): Promise<Reservation> => {
  const { viewer, settings, tokensIn, tokensOutMax, candidates, instance, at } = admission
  // Fail closed: a call whose size is not a number has no upper bound.
  if (!isAmount(tokensIn) || !isAmount(tokensOutMax))
    throw new AppError('internal', { context: { tokensIn, tokensOutMax } })
  const micros = Math.max(0, ...candidates.map((candidate) => mostMicros(candidate, admission)))
  const tokens = Math.min(tokensMost, tokensIn + tokensOutMax)
  const hold: BudgetHold = {
    id: newId(),
    micros,
    // What is free fits into every budget, also one that is used up.
    budgets: micros === 0 ? [] : budgetsOf(viewer, settings, instance),
    tokens,
    tokenLimits: tokenLimitsOf(viewer, settings),
    expiresAfterSeconds,
    at,
  }
  if (hold.budgets.length === 0 && hold.tokenLimits.length === 0) return nothingHeld
  // A given moment is a call's own: it shares nothing with calls of other moments.
  const group = at ? undefined : JSON.stringify([hold.budgets, hold.tokenLimits])
  const drawn = group === undefined ? undefined : await leases.draw(group, { micros, tokens }, holdFor(hold))
  const settle: Reservation['settle'] = drawn
    ? async ({ costMicros, tokens: used }) =>
        drawn.settle({
          micros: isAmount(costMicros) ? costMicros : null,
          tokens: isAmount(used) ? Math.min(tokensMost, used) : null,
        })
    : await holdAlone(hold, group)
  return { micros, settle, release: () => settle({ costMicros: 0, tokens: 0 }) }
}

const leases = createLeases((settlement) => settleBudget(database().db, settlement))

/** Settles what calls drew in advance; when the process ends. */
export const settleLeases = (): Promise<void> => leases.close()

const holdFor = (hold: BudgetHold) => async (calls: number) => {
  const id = newId()
  return { id, answer: await decide({ ...hold, id, micros: hold.micros * calls, tokens: hold.tokens * calls }) }
}

const holdAlone = async (hold: BudgetHold, group: string | undefined): Promise<Reservation['settle']> => {
  const { id, micros, tokens } = hold
  const answer = await decide(hold)
  if ('refused' in answer) throw refusalError(answer.refused, { micros, tokens })
  const { tokenHolds, room } = answer
  if (group !== undefined) leases.note(group, room)
  return (actual) =>
    settleBudget(database().db, {
      id,
      costMicros: isAmount(actual.costMicros) ? actual.costMicros : micros,
      tokenHolds,
      moreTokens: isAmount(actual.tokens) ? Math.min(tokensMost, actual.tokens) - tokens : 0,
    })
}

/** Gives back what dead processes hold; the worker calls it now and then. Resolves to the number of reservations. */
export const sweepReservations = (at?: Date): Promise<number> => sweepBudget(database().db, at)

const nothingHeld: Reservation = { micros: 0, settle: () => Promise.resolve(), release: () => Promise.resolve() }

const isAmount = (value: number | null): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const mostMicros = (candidate: Candidate, { settings, tokensIn, tokensOutMax }: Admission): number =>
  priceOf(candidate, settings).micros({ in: tokensIn, out: tokensOutMax, cached: 0 }) ?? Number.MAX_SAFE_INTEGER

export const budgetsOf = (
  { userId, workspaceId }: Admission['viewer'],
  { budgets }: Pick<GatewaySettings, 'budgets'>,
  instance: InstanceBudgets = { dayMicros: null, monthMicros: null },
): BudgetHold['budgets'] => {
  const user = `user:${userId}`
  const workspace = `workspace:${workspaceId}`
  // Days and months are counted without a limit too: one that an admin sets at noon knows the morning.
  return [
    ...(userId
      ? [
          { scope: user, period: 'day', limitMicros: budgets.userDayMicros } as const,
          { scope: user, period: 'month', limitMicros: budgets.userMonthMicros } as const,
        ]
      : []),
    { scope: workspace, period: 'day', limitMicros: budgets.workspaceDayMicros },
    { scope: workspace, period: 'month', limitMicros: budgets.workspaceMonthMicros },
    ...[
      { scope: workspace, period: 'minute', limitMicros: budgets.workspaceMinuteMicros } as const,
      { scope: 'instance', period: 'day', limitMicros: instance.dayMicros } as const,
      { scope: 'instance', period: 'month', limitMicros: instance.monthMicros } as const,
    ].filter(({ limitMicros }) => limitMicros !== null),
  ]
}

const tokenLimitsOf = (
  { userId, workspaceId }: Admission['viewer'],
  { tokenLimits }: Pick<GatewaySettings, 'tokenLimits'>,
): BudgetHold['tokenLimits'] =>
  [
    { key: `tokens:user:${userId}`, limit: userId ? tokenLimits.userMinute : null },
    { key: `tokens:workspace:${workspaceId}`, limit: tokenLimits.workspaceMinute },
  ].flatMap(({ key, limit }) => (limit === null ? [] : [{ key, limit, seconds: tokenWindowSeconds }]))

/** Tries once more when it would be refused for what a dead process holds. */
const decide = async (hold: BudgetHold): ReturnType<typeof holdBudget> => {
  const { db } = database()
  try {
    const answer = await holdBudget(db, hold)
    const heldByOthers = 'refused' in answer && answer.refused.by === 'budget' && answer.refused.reservedMicros > 0
    return heldByOthers && (await sweepBudget(db, hold.at)) > 0 ? await holdBudget(db, hold) : answer
  } catch (cause) {
    // Fail closed: without its budgets a workspace spends nothing.
    throw new AppError('not-ready', {
      cause,
      message: 'The budgets cannot be read right now, so no language model was asked. Try again in a few seconds.',
      context: { reason: 'budgets' },
    })
  }
}

const refusalError = (refusal: BudgetRefusal, asked: { micros: number; tokens: number }): AppError => {
  const context = { ...refusal, asked }
  if (refusal.by === 'tokens') {
    const { limit, waitSeconds, key } = refusal
    const whose = key.startsWith('tokens:user:') ? 'you' : 'your workspace'
    if (asked.tokens > limit)
      return new AppError('tokens-limited', {
        message: `This needs more text at once than ${whose} may send to a model in a minute. Shorten it, or ask an admin to raise the limit.`,
        context,
      })
    return new AppError('tokens-limited', {
      message: `That is more text than ${whose} may send to a model in a minute. Try again in ${inSeconds(waitSeconds)}; an admin can raise the limit.`,
      retryAfterSeconds: waitSeconds,
      context,
    })
  }
  const { limitMicros, spentMicros, waitSeconds, resetsAt, period } = refusal
  const name = budgetName(refusal)
  if (asked.micros > limitMicros)
    return new AppError('over-budget', {
      message: `This could cost more than ${name} allows at all, so no model was asked. ${whomToAsk(refusal)}`,
      context,
    })
  if (spentMicros + asked.micros <= limitMicros)
    return new AppError('over-budget', {
      message: `The rest of ${name} is held by answers that are being written. Try again in ${inSeconds(heldWaitSeconds)}. ${whomToAsk(refusal)}`,
      retryAfterSeconds: Math.min(heldWaitSeconds, waitSeconds),
      context,
    })
  const when = period === 'minute' ? `in ${inSeconds(waitSeconds)}` : `on ${inWords(resetsAt)}`
  return new AppError('over-budget', {
    message: `Too little is left of ${name} for this. It is renewed ${when}. ${whomToAsk(refusal)}`,
    retryAfterSeconds: waitSeconds,
    context,
  })
}

type OverBudget = Extract<BudgetRefusal, { by: 'budget' }>

const budgetName = ({ scope, period }: OverBudget): string => {
  const whose = scope === 'instance' ? 'this installation’s' : scope.startsWith('user:') ? 'your' : 'your workspace’s'
  return `${whose} budget ${period === 'day' ? 'for today' : period === 'month' ? 'for this month' : 'for one minute'}`
}

const whomToAsk = ({ scope }: OverBudget): string =>
  scope === 'instance'
    ? 'Whoever runs this installation can raise it.'
    : 'An admin of your workspace can raise it on the Models page.'

const inSeconds = (seconds: number): string => `${seconds} second${seconds === 1 ? '' : 's'}`

const dateWords = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })

/** Budgets begin at midnight UTC, wherever their reader is. */
const inWords = (resetsAt: Date): string => `${dateWords.format(resetsAt)} at 00:00 UTC`
