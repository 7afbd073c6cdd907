import { beforeEach, describe, expect, it } from 'vitest'
import { type Database, holdDatabase, rows, sql } from '#db/client.ts'
import { holdBudget } from '#db/queries/budgets.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { defaultGatewaySettings, type GatewaySettings, gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { type Admission, admit, type Reservation, settleLeases, sweepReservations } from './admit.ts'
import type { Candidate } from './call.ts'

const test = withDatabase()

/** A dollar a million tokens, so that a token is a micro-dollar. */
const costing = (modelId = 'a', microsPerToken = 1): Candidate => {
  const rate = microsPerToken * 1_000_000
  return {
    key: `test/${modelId}`,
    provider: { id: 'test', name: 'Test', kind: 'compatible', local: false, baseUrl: undefined },
    modelId,
    price: { input: rate, output: rate, cached: rate },
  } as Candidate
}
const free = { ...costing('free'), provider: { ...costing().provider, local: true } }

type Budgets = Partial<GatewaySettings['budgets']>
const settings = (budgets: Budgets = {}, over: Partial<GatewaySettings> = {}): GatewaySettings => ({
  ...defaultGatewaySettings,
  budgets: { ...defaultGatewaySettings.budgets, ...budgets },
  ...over,
})
const noTokenLimits = { tokenLimits: { userMinute: null, workspaceMinute: null } }

const noon = new Date('2026-11-21T12:00:30Z')
const later = (seconds: number, from = noon): Date => new Date(from.getTime() + seconds * 1_000)

let workspace: TestWorkspace
beforeEach(async () => {
  workspace = await createTestWorkspace(test.current())
})

const ask = (budgets: Budgets, micros: number, over: Partial<Admission> = {}): Promise<Reservation> =>
  admit({
    viewer: workspace.viewers.member,
    settings: settings(budgets, noTokenLimits),
    tokensIn: micros,
    tokensOutMax: 0,
    candidates: [costing()],
    at: noon,
    ...over,
  })

type Window = { scope: string; window: string; spent: number; reserved: number }

/** The windows of this test's workspace and people, by name. */
const windows = async (): Promise<Record<string, { spent: number; reserved: number }>> => {
  const found = await rows<Window>(
    test.current().db,
    sql`select scope, "window", spent_micros::int as spent, reserved_micros::int as reserved from budget_windows
        where scope in (${`workspace:${workspace.workspaceId}`}, ${`user:${workspace.viewers.member.userId}`},
          ${`user:${workspace.viewers.admin.userId}`})`,
  )
  return Object.fromEntries(
    found.map(({ scope, window, spent, reserved }) => [
      `${scope.split(':')[0]} ${window}`,
      { spent: Number(spent), reserved: Number(reserved) },
    ]),
  )
}

const counts = async (): Promise<{ reservations: number; counters: number }> => {
  const [found] = await rows<{ reservations: number; counters: number }>(
    test.current().db,
    sql`select (select count(*)::int from budget_reservations where scopes @> ${JSON.stringify([
      { scope: `workspace:${workspace.workspaceId}` },
    ])}::text::jsonb) as reservations,
      (select coalesce(sum(points), 0)::int from rate_limits
        where key in (${`tokens:workspace:${workspace.workspaceId}`}, ${`tokens:user:${workspace.viewers.member.userId}`}))
        as counters`,
  )
  return found ?? { reservations: -1, counters: -1 }
}

const refusal = async (admission: Promise<unknown>): Promise<Error & { publicMessage: string }> =>
  admission.then(
    () => expect.unreachable('it was admitted'),
    (error: unknown) => error as Error & { publicMessage: string },
  )

