'use client'
import { Bell } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useEffect, useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Popover, PopoverContent, PopoverTrigger } from '#components/ui/popover.tsx'
import { formatWhen } from '#lib/shared/format.ts'
import type { NotificationRow, Notifications } from '#lib/shared/review-contract.ts'
import { createNotifications } from './notifications-wire.ts'

const pollMs = 30_000
const shownMost = 99

/** What the viewer was told, asked for again and again while somebody looks at the page. Null until it is known. */
const useNotifications = () => {
  const [known, setKnown] = useState<Notifications | null>(null)
  const ended = useRef(false)
  const [notifications] = useState(() =>
    createNotifications(
      (...asked) => window.fetch(...asked),
      (now) => !ended.current && setKnown(now),
    ),
  )
  useEffect(() => {
    ended.current = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async () => {
      clearTimeout(timer)
      if (document.visibilityState === 'hidden') return
      const { over } = await notifications.look()
      if (ended.current) return
      clearTimeout(timer)
      if (!over) timer = setTimeout(look, pollMs)
    }
    const onSeen = () => void look()
    void look()
    document.addEventListener('visibilitychange', onSeen)
    return () => {
      ended.current = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onSeen)
    }
  }, [notifications])
  return { known, mark: notifications.mark }
}

const Item = ({ row, onOpen }: { row: NotificationRow; onOpen: () => void }) => (
  <li className="border-b last:border-b-0">
    <Link
      href={row.link as Route}
      prefetch={false}
      onClick={onOpen}
      className="flex gap-2 rounded-sm px-2 py-2 hover:bg-muted touch:min-h-11"
    >
      <span
        aria-hidden
        className={`mt-1.5 size-2 shrink-0 rounded-full ${row.read ? 'bg-transparent' : 'bg-primary'}`}
      />
      <span className="min-w-0 flex-1 break-words">
        {!row.read && <span className="sr-only">Unread: </span>}
        {row.words}
        <time dateTime={row.createdAt} suppressHydrationWarning className="block text-[12px] text-muted-foreground">
          {formatWhen(row.createdAt)}
        </time>
      </span>
    </Link>
  </li>
)

/** The bell with how much is unread, and what that is. `onNavigate` closes the rail where it is a sheet. */
export const NotificationsBell = ({ onNavigate }: { onNavigate: () => void }) => {
  const { known, mark } = useNotifications()
  const [open, setOpen] = useState(false)
  const { unread, rows } = known ?? { unread: 0, rows: [] }
  const shown = unread > shownMost ? `${shownMost}+` : String(unread)
  const newest = rows[0]?.createdAt
  const follow = (row: NotificationRow) => {
    setOpen(false)
    onNavigate()
    if (!row.read) void mark({ ids: [row.id] })
  }
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button
          variant="ghost"
          size="icon-sm"
          className="relative"
          aria-label={unread > 0 ? `Notifications, ${unread} unread` : 'Notifications'}
        >
          <Bell />
          {unread > 0 && (
            <span
              aria-hidden
              className="num absolute -top-1 -right-1 min-w-4 rounded-full bg-primary px-1 text-center font-medium text-[10.5px] text-primary-foreground leading-4"
            >
              {shown}
            </span>
          )}
        </Button>
      </PopoverTrigger>
      <PopoverContent aria-label="Notifications" align="start" className="w-[min(360px,calc(100vw-16px))] p-1.5">
        <div className="flex min-h-8 items-center gap-2 px-2 pb-1">
          <h2 className="flex-1 font-semibold">Notifications</h2>
          {unread > 0 && newest && (
            <Button variant="quiet" size="sm" onClick={() => void mark({ until: newest })}>
              Mark all as read
            </Button>
          )}
        </div>
        {rows.length === 0 ? (
          <p className="px-2 pt-1 pb-3 text-muted-foreground">
            {known
              ? 'Nothing yet. You are told here when a person has checked an answer of yours, and when somebody needs you.'
              : 'Asking for them…'}
          </p>
        ) : (
          <ul aria-label="Newest first">
            {rows.map((row) => (
              <Item key={row.id} row={row} onOpen={() => follow(row)} />
            ))}
          </ul>
        )}
      </PopoverContent>
      <span role="status" className="sr-only">
        {unread > 0 ? `${unread} unread notifications` : ''}
      </span>
    </Popover>
  )
}
