'use client'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { PublicError } from '#lib/shared/errors.ts'
import type { SourceData } from '#lib/shared/sources-contract.ts'
import { isBusy } from './source-words.ts'

const busyPollMs = 1_000
const idlePollMs = 15_000

const ask = async (): Promise<SourceData | string> => {
  try {
    const body = (await (await fetch('/api/sources')).json()) as SourceData | { error?: PublicError }
    if ('sources' in body) return body
    return body.error?.message ?? 'The list could not be read. Trying again.'
  } catch {
    return 'Footnote cannot be reached, so this list may be old. Trying again.'
  }
}

/** The sources as the server knows them: asked every second while one runs, now and then otherwise, never while hidden. */
export const useSources = (initial: SourceData): SourceData & { stale: string | null; reload(): Promise<void> } => {
  const [data, setData] = useState(initial)
  const [stale, setStale] = useState<string | null>(null)
  const asked = useRef(0)
  const isAnyBusy = data.sources.some(isBusy)

  const reload = useCallback(async () => {
    asked.current += 1
    const turn = asked.current
    const answer = await ask()
    // An older answer that comes late would bring back what was just changed.
    if (turn !== asked.current) return
    if (typeof answer === 'string') return setStale(answer)
    setData(answer)
    setStale(null)
  }, [])

  useEffect(() => {
    const look = () => {
      if (!document.hidden) void reload()
    }
    const timer = setInterval(look, isAnyBusy ? busyPollMs : idlePollMs)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [isAnyBusy, reload])

  return { ...data, stale, reload }
}