describe('budgets', () => {
  it('hold the price before the call and count what it cost after it', async () => {
    const reservation = await ask({ workspaceDayMicros: 1_000 }, 600)
    expect(reservation.micros).toBe(600)
    expect(await windows()).toEqual({
      'user day:2026-11-21': { spent: 0, reserved: 600 },
      'user month:2026-11': { spent: 0, reserved: 600 },
      'workspace day:2026-11-21': { spent: 0, reserved: 600 },
      'workspace month:2026-11': { spent: 0, reserved: 600 },
    })
    await reservation.settle({ costMicros: 450, tokens: 450 })
    expect((await windows())['workspace day:2026-11-21']).toEqual({ spent: 450, reserved: 0 })
    expect((await windows())['user month:2026-11']).toEqual({ spent: 450, reserved: 0 })
    expect(await counts()).toMatchObject({ reservations: 0 })
  })

  it('hold the price of the dearest model that may come to answer, its answer included', async () => {
    const { micros } = await ask({}, 100, { candidates: [free, costing(), costing('b', 7)], tokensOutMax: 10 })
    expect(micros).toBe(770)
  })

  it('admit what reaches the limit exactly and refuse one more', async () => {
    await ask({ userDayMicros: 1_000 }, 1_000)
    await expect(ask({ userDayMicros: 1_000 }, 1)).rejects.toMatchObject({ code: 'over-budget', status: 429 })
    await ask({ userDayMicros: 1_001 }, 1)
    await expect(ask({ userDayMicros: 500 }, 501, { viewer: workspace.viewers.admin })).rejects.toMatchObject({
      code: 'over-budget',
    })
  })

  it.each([
    ['userDayMicros', 'your budget for today', '22 November 2026 at 00:00 UTC', 43_170],
    ['userMonthMicros', 'your budget for this month', '1 December 2026 at 00:00 UTC', 820_770],
    ['workspaceDayMicros', 'your workspace’s budget for today', '22 November 2026 at 00:00 UTC', 43_170],
    ['workspaceMonthMicros', 'your workspace’s budget for this month', '1 December 2026 at 00:00 UTC', 820_770],
    ['workspaceMinuteMicros', 'your workspace’s budget for one minute', 'in 30 seconds', 30],
  ] as const)('say which one refused, when it is renewed and whom to ask: %s', async (name, words, when, seconds) => {
    await (await ask({ [name]: 100 }, 100)).settle({ costMicros: 100, tokens: 100 })
    const error = await refusal(ask({ [name]: 100 }, 1))
    expect(error).toMatchObject({ code: 'over-budget', retryAfterSeconds: seconds })
    expect(error.publicMessage).toContain(words)
    expect(error.publicMessage).toContain(when)
    expect(error.publicMessage).toContain('An admin')
  })

  it('tell a budget that other answers hold from one that is spent, and one that can never be enough', async () => {
    await ask({ userDayMicros: 100 }, 100)
    const held = await refusal(ask({ userDayMicros: 100 }, 1))
    expect(held).toMatchObject({ code: 'over-budget', retryAfterSeconds: 30 })
    expect(held.publicMessage).toContain('being written')
    const never = await refusal(ask({ userDayMicros: 100 }, 101))
    expect(never).toMatchObject({ code: 'over-budget', retryAfterSeconds: undefined })
    expect(never.publicMessage).toContain('at all')
  })

  it('of two scopes refuse by the one that is used up, and leave no trace in the other or anywhere', async () => {
    await (await ask({}, 500)).settle({ costMicros: 500, tokens: 500 })
    const [before, countsBefore] = [await windows(), await counts()]
    const both = { userDayMicros: 10_000, workspaceMonthMicros: 600, workspaceMinuteMicros: 10_000 }
    await expect(
      ask(both, 101, { settings: settings(both), instance: { dayMicros: 1_000_000, monthMicros: null } }),
    ).rejects.toMatchObject({ code: 'over-budget', context: { period: 'month', spentMicros: 500 } })
    expect(await windows()).toEqual(before)
    expect(await counts()).toEqual(countsBefore)
    await ask(both, 100)
  })

  it('of a workspace count all its people, of a person only their own', async () => {
    await ask({ userDayMicros: 600, workspaceDayMicros: 1_000 }, 600)
    const other = { viewer: workspace.viewers.admin }
    await expect(ask({ userDayMicros: 600, workspaceDayMicros: 1_000 }, 500, other)).rejects.toMatchObject({
      code: 'over-budget',
      context: { scope: `workspace:${workspace.workspaceId}` },
    })
    await ask({ userDayMicros: 600, workspaceDayMicros: 1_000 }, 400, other)
    const nobody = { viewer: { workspaceId: workspace.workspaceId, userId: null } }
    await expect(ask({ userDayMicros: 0, workspaceDayMicros: 1_000 }, 1, nobody)).rejects.toMatchObject({
      context: { scope: `workspace:${workspace.workspaceId}` },
    })
  })

  it('of the installation hold over workspaces', async () => {
    const at = new Date('2031-01-01T00:00:00Z')
    const instance = { dayMicros: 100, monthMicros: 150 }
    await (await ask({}, 100, { at, instance })).settle({ costMicros: 100, tokens: 0 })
    workspace = await createTestWorkspace(test.current())
    const error = await refusal(ask({}, 1, { at, instance }))
    expect(error).toMatchObject({ context: { scope: 'instance', period: 'day' } })
    expect(error.publicMessage).toContain('this installation’s budget for today')
    const tomorrow = later(86_400, at)
    await expect(ask({}, 51, { at: tomorrow, instance })).rejects.toMatchObject({ context: { period: 'month' } })
    await ask({}, 50, { at: tomorrow, instance })
  })

  it('begin anew at the end of their window in UTC, and not before', async () => {
    const full = { userDayMicros: 100, workspaceMinuteMicros: 100 }
    await (await ask(full, 100)).settle({ costMicros: 100, tokens: 100 })
    await expect(ask(full, 1, { at: later(29.999) })).rejects.toMatchObject({ context: { period: 'day' } })
    await ask({ workspaceMinuteMicros: 100 }, 100, { at: later(30) })
    await expect(ask(full, 1, { at: new Date('2026-11-21T23:59:59.999Z') })).rejects.toMatchObject({
      context: { period: 'day' },
      retryAfterSeconds: 1,
    })
    await ask(full, 100, { at: new Date('2026-11-22T00:00:00Z') })
  })

  it('begin anew in UTC also where the database keeps another time', async () => {
    const scope = `workspace:${workspace.workspaceId}`
    const answer = await test.current().db.transaction(async (tx) => {
      await tx.execute(sql`set local time zone 'Asia/Kolkata'`)
      return holdBudget(tx, {
        id: newId(),
        micros: 2,
        budgets: [{ scope, period: 'day', limitMicros: 1 }],
        tokens: 0,
        tokenLimits: [],
        expiresAfterSeconds: 900,
        at: new Date('2026-11-21T20:00:00Z'),
      })
    })
    expect(answer).toMatchObject({ refused: { waitSeconds: 14_400, resetsAt: new Date('2026-11-22T00:00:00Z') } })
  })

  it('count without a limit too, so that one that is set later knows what was spent', async () => {
    await (await ask({}, 700)).settle({ costMicros: 700, tokens: 700 })
    await expect(ask({ workspaceMonthMicros: 1_000 }, 301)).rejects.toMatchObject({ code: 'over-budget' })
  })

  it('let through what is free when they are used up', async () => {
    const none = { userDayMicros: 0, workspaceMonthMicros: 0 }
    const reservation = await ask(none, 5_000, { candidates: [free] })
    expect(reservation.micros).toBe(0)
    await reservation.settle({ costMicros: 0, tokens: 10 })
    expect(await windows()).toEqual({})
    await expect(ask(none, 1)).rejects.toMatchObject({ code: 'over-budget' })
  })

  it('refuse a call without a known price, or hold the dearest, by the workspace’s rule', async () => {
    const unpriced = { ...costing('unheard-of'), price: undefined }
    const refuse = settings({}, { ...noTokenLimits, unknownPrice: 'refuse' })
    await expect(ask({}, 10, { candidates: [unpriced], settings: refuse })).rejects.toMatchObject({
      code: 'price-unknown',
    })
    expect((await ask({}, 10, { candidates: [unpriced] })).micros).toBe(1_500)
  })

  it('refuse a call whose size is not a number', async () => {
    for (const tokensIn of [Number.NaN, -5, Number.POSITIVE_INFINITY])
      await expect(ask({ userDayMicros: 100 }, tokensIn)).rejects.toMatchObject({ code: 'internal' })
    await expect(ask({ userDayMicros: 100 }, Number.NaN, { candidates: [free] })).rejects.toMatchObject({
      code: 'internal',
    })
  })
})

