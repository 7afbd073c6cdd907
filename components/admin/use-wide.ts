'use client'
import { useCallback, useSyncExternalStore } from 'react'

/** True when the window is at least so many pixels wide; on the server it is taken to be. */
export const useWide = (px: number): boolean => {
  const query = `(min-width: ${px}px)`
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = window.matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    [query],
  )
  return useSyncExternalStore(
    subscribe,
    () => window.matchMedia(query).matches,
    () => true,
  )
}
