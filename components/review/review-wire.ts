'use client'
/** The desk's requests that are no actions: those that go on beside each other, or while the page goes away. None throws. */
import type { PublicError } from '#lib/shared/errors.ts'
import type { ReviewFilter } from '#lib/shared/review-contract.ts'
import type { DeskItem, QueueData, Timed } from './desk-contract.ts'
import { unreachable } from './outbox.ts'

export type Got<T> = { value: T } | { error: string; code: PublicError['code'] | null }

const ask = async <T extends Timed<object> | null>(path: string, init: RequestInit = {}): Promise<Got<T>> => {
  try {
    const response = await fetch(`/api/review${path}`, {
      cache: 'no-store',
      ...init,
      ...(init.body ? { headers: { 'content-type': 'application/json' } } : {}),
    })
    if (response.status === 204) return { value: null as T }
    const body = (await response.json()) as T & Timed<{ error?: PublicError }>
    if (response.ok) return { value: { ...body, skewMs: Date.parse(body.now) - Date.now() } }
    return { error: body.error?.message ?? unreachable, code: body.error?.code ?? null }
  } catch {
    return { error: unreachable, code: null }
  }
}

export const getItem = (itemId: string): Promise<Got<DeskItem>> => ask(`/${itemId}`)
export const getQueue = (query: string): Promise<Got<QueueData>> => ask(query)

/**
 * Takes up the next one; null when nothing waits. Whoever has taken up as many as they may gets one of those, such as what was loaded
 * ahead before the page was loaded anew. `except`, at most 50, are those that they have before them or have passed over.
 */
export const takeNext = async (
  filter: ReviewFilter,
  { viewerId, except }: { viewerId: string; except: readonly string[] },
): Promise<Got<DeskItem | null>> => {
  const but = except.length ? `?${new URLSearchParams({ except: except.join(',') })}` : ''
  const got = await ask<DeskItem | null>(`/next${but}`, { method: 'POST', body: JSON.stringify(filter) })
  if ('value' in got || got.code !== 'conflict') return got
  const mine = await getQueue('?whose=mine')
  const rows = 'value' in mine ? mine.value.rows : []
  const taken = rows.find(({ id, claimedBy }) => claimedBy?.id === viewerId && !except.includes(id))
  return taken ? getItem(taken.id) : got
}

type Claimed = Timed<{ until: string }>
export const takeUp = (itemId: string, takeOver = false): Promise<Got<Claimed>> =>
  ask(`/${itemId}/claim`, { method: 'PUT', body: JSON.stringify({ takeOver }) })
export const renew = (itemId: string): Promise<Got<Claimed>> => ask(`/${itemId}/claim`, { method: 'POST' })

/** Whatever becomes of it: a claim runs out by itself. */
export const letGo = (itemId: string): void => {
  void fetch(`/api/review/${itemId}/claim`, { method: 'DELETE', keepalive: true }).catch(() => undefined)
}
