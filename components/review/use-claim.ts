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

/** Why it could not be taken up, or looked at; what was asked for by a press is told whoever has it. */
type ClaimTrouble = { take: string | null; takeOver: string | null; look: string | null }
export const noTrouble: ClaimTrouble = { take: null, takeOver: null, look: null }

/** What of it is to be said: who else has it is said beside it. */
export const troubleOf = ({ take, takeOver, look }: ClaimTrouble, who: 'you' | 'other' | 'nobody'): string | null =>
  (who === 'nobody' ? take : null) ?? (who === 'you' ? null : takeOver) ?? look

/**
 * Who has the answer that is open: taken up when it is opened, renewed while somebody works, let run out when nobody does. What others
 * do with it meanwhile is learned within seconds.
 */
export const useClaim = (opened: DeskItem, viewerId: string) => {
  const [shown, setShown] = useState(opened)
  const { item } = shown
  const [trouble, setTrouble] = useState(noTrouble)
  const nowMs = useNow(shown)
  const activeAt = useRef(Date.now())
  const { who } = holderOf(item, viewerId, nowMs)
  const isOpen = item.state === 'open'

  // What one is working on stays as it is; who has it and what others say of it is new.
  const look = useCallback(async () => {
    const got = await getItem(opened.item.id)
    setTrouble((before) => ({ ...before, look: 'error' in got ? got.error : null }))
    if ('error' in got) return
    const { text, claims, citations, contentHash, draft, ...news } = got.value.item
    setShown((before) => ({ ...got.value, item: { ...before.item, ...news } }))
  }, [opened.item.id])

  const claimed = useCallback(
    ({ until, ...time }: Timed<{ until: string }>) => {
      setTrouble(noTrouble)
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
        setTrouble((before) => ({ ...before, [takeOver ? 'takeOver' : 'take']: got.error }))
        await look()
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
      if (document.visibilityState !== 'visible') return
      // What could not be taken up may be free to take by now, or the connection back.
      void (free && Date.now() - activeAt.current < idleAfterMs ? take() : look())
    }, lookEveryMs)
    return () => {
      for (const event of ['keydown', 'pointerdown', 'pointermove', 'scroll'] as const)
        window.removeEventListener(event, onActive, { capture: true })
      clearInterval(keep)
      clearInterval(watch)
    }
  }, [mine, free, opened.item.id, claimed, look, take])

  const said = isOpen ? troubleOf(trouble, who) : trouble.look
  return { item, shown, nowMs, mine, trouble: said, look, takeOver: () => take(true) }
}