describe('fifty calls at once', () => {
  it('never pass a limit by what is spent and held together', async () => {
    const limits = { userDayMicros: 1_000, workspaceDayMicros: 1_500, workspaceMinuteMicros: 1_200 }
    const people = [workspace.viewers.member, workspace.viewers.admin]
    const calls = await Promise.allSettled(
      Array.from({ length: 50 }, (_, call) => {
        const viewer = people[call % 2] ?? workspace.viewers.member
        return ask(limits, 70, { viewer })
      }),
    )
    const admitted = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []))
    // 17 × 70 = 1,190 fit into the minute, and an 18th would not.
    expect(admitted).toHaveLength(17)
    for (const call of calls) if (call.status === 'rejected') expect(call.reason).toMatchObject({ code: 'over-budget' })
    expect((await windows())['workspace minute:2026-11-21T12:00']).toEqual({ spent: 0, reserved: 1_190 })
    expect(await counts()).toMatchObject({ reservations: 17 })
    await Promise.all(admitted.map(({ settle }) => settle({ costMicros: 60, tokens: 60 })))
    expect((await windows())['workspace minute:2026-11-21T12:00']).toEqual({ spent: 1_020, reserved: 0 })
  })

  it('come out right with settling, releasing and sweeping among them', async () => {
    const limits = { workspaceDayMicros: 1_000 }
    let spent = 0
    const one = async (call: number): Promise<void> => {
      const reservation = await ask(limits, 50, { settings: settings(limits) }).catch(() => undefined)
      if (!reservation) return
      const { spent: counted = 0, reserved = 0 } = (await windows())['workspace day:2026-11-21'] ?? {}
      expect(counted + reserved).toBeLessThanOrEqual(1_000)
      if (call % 5 === 0) return reservation.release()
      spent += 30
      await Promise.all([
        reservation.settle({ costMicros: 30, tokens: 30 }),
        reservation.settle({ costMicros: 30, tokens: 30 }),
        sweepReservations(noon),
      ])
    }
    await Promise.all(Array.from({ length: 50 }, (_, call) => one(call)))
    expect(spent).toBeGreaterThan(0)
    expect((await windows())['workspace day:2026-11-21']).toEqual({ spent, reserved: 0 })
    expect((await windows())['user month:2026-11']).toEqual({ spent, reserved: 0 })
    expect(await counts()).toEqual({ reservations: 0, counters: 2 * spent })
  })
})

