/** What the bell asks the server. */
import type { Notifications } from '#lib/shared/review-contract.ts'

export type Asked = { notifications: Notifications | null; over: boolean }

/** Null: not to be learned now; what is shown then stays. `over`: whoever asks is no longer let in, and need not ask again. */
export const askNotifications = async (plain: typeof fetch): Promise<Asked> => {
  try {
    const response = await plain('/api/notifications', { cache: 'no-store' })
    if (!response.ok) return { notifications: null, over: response.status === 401 }
    return { notifications: (await response.json()) as Notifications, over: false }
  } catch {
    return { notifications: null, over: false }
  }
}

/** How it stands when these, or all that had come by then, are read; null when they could not be marked. */
export const markNotifications = async (
  plain: typeof fetch,
  which: { ids: string[] } | { until: string },
): Promise<Notifications | null> => {
  try {
    const response = await plain('/api/notifications/read', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(which),
    })
    return response.ok ? ((await response.json()) as Notifications) : null
  } catch {
    return null
  }
}

/**
 * What is known, as it is asked for and marked. What was asked for before a mark came back is out of date, and so is what comes after
 * something that was asked for later: neither is told.
 */
export const createNotifications = (plain: typeof fetch, tell: (known: Notifications) => void) => {
  let asked = 0
  let told = 0
  let marks = 0
  let marked = 0
  return {
    /** `over`: it need not be asked for again. */
    async look(): Promise<Pick<Asked, 'over'>> {
      asked += 1
      const turn = asked
      const { notifications, over } = await askNotifications(plain)
      if (notifications && turn > told) {
        told = turn
        tell(notifications)
      }
      return { over }
    },
    async mark(which: { ids: string[] } | { until: string }): Promise<void> {
      marks += 1
      const turn = marks
      const now = await markNotifications(plain, which)
      // Null: what was not marked is told once more.
      if (!now || turn < marked) return
      marked = turn
      told = asked
      tell(now)
    },
  }
}
