'use client'
import { useEffect, useState } from 'react'
import type { Timed } from './desk-contract.ts'

/** The server's time, in milliseconds since 1970, again each second: the clock of this machine may be wrong by hours. */
export const useNow = ({ now, skewMs: known }: Timed<object>): number => {
  const [nowMs, setNowMs] = useState(() => (known === undefined ? Date.parse(now) : Date.now() + known))
  useEffect(() => {
    const skewMs = known ?? Date.parse(now) - Date.now()
    const tick = () => setNowMs(Date.now() + skewMs)
    tick()
    const timer = setInterval(tick, 1_000)
    return () => clearInterval(timer)
  }, [now, known])
  return nowMs
}