describe('a reservation', () => {
  const day = async () => (await windows())['workspace day:2026-11-21']

  it('is settled once: again, released afterwards or both at once changes nothing', async () => {
    const reservation = await ask({}, 100)
    await Promise.all([
      reservation.settle({ costMicros: 80, tokens: 80 }),
      reservation.settle({ costMicros: 80, tokens: 80 }),
    ])
    await reservation.settle({ costMicros: 90, tokens: 90 })
    await reservation.release()
    expect(await day()).toEqual({ spent: 80, reserved: 0 })
  })

  it('is given back whole when no model was called', async () => {
    const reservation = await ask({ userDayMicros: 100 }, 100)
    await reservation.release()
    await reservation.settle({ costMicros: 80, tokens: 80 })
    expect(await day()).toEqual({ spent: 0, reserved: 0 })
    await ask({ userDayMicros: 100 }, 100)
  })

  it('counts whole when the cost is not known or makes no sense, and more than it held when the call cost more', async () => {
    await (await ask({}, 100)).settle({ costMicros: null, tokens: 0 })
    expect(await day()).toEqual({ spent: 100, reserved: 0 })
    await (await ask({}, 100)).settle({ costMicros: -1_000, tokens: 0 })
    expect(await day()).toEqual({ spent: 200, reserved: 0 })
    await (await ask({}, 100)).settle({ costMicros: 250, tokens: 0 })
    expect(await day()).toEqual({ spent: 450, reserved: 0 })
  })

  it('is counted in the windows it was made in when it ends in the next', async () => {
    const reservation = await ask({}, 100, { at: new Date('2026-11-21T23:59:59Z') })
    await ask({}, 1, { at: new Date('2026-11-22T00:00:00Z') })
    await reservation.settle({ costMicros: 80, tokens: 80 })
    expect(await day()).toEqual({ spent: 80, reserved: 0 })
    expect((await windows())['workspace day:2026-11-22']).toEqual({ spent: 0, reserved: 1 })
  })

  it('is given back by the sweep 15 minutes after its process died, once, and not before', async () => {
    await ask({}, 100)
    await sweepReservations(later(899))
    expect(await day()).toEqual({ spent: 0, reserved: 100 })
    await Promise.all([sweepReservations(later(900)), sweepReservations(later(900))])
    await sweepReservations(later(901))
    expect(await day()).toEqual({ spent: 0, reserved: 0 })
    expect(await counts()).toMatchObject({ reservations: 1 })
    await sweepReservations(later(900 + 86_401))
    expect(await counts()).toMatchObject({ reservations: 0 })
  })

  it('is counted, once, when its call ends after the sweep gave it back', async () => {
    const slow = await ask({}, 100)
    await ask({}, 10, { at: later(800) })
    await sweepReservations(later(900))
    await slow.settle({ costMicros: 80, tokens: 80 })
    await slow.settle({ costMicros: 80, tokens: 80 })
    expect(await day()).toEqual({ spent: 80, reserved: 10 })
  })

  it('of a dead process does not refuse the next call once it has expired', async () => {
    await ask({ userDayMicros: 100 }, 100)
    await expect(ask({ userDayMicros: 100 }, 100, { at: later(899) })).rejects.toMatchObject({ code: 'over-budget' })
    await ask({ userDayMicros: 100 }, 100, { at: later(900) })
    expect(await day()).toEqual({ spent: 0, reserved: 100 })
  })
})

