import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { NotificationsBell } from './notifications-bell.tsx'
import { askNotifications, markNotifications } from './notifications-wire.ts'

const there = {
  unread: 1,
  rows: [{ id: '1', kind: 'review.decided', words: 'Checked.', link: '/c/1', createdAt: '', read: false }],
}
const answering = (answer: () => Response) => (async () => answer()) as unknown as typeof fetch
const broken = (async () => {
  throw new Error('no network')
}) as unknown as typeof fetch

test('the bell has a name before anything is known', () => {
  expect(renderToStaticMarkup(<NotificationsBell onNavigate={() => undefined} />)).toContain(
    'aria-label="Notifications"',
  )
})

test('what cannot be learned now leaves what is shown, and the end of a session ends the asking', async () => {
  expect(await askNotifications(answering(() => Response.json(there)))).toEqual({ notifications: there, over: false })
  expect(await askNotifications(answering(() => new Response('no', { status: 503 })))).toEqual({
    notifications: null,
    over: false,
  })
  expect(await askNotifications(answering(() => new Response('', { status: 401 })))).toEqual({
    notifications: null,
    over: true,
  })
  expect(await askNotifications(broken)).toEqual({ notifications: null, over: false })
  expect(
    await markNotifications(
      answering(() => Response.json(there)),
      { ids: ['1'] },
    ),
  ).toEqual(there)
  expect(await markNotifications(broken, { until: '' })).toBeNull()
})
