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
