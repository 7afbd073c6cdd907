/** What a person is told in the product. What else carries it, mail or a webhook, is for who tells. */
import { database } from '#db/client.ts'
import { selectNotifications, setRead } from '#db/queries/notifications.ts'
import type { Notifications } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

const shownMax = 30

/** The viewer's newest notifications in this workspace, and how many are unread. */
export const listNotifications = (viewer: Viewer): Promise<Notifications> =>
  selectNotifications(database().db, viewer, shownMax)

/** Marks some of the viewer's own, or all that had come by `until`, as read. Twice is once; what is another's stays as it is. */
export const markRead = (viewer: Viewer, which: { ids: readonly string[] } | { until: Date }): Promise<void> =>
  setRead(database().db, viewer, which)
