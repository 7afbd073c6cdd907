import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { NotificationsBell } from './notifications-bell.tsx'
import { askNotifications, createNotifications, markNotifications } from './notifications-wire.ts'

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

test('what was asked for before something newer was learned is not told, however late it comes', async () => {
  const waiting: ((unread: number) => void)[] = []
  const told: number[] = []
  const plain = (() =>
    new Promise((resolve) => {
      waiting.push((unread) => resolve(Response.json({ unread, rows: [] })))
    })) as unknown as typeof fetch
  const { look, mark } = createNotifications(plain, ({ unread }) => told.push(unread))
  const asked = [look(), mark({ ids: ['1'] }), look(), mark({ ids: ['2'] })]
  const answer = async (at: number, unread: number): Promise<void> => {
    waiting[at]?.(unread)
    await asked[at]
  }
  await answer(1, 4)
  // Both were asked for before it was known what the mark has made of it.
  await answer(0, 5)
  await answer(2, 5)
  await answer(3, 3)
  expect(told).toEqual([4, 3])

  asked.push(look(), look(), mark({ ids: ['3'] }), mark({ ids: ['4'] }))
  await answer(5, 6)
  await answer(4, 7)
  await answer(7, 1)
  await answer(6, 2)
  expect(told).toEqual([4, 3, 6, 1])
})