describe('calls in numbers', () => {
  /** By the real clock, which is what lets calls share a reservation. */
  const now = (
    budgets: Budgets,
    micros: number,
    tokenLimits: GatewaySettings['tokenLimits'] = noTokenLimits.tokenLimits,
  ) =>
    admit({
      viewer: workspace.viewers.member,
      settings: settings(budgets, { tokenLimits }),
      tokensIn: micros,
      tokensOutMax: 0,
      candidates: [costing()],
    })
  const workspaceDay = async () =>
    Object.entries(await windows()).find(([name]) => name.startsWith('workspace day'))?.[1] ?? {
      spent: -1,
      reserved: -1,
    }

  it('share reservations where plenty is left, and are counted to the micro-dollar', async () => {
    const limits = { userDayMicros: 1_000_000, workspaceMonthMicros: 1_000_000 }
    const wide = { userMinute: 1_000_000, workspaceMinute: 1_000_000 }
    for (let call = 0; call < 40; call += 1)
      await (await now(limits, 10, wide)).settle({ costMicros: call === 7 ? null : 3, tokens: 5 })
    // The first is alone; 64 fit into a lease.
    expect((await counts()).reservations).toBeLessThanOrEqual(2)
    const { spent, reserved } = await workspaceDay()
    expect(spent + reserved).toBeGreaterThanOrEqual(39 * 3 + 10)
    await settleLeases()
    expect(await workspaceDay()).toEqual({ spent: 39 * 3 + 10, reserved: 0 })
    expect(await counts()).toEqual({ reservations: 0, counters: 2 * 40 * 5 })
  })

  it('are reserved before they go, also in a lease', async () => {
    const limits = { userDayMicros: 100_000 }
    await now(limits, 10)
    const open = await now(limits, 10)
    expect((await workspaceDay()).reserved).toBeGreaterThanOrEqual(20)
    await settleLeases()
    expect((await workspaceDay()).spent).toBe(0)
    await open.settle({ costMicros: 4, tokens: 0 })
    await settleLeases()
    expect(await workspaceDay()).toEqual({ spent: 4, reserved: 10 })
  })

  it('never pass a limit together, and near it none is kept from what is left', async () => {
    const limits = { workspaceDayMicros: 2_000 }
    let admitted = 0
    for (let wave = 0; wave < 4; wave += 1) {
      const calls = await Promise.allSettled(Array.from({ length: 50 }, () => now(limits, 30)))
      for (const call of calls) {
        const { spent, reserved } = await workspaceDay()
        expect(spent + reserved).toBeLessThanOrEqual(2_000)
        if (call.status === 'rejected') expect(call.reason).toMatchObject({ code: 'over-budget' })
        else {
          admitted += 1
          await call.value.settle({ costMicros: 30, tokens: 30 })
        }
      }
      await settleLeases()
    }
    // 66 × 30 = 1,980.
    expect(admitted).toBe(66)
    expect(await workspaceDay()).toEqual({ spent: 1_980, reserved: 0 })
  })
})

