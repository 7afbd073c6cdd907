'use client'
import { useSearchParams } from 'next/navigation'

export type Address = {
  get(name: string): string | null
  /** Changes parts of the query; null takes one out. `push` makes a step that Back undoes. */
  set(changes: Record<string, string | null>, how?: 'replace' | 'push'): void
}

/** State that belongs in the address, so that it survives a reload and can be sent to somebody. No request is made. */
export const useAddress = (): Address => {
  const params = useSearchParams()
  return {
    get: (name) => params.get(name),
    set: (changes, how = 'replace') => {
      const next = new URLSearchParams(window.location.search)
      for (const [name, value] of Object.entries(changes)) {
        if (value) next.set(name, value)
        else next.delete(name)
      }
      const query = next.toString()
      const url = `${window.location.pathname}${query ? `?${query}` : ''}`
      if (how === 'push') window.history.pushState(null, '', url)
      else window.history.replaceState(null, '', url)
    },
  }
}
