/**
 * Which workspace this tab shows, against the one that the session is in: all tabs share a session, and another one may have switched.
 * Every request of this tab says which it shows, so that nothing written here lands in another workspace: the server refuses it.
 */

const header = 'x-footnote-workspace'
/** What the tabs tell each other: the workspace of the session as the last tab got it from the server. */
const sessionKey = 'footnote-workspace'

export type ShownWorkspace = { id: string; name: string }

let shown: string | null = null

/** The header that says what this tab shows; for requests that are not made by `fetch`. */
export const workspaceHeader = (): Record<string, string> => (shown ? { [header]: shown } : {})

type Fetch = typeof fetch

/** A `fetch` that tells this site's server, and nobody else, which workspace the tab shows. A request that says it itself is left alone. */
export const withWorkspace =
  (plain: Fetch, origin: string, current: () => string | null = () => shown): Fetch =>
  (input, init) => {
    const id = current()
    const target = input instanceof Request ? input.url : String(input)
    if (!id || !URL.canParse(target, origin) || new URL(target, origin).origin !== origin) return plain(input, init)
    // As `fetch` itself has it: headers that are given here replace those of a Request.
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
    if (!headers.has(header)) headers.set(header, id)
    return plain(input, { ...init, headers })
  }

const patched = Symbol.for('footnote.workspace-fetch')

/** As it was told last: the same shell made again, perhaps out of a cache, is no news. */
let told: string | null = null

/** From now on the requests of this tab say that it shows `id`; the other tabs learn that the session is there. Returns how to end that. */
export const showWorkspace = ({ id, name }: ShownWorkspace): (() => void) => {
  shown = id
  if (!(patched in window)) {
    Object.defineProperty(window, patched, { value: true })
    window.fetch = withWorkspace(window.fetch.bind(window), window.location.origin)
  }
  if (told !== id) tellSession({ id, name })
  told = id
  return () => {
    shown = null
  }
}

const tellSession = (session: ShownWorkspace): void => {
  try {
    localStorage.setItem(sessionKey, JSON.stringify(session))
  } catch {
    // Then the server alone says it, by refusing.
  }
}

/** The workspace that the session was in when a tab last heard of it; null when nothing is known. */
export const sessionWorkspace = (): ShownWorkspace | null => {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(sessionKey) ?? 'null')
    return typeof kept === 'object' &&
      kept !== null &&
      'id' in kept &&
      typeof kept.id === 'string' &&
      'name' in kept &&
      typeof kept.name === 'string'
      ? { id: kept.id, name: kept.name }
      : null
  } catch {
    return null
  }
}

/** Calls `look` when another tab may have switched: at once, and when this one is looked at again. Returns how to end that. */
export const watchSession = (look: () => void): (() => void) => {
  const onStorage = (event: StorageEvent) => {
    if (event.key === sessionKey || event.key === null) look()
  }
  window.addEventListener('storage', onStorage)
  window.addEventListener('focus', look)
  // A tab that comes back out of the browser's cache has heard nothing meanwhile.
  window.addEventListener('pageshow', look)
  document.addEventListener('visibilitychange', look)
  return () => {
    window.removeEventListener('storage', onStorage)
    window.removeEventListener('focus', look)
    window.removeEventListener('pageshow', look)
    document.removeEventListener('visibilitychange', look)
  }
}

/**
 * Moves the session to another workspace; `from` is the one it is in, when that is not the one this tab shows. Resolves to null, or to
 * what went wrong, in words. The page is to be loaded anew afterwards.
 */
export const switchTo = async (to: ShownWorkspace, from?: string): Promise<string | null> => {
  try {
    const response = await fetch('/api/workspace', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(from ? { [header]: from } : {}) },
      body: JSON.stringify({ workspaceId: to.id }),
    })
    if (response.ok) {
      tellSession(to)
      return null
    }
    const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null
    return body?.error?.message ?? 'The workspace was not switched. Try again.'
  } catch {
    return 'Footnote could not be reached. Check the connection and try again.'
  }
}
