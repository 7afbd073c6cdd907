'use client'
import { useEffect, useState } from 'react'
import type { Notice, Notices } from '#lib/shared/incidents-contract.ts'

const pollMs = 4_000

export type Asked = { notices: readonly Notice[] | null; tag: string | null; over: boolean }

/**
 * Asks once what is switched off. Null notices: as before, or not to be learned now; what is shown then stays. `over`: whoever asks is
 * no longer let in, and need not ask again.
 */
export const askNotices = async (plain: typeof fetch, tag: string | null): Promise<Asked> => {
  try {
    const response = await plain('/api/incidents', {
      cache: 'no-store',
      headers: tag ? { 'if-none-match': tag } : {},
    })
    if (!response.ok) return { notices: null, tag, over: response.status === 401 }
    const { notices } = (await response.json()) as Notices
    return { notices, tag: response.headers.get('etag'), over: false }
  } catch {
    return { notices: null, tag, over: false }
  }
}

/** What is switched off, as the server knew it a few seconds ago. A page that nobody looks at does not ask, and asks when it is seen again. */
export const useNotices = (initial: readonly Notice[]): readonly Notice[] => {
  const [notices, setNotices] = useState(initial)
  useEffect(() => {
    let tag: string | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    let ended = false
    const look = async () => {
      clearTimeout(timer)
      if (document.visibilityState === 'hidden') return
      const asked = await askNotices(window.fetch, tag)
      if (ended) return
      tag = asked.tag
      if (asked.notices) setNotices(asked.notices)
      clearTimeout(timer)
      if (!asked.over) timer = setTimeout(look, pollMs)
    }
    const onSeen = () => void look()
    timer = setTimeout(look, pollMs)
    document.addEventListener('visibilitychange', onSeen)
    return () => {
      ended = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onSeen)
    }
  }, [])
  return notices
}
