'use client'
import { useSyncExternalStore } from 'react'

/** Whoever speaks to their computer, or brushes over keys, can switch off the keys of one letter (WCAG 2.1.4). Kept in this browser. */
const storageKey = 'footnote-letter-keys'
const listeners = new Set<() => void>()
/** Where the storage is full or forbidden it holds until the page is left. */
let chosen: boolean | null = null

/** Whether keys of one letter do something. */
export const letterKeysOn = (): boolean => {
  if (chosen !== null) return chosen
  try {
    return localStorage.getItem(storageKey) !== 'off'
  } catch {
    return true
  }
}

const setLetterKeys = (on: boolean): void => {
  chosen = on
  try {
    if (on) localStorage.removeItem(storageKey)
    else localStorage.setItem(storageKey, 'off')
  } catch {
    // It is as chosen while this page is open.
  }
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void): (() => void) => {
  // In another tab: what is stored counts.
  const onStorage = ({ key }: StorageEvent) => {
    if (key !== storageKey) return
    chosen = null
    listener()
  }
  listeners.add(listener)
  window.addEventListener('storage', onStorage)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', onStorage)
  }
}

export const useLetterKeys = (): { on: boolean; set: (on: boolean) => void } => ({
  on: useSyncExternalStore(subscribe, letterKeysOn, () => true),
  set: setLetterKeys,
})