describe('tokens a minute', () => {
  const limited = (userMinute: number | null, workspaceMinute: number | null = null) =>
    settings({}, { tokenLimits: { userMinute, workspaceMinute } })
  const send = (tokensIn: number, tokensOutMax: number, over: Partial<Admission> = {}): Promise<Reservation> =>
    ask({}, tokensIn, { tokensOutMax, candidates: [free], settings: limited(1_000), ...over })

  it('are held before by what may be answered and corrected by what was', async () => {
    const reservation = await send(500, 500)
    const error = await refusal(send(1, 0))
    expect(error).toMatchObject({ code: 'tokens-limited', status: 429, retryAfterSeconds: 60 })
    expect(error.publicMessage).toContain('Try again in 60 seconds')
    await reservation.settle({ costMicros: 0, tokens: 600 })
    await reservation.settle({ costMicros: 0, tokens: 600 })
    await expect(send(401, 0)).rejects.toMatchObject({ code: 'tokens-limited' })
    const rest = await send(400, 0)
    await rest.settle({ costMicros: 0, tokens: 450 })
    await expect(send(1, 0, { settings: limited(1_050) })).rejects.toMatchObject({ code: 'tokens-limited' })
    await send(1, 0, { settings: limited(1_051) })
  })

  it('are free again after the minute, and a call of the last one does not change the next', async () => {
    const slow = await send(1_000, 0)
    await expect(send(1, 0, { at: later(59) })).rejects.toMatchObject({ retryAfterSeconds: 1 })
    await send(900, 0, { at: later(60) })
    await slow.settle({ costMicros: 0, tokens: 0 })
    await expect(send(101, 0, { at: later(61) })).rejects.toMatchObject({ code: 'tokens-limited' })
    await send(100, 0, { at: later(61) })
  })

  it('of a workspace count all its people, and a refusal takes none of the person’s own', async () => {
    const both = { settings: limited(1_000, 1_500) }
    await send(900, 0, both)
    await expect(send(700, 0, { ...both, viewer: workspace.viewers.admin })).rejects.toMatchObject({
      context: { key: `tokens:workspace:${workspace.workspaceId}` },
    })
    await send(1_000, 0, { viewer: workspace.viewers.admin })
  })

  it('say so when one call needs more than a minute has', async () => {
    const error = await refusal(send(1_001, 0))
    expect(error).toMatchObject({ code: 'tokens-limited', retryAfterSeconds: undefined })
    expect(error.publicMessage).toContain('Shorten it')
  })

  it('hold against fifty calls at once, exactly', async () => {
    const calls = await Promise.allSettled(Array.from({ length: 50 }, () => send(60, 0)))
    expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(16)
    expect(await counts()).toMatchObject({ counters: 960 })
  })

  it('do not break on the largest limits and answers', async () => {
    const wide = { settings: limited(Number.MAX_SAFE_INTEGER) }
    await (await send(2 ** 40, 2 ** 40, wide)).settle({ costMicros: 0, tokens: 2 ** 50 })
    await (await send(2 ** 40, 0, wide)).settle({ costMicros: 0, tokens: 5 })
  })
})

describe('without a database', () => {
  it('nothing is admitted', async () => {
    const down = {
      db: { transaction: () => Promise.reject(new Error('connection refused')) },
    } as unknown as Database
    const working = test.current()
    holdDatabase(down)
    try {
      await expect(ask({}, 1)).rejects.toMatchObject({ code: 'not-ready', status: 503 })
      await expect(ask({}, 1, { candidates: [free], settings: gatewaySettingsSchema.parse({}) })).rejects.toMatchObject(
        { code: 'not-ready' },
      )
    } finally {
      holdDatabase(working)
    }
  })
})
