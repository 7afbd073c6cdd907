/**
 * Many calls in one reservation. Where a budget has plenty left and calls of the same payer come in numbers, one reservation in the
 * database holds the price of several of them, and they draw on it in this process.
 *
 * Promises: nothing is drawn that the database has not reserved before, so limits hold as exactly as with a reservation a call; a
 * lease takes at most an eighth of what is left, and near a limit none is taken; it is drawn on for a second (so a call may
 * count in the window that ended within it) and settled when the last of its calls is.
 */
import type { BudgetAnswer, BudgetSettlement } from '#db/queries/budgets.ts'
import { log } from '#lib/log.ts'

export type Need = { micros: number; tokens: number }
/** What came of a call; null: what it drew. */
export type Used = { micros: number | null; tokens: number | null }
export type Drawn = { settle(used: Used): void }

type Held = { id: string; answer: BudgetAnswer }
type Lease = {
  id: string
  held: Need
  left: Need
  used: Need
  tokenHolds: BudgetSettlement['tokenHolds']
  untilMs: number
  open: number
  state: 'drawn on' | 'closed' | 'settled'
}
/** Calls that count in the same windows under the same limits. */
type Group = { lease: Lease | undefined; asking: Promise<void> | undefined; room: Need; heldMs: number }

const leaseMs = 1_000
const callsMax = 64
const roomPart = 8
const groupsMax = 1_000

export type Leases = {
  /** A part of a lease; undefined: reserve for this call alone. `hold` reserves for so many calls like it. Throws what `hold` throws. */
  draw(group: string, need: Need, hold: (calls: number) => Promise<Held>): Promise<Drawn | undefined>
  /** What a reservation of one call left: whether the next may be a lease. */
  note(group: string, room: Need): void
  /** Ends all leases. Resolves when those without an open call are settled. */
  close(): Promise<void>
}

export const createLeases = (
  settle: (settlement: BudgetSettlement) => Promise<void>,
  nowMs: () => number = () => performance.now(),
): Leases => {
  const groups = new Map<string, Group>()
  const alive = new Set<Lease>()
  const settling = new Set<Promise<void>>()

  const groupOf = (name: string): Group => {
    const group = groups.get(name) ?? {
      lease: undefined,
      asking: undefined,
      room: { micros: 0, tokens: 0 },
      heldMs: Number.NEGATIVE_INFINITY,
    }
    // The one used longest ago is the first.
    groups.delete(name)
    groups.set(name, group)
    const [oldest] = groups.keys()
    if (groups.size > groupsMax && oldest !== undefined) groups.delete(oldest)
    return group
  }

  const settleWhenDone = (lease: Lease): void => {
    if (lease.state !== 'closed' || lease.open > 0) return
    lease.state = 'settled'
    alive.delete(lease)
    const { id, held, used, tokenHolds } = lease
    const done = Promise.resolve()
      // Without a database it throws before it promises anything.
      .then(() => settle({ id, costMicros: used.micros, tokenHolds, moreTokens: used.tokens - held.tokens }))
      .catch((error: unknown) => log.error({ err: error }, 'a lease was not settled; it is given back when it expires'))
      .finally(() => settling.delete(done))
    settling.add(done)
  }
  const close = (lease: Lease): void => {
    if (lease.state === 'drawn on') lease.state = 'closed'
    settleWhenDone(lease)
  }

  const drawFrom = (lease: Lease | undefined, need: Need): Drawn | undefined => {
    if (lease?.state !== 'drawn on') return undefined
    if (nowMs() >= lease.untilMs || lease.left.micros < need.micros || lease.left.tokens < need.tokens) {
      close(lease)
      return undefined
    }
    lease.left = { micros: lease.left.micros - need.micros, tokens: lease.left.tokens - need.tokens }
    lease.open += 1
    let settled = false
    return {
      settle: ({ micros, tokens }) => {
        if (settled) return
        settled = true
        lease.open -= 1
        lease.used.micros += micros ?? need.micros
        lease.used.tokens += tokens ?? need.tokens
        settleWhenDone(lease)
      },
    }
  }

  const take = async (group: Group, need: Need, calls: number, hold: (calls: number) => Promise<Held>) => {
    const { id, answer } = await hold(calls)
    // Refused: others were quicker. This call asks for itself, and hears why.
    if ('refused' in answer) {
      group.room = { micros: 0, tokens: 0 }
      return
    }
    const held = { micros: need.micros * calls, tokens: need.tokens * calls }
    const lease: Lease = {
      id,
      held,
      left: held,
      used: { micros: 0, tokens: 0 },
      tokenHolds: answer.tokenHolds,
      untilMs: nowMs() + leaseMs,
      open: 0,
      state: 'drawn on',
    }
    alive.add(lease)
    group.lease = lease
    group.room = answer.room
    group.heldMs = nowMs()
    setTimeout(() => close(lease), leaseMs).unref()
  }

  return {
    draw: async (name, need, hold) => {
      const group = groupOf(name)
      await group.asking
      const drawn = drawFrom(group.lease, need)
      if (drawn) return drawn
      const fit = Math.min(
        need.micros > 0 ? group.room.micros / need.micros : Number.POSITIVE_INFINITY,
        need.tokens > 0 ? group.room.tokens / need.tokens : Number.POSITIVE_INFINITY,
      )
      const calls = Math.min(callsMax, Math.floor(fit / roomPart))
      if (calls < 2 || nowMs() - group.heldMs > leaseMs) return undefined
      group.asking ??= take(group, need, calls, hold).finally(() => {
        group.asking = undefined
      })
      await group.asking
      return drawFrom(group.lease, need)
    },
    note: (name, room) => {
      const group = groupOf(name)
      group.room = room
      group.heldMs = nowMs()
    },
    close: async () => {
      for (const lease of alive) close(lease)
      await Promise.all(settling)
    },
  }
}
