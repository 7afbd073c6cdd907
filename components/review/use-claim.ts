'use client'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { DeskItem, Timed } from './desk-contract.ts'
import { getItem, renew, takeUp } from './review-wire.ts'
import { holderOf } from './review-words.ts'
import { useNow } from './use-now.ts'

const renewEveryMs = 60_000
const lookEveryMs = 10_000
/** Who has touched nothing for so long is not working on it. */
const idleAfterMs = 120_000

/**
 * Who has the answer that is open: taken up when it is opened, renewed while somebody works, let run out when nobody does. What others
 * do with it meanwhile is learned within seconds.
 */
export const useClaim = (opened: DeskItem, viewerId: string) => {
  const [shown, setShown] = useState(opened)
  const { item } = shown
  const [trouble, setTrouble] = useState<string | null>(null)
  const nowMs = useNow(shown)
  const activeAt = useRef(Date.now())
  const { who } = holderOf(item, viewerId, nowMs)
  const isOpen = item.state === 'open'

  // What one is working on stays as it is; who has it and what others say of it is new.
  const look = useCallback(async () => {
    const got = await getItem(opened.item.id)
    if ('error' in got) {
      setTrouble(got.error)
      return
    }
    setTrouble(null)
    const { text, claims, citations, contentHash, draft, ...news } = got.value.item
    setShown((before) => ({ ...got.value, item: { ...before.item, ...news } }))
  }, [opened.item.id])

  const claimed = useCallback(
    ({ until, ...time }: Timed<{ until: string }>) => {
      setTrouble(null)
      setShown((before) => ({
        ...time,
        item: { ...before.item, cannot: null, claimedBy: { id: viewerId, name: 'you', until } },
      }))
    },
    [viewerId],
  )
  const take = useCallback(
    async (takeOver = false) => {
      const got = await takeUp(opened.item.id, takeOver)
      if ('value' in got) claimed(got.value)
      else {
        await look()
        // Who has it is said beside it; anything else is said in its own words.
        if (got.code !== 'conflict') setTrouble(got.error)
      }
    },
    [opened.item.id, claimed, look],
  )

  // Taken up on opening, and again when somebody comes back to it and it is still free.
  const [attempts, setAttempts] = useState(0)
  const free = isOpen && who === 'nobody'
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever comes back tries again
  useEffect(() => {
    if (free && Date.now() - activeAt.current < idleAfterMs) void take()
  }, [free, take, attempts])

  const mine = isOpen && who === 'you'
  useEffect(() => {
    const onActive = () => {
      const wasIdle = Date.now() - activeAt.current >= idleAfterMs
      activeAt.current = Date.now()
      if (wasIdle) setAttempts((count) => count + 1)
    }
    for (const event of ['keydown', 'pointerdown', 'pointermove', 'scroll'] as const)
      window.addEventListener(event, onActive, { passive: true, capture: true })
    const keep = setInterval(async () => {
      if (!mine || Date.now() - activeAt.current >= idleAfterMs) return
      const got = await renew(opened.item.id)
      if ('value' in got) claimed(got.value)
      else await look()
    }, renewEveryMs)
    const watch = setInterval(() => {
      if (document.visibilityState === 'visible') void look()
    }, lookEveryMs)
    return () => {
      for (const event of ['keydown', 'pointerdown', 'pointermove', 'scroll'] as const)
        window.removeEventListener(event, onActive, { capture: true })
      clearInterval(keep)
      clearInterval(watch)
    }
  }, [mine, opened.item.id, claimed, look])

  return { item, shown, nowMs, mine, trouble, look, takeOver: () => take(true) }
}
