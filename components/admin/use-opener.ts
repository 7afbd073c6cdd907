'use client'
import { useRef } from 'react'

/** Gives the focus back to what opened a dialog, or to the page when that is gone; a dialog without a trigger would drop it. */
export const useOpener = () => {
  const opener = useRef<Element | null>(null)
  return {
    remember: () => {
      opener.current = document.activeElement
    },
    giveBack: (event: Event) => {
      event.preventDefault()
      const there = opener.current?.isConnected ? opener.current : document.getElementById('main')
      if (there instanceof HTMLElement) there.focus()
    },
  }
}
