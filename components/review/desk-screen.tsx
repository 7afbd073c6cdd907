'use client'
import { ShieldCheck, X } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { useTellOpenReviews } from '#components/shell/shell.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { reviewQuery } from '#lib/shared/review-address.ts'
import type { ReviewFilter, ReviewResult } from '#lib/shared/review-contract.ts'
import { Desk } from './desk.tsx'
import type { DeskActions, DeskItem, DeskViewer } from './desk-contract.ts'
import { deskKeys, typingKeys } from './desk-keys.ts'
import { DeskBanner } from './desk-question.tsx'
import { KeysSheet } from './keys-sheet.tsx'
import { createOutbox, postDecision, type Refused, type Waiting } from './outbox.ts'
import { getItem, letGo, takeNext } from './review-wire.ts'
import type { Work } from './use-work.ts'

type DeskScreenProps = {
  initial: DeskItem
  filter: ReviewFilter
  openCount: number | null
  viewer: DeskViewer
  actions: DeskActions
}

type Shown =
  | { kind: 'item'; opened: DeskItem; kept: Work | undefined }
  | { kind: 'looking' }
  | { kind: 'none'; error: string | null }

const keyGroups = [
  { title: 'On the desk', keys: deskKeys },
  { title: 'While typing', keys: typingKeys },
]

/** The decision that was sent last: what it was good for beyond itself is one press away. */
type Sent = { itemId: string; words: string; question: string }

/** Which decision waits, when it goes, and what came of those that went. */
const useOutbox = (onSent: () => void) => {
  const [waiting, setWaiting] = useState<(Waiting & { sendsAtMs: number }) | null>(null)
  const [refused, setRefused] = useState<readonly Refused[]>([])
  const [lastSent, setLastSent] = useState<Sent | null>(null)
  const [seeds, setSeeds] = useState<readonly NonNullable<ReviewResult['seed']>[]>([])
  const told = useRef(onSent)
  told.current = onSent
  const [outbox] = useState(() =>
    createOutbox({
      send: postDecision,
      onWaiting: setWaiting,
      onSent: ({ words, question, request: { itemId } }, { seed }) => {
        if (seed) setSeeds((before) => [...before, seed])
        setLastSent({ itemId, words, question })
        told.current()
      },
      onRefused: (one) => setRefused((before) => [...before, one]),
    }),
  )
  useEffect(() => {
    // Whoever leaves has decided.
    window.addEventListener('pagehide', outbox.flush)
    return () => {
      window.removeEventListener('pagehide', outbox.flush)
      outbox.flush()
    }
  }, [outbox])
  return {
    outbox,
    waiting,
    refused,
    lastSent,
    forgetSent: () => setLastSent(null),
    /** Answers that were known to be wrong, told once they are decided. */
    seeds,
    learned: () => setSeeds([]),
    dismiss: (itemId: string) => setRefused((before) => before.filter((one) => one.itemId !== itemId)),
  }
}

type Taken = ReturnType<typeof takeNext> | null
const letGoOf = (taken: Taken): void =>
  void taken?.then((got) => 'value' in got && got.value && letGo(got.value.item.id))

const secondsUntil = (ms: number): number => Math.max(0, Math.ceil((ms - Date.now()) / 1_000))

const WaitingLine = ({ waiting, onTakeBack }: { waiting: Waiting & { sendsAtMs: number }; onTakeBack: () => void }) => {
  const [seconds, setSeconds] = useState(() => secondsUntil(waiting.sendsAtMs))
  useEffect(() => {
    setSeconds(secondsUntil(waiting.sendsAtMs))
    const timer = setInterval(() => setSeconds(secondsUntil(waiting.sendsAtMs)), 250)
    return () => clearInterval(timer)
  }, [waiting.sendsAtMs])
  return (
    <div className="flex items-center gap-3 border-b bg-accent px-5 py-1.5 text-[13px] text-accent-foreground max-sm:px-4">
      <p className="min-w-0 flex-1 truncate">
        <span className="font-medium">{waiting.words}:</span> <span dir="auto">{waiting.question}</span>
      </p>
      <span aria-hidden className="num shrink-0">
        sent in {seconds} s
      </span>
      <Button size="sm" aria-keyshortcuts="U" onClick={onTakeBack}>
        Take back{' '}
        <Kbd aria-hidden className="touch:hidden">
          U
        </Kbd>
      </Button>
    </div>
  )
}

const OpenAgain = ({ itemId, onOpen }: { itemId: string; onOpen: (itemId: string) => void }) => (
  <Button size="sm" asChild>
    <a
      href={`/review/${itemId}`}
      onClick={(event) => {
        // In a new tab where somebody asks for one.
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        onOpen(itemId)
      }}
    >
      Open it
    </a>
  </Button>
)

const SentLine = ({
  sent: { itemId, words, question },
  onOpen,
  onDismiss,
}: {
  sent: Sent
  onOpen: (itemId: string) => void
  onDismiss: () => void
}) => (
  <div className="flex items-center gap-2 border-b px-5 py-1.5 text-[13px] max-sm:px-4">
    <p className="min-w-0 flex-1 truncate text-muted-foreground">
      <span className="font-medium text-foreground">{words}, and sent:</span> <span dir="auto">{question}</span>
    </p>
    <OpenAgain itemId={itemId} onOpen={onOpen} />
    <Button variant="ghost" size="icon-sm" aria-label="Hide this line" onClick={onDismiss}>
      <X />
    </Button>
  </div>
)

/**
 * The desk: one answer after the other. The next one is taken up and loaded while one reads, and opens at once when one has decided;
 * a decision waits four seconds in which it can be taken back.
 */
export const DeskScreen = ({ initial, filter, openCount, viewer, actions }: DeskScreenProps) => {
  const [shown, setShown] = useState<Shown>({ kind: 'item', opened: initial, kept: undefined })
  const [count, setCount] = useState(openCount)
  const [keysOpen, setKeysOpen] = useState(false)
  const { outbox, waiting, lastSent, forgetSent, refused, dismiss, seeds, learned } = useOutbox(() =>
    setCount((before) => (before === null ? null : Math.max(0, before - 1))),
  )
  useTellOpenReviews(count)
  const query = useMemo(() => reviewQuery(filter), [filter])
  const queueHref = `/review${query}` as Route

  // Taken up already, so that nobody else starts on it; null: not asked yet.
  const next = useRef<Taken>(null)
  const before = useRef<{ opened: DeskItem; work: Work } | null>(null)
  const currentId = shown.kind === 'item' ? shown.opened.item.id : null
  /** What is taken up by this reviewer, open before them, and not decided. */
  const held = useRef<string | null>(null)
  const shownId = useRef(currentId)
  shownId.current = currentId
  const take = useCallback(
    () => takeNext(filter, { viewerId: viewer.id, except: [shownId.current, before.current?.opened.item.id ?? null] }),
    [filter, viewer.id],
  )
  useEffect(() => {
    // Left without a decision: others need not wait for the claims to run out. Whoever comes back takes it up again.
    const letAllGo = () => {
      letGoOf(next.current)
      next.current = null
      if (held.current) letGo(held.current)
    }
    window.addEventListener('pagehide', letAllGo)
    return () => {
      window.removeEventListener('pagehide', letAllGo)
      letAllGo()
    }
  }, [])

  /** Counts what was asked to be shown: an answer that comes late must not push away what was asked for after it. */
  const asked = useRef(0)
  const openItem = useCallback(
    (opened: DeskItem, kept?: Work) => {
      asked.current += 1
      setShown({ kind: 'item', opened, kept })
      // Its address, without a new page: Back leads to the queue.
      window.history.replaceState(null, '', `/review/${opened.item.id}${query}`)
    },
    [query],
  )
  /** Of what is `decided` the decision is on its way: it is still open, and never what comes next. */
  const openNext = useCallback(
    async (decided: string | null = null) => {
      asked.current += 1
      const place = asked.current
      const isLate = () => place !== asked.current
      const taking = next.current ?? take()
      next.current = null
      const slow = setTimeout(() => !isLate() && setShown({ kind: 'looking' }), 80)
      let got = await taking
      // What was free a while ago may be decided by now, or nothing was there yet.
      if ('error' in got || !got.value || got.value.item.id === decided) got = await take()
      clearTimeout(slow)
      if (isLate()) {
        // Something else is open by now: it comes after that.
        if ('value' in got && got.value) next.current ??= Promise.resolve(got)
      } else if ('error' in got) setShown({ kind: 'none', error: got.error })
      else if (got.value) openItem(got.value)
      else setShown({ kind: 'none', error: null })
    },
    [take, openItem],
  )

  /** What is open becomes the next one again, and what would have come after it is for others. */
  const putBehind = useCallback((shown: Shown) => {
    if (shown.kind !== 'item' || shown.opened.item.state !== 'open') return
    letGoOf(next.current)
    next.current = Promise.resolve({ value: shown.opened })
  }, [])
  const takeBack = useCallback(() => {
    const back = outbox.takeBack()
    const was = before.current
    if (!back || !was || was.opened.item.id !== back.request.itemId) return
    putBehind(shown)
    held.current = was.opened.item.id
    openItem(was.opened, was.work)
  }, [outbox, openItem, putBehind, shown])

  const openAgain = async (itemId: string) => {
    if (itemId === currentId) return
    const got = await getItem(itemId)
    if ('error' in got) {
      toast.error(got.error)
      return
    }
    putBehind(shown)
    openItem(got.value)
  }

  const onMine = useCallback(
    (mine: boolean) => {
      if (mine) {
        held.current = currentId
        // Not before: what comes next could be this one.
        next.current ??= take()
      } else if (held.current === currentId) held.current = null
    },
    [currentId, take],
  )

  const takeBackNow = useRef(takeBack)
  takeBackNow.current = takeBack
  useEffect(() => {
    // The desk itself hears its keys; without an answer on it there is still one.
    if (shown.kind === 'item') return
    const onKeyDown = ({ key, ctrlKey, metaKey }: KeyboardEvent) => {
      if (key.toLowerCase() === 'u' && !ctrlKey && !metaKey) takeBackNow.current()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [shown.kind])

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div role="status">
        {waiting && <WaitingLine waiting={waiting} onTakeBack={takeBack} />}
        {!waiting && lastSent && lastSent.itemId !== currentId && (
          <SentLine sent={lastSent} onOpen={(itemId) => void openAgain(itemId)} onDismiss={forgetSent} />
        )}
      </div>
      <div role="status">
        {seeds.map(({ caught, words }) => (
          <DeskBanner
            key={words}
            tone={caught ? 'seal' : 'warning'}
            action={
              <Button size="sm" onClick={learned}>
                Go on
              </Button>
            }
          >
            <span className="font-medium">
              {caught
                ? 'That one was known to be wrong, and you found it.'
                : 'That one was known to be wrong. Nobody was shown it.'}
            </span>{' '}
            {words}
          </DeskBanner>
        ))}
      </div>
      <div role="alert">
        {refused.map((one) => (
          <div
            key={one.itemId}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b bg-destructive/10 px-5 py-1.5 text-[13px] max-sm:px-4"
          >
            <p className="min-w-0 flex-1 basis-60">
              <span className="font-medium text-destructive">Your decision was not taken.</span> {one.words}{' '}
              <span dir="auto" className="text-muted-foreground">
                “{one.question}”
              </span>
            </p>
            <OpenAgain itemId={one.itemId} onOpen={(itemId) => void openAgain(itemId)} />
            <Button size="sm" variant="quiet" onClick={() => dismiss(one.itemId)}>
              Dismiss
            </Button>
          </div>
        ))}
      </div>
      {shown.kind === 'item' ? (
        <Desk
          key={shown.opened.item.id}
          opened={shown.opened}
          kept={shown.kept}
          viewer={viewer}
          actions={actions}
          queueHref={queueHref}
          openCount={count}
          onMine={onMine}
          onDecide={(decision, opened, work) => {
            held.current = null
            before.current = { opened, work }
            outbox.put(decision)
            void openNext(opened.item.id)
          }}
          onNext={(mine) => {
            held.current = null
            if (mine) letGo(shown.opened.item.id)
            void openNext()
          }}
          onTakeBack={takeBack}
          onKeys={() => setKeysOpen(true)}
          onMoved={(words) => {
            held.current = null
            toast(words)
            void openNext()
          }}
        />
      ) : (
        <>
          <AdminHeader>
            <AdminTitle>Review</AdminTitle>
          </AdminHeader>
          {shown.kind === 'looking' ? (
            <div role="status" aria-label="Opening the next answer" className="flex flex-col gap-3 px-5 py-5">
              <Skeleton className="h-6 w-2/5" />
              <Skeleton className="h-4 w-1/4" />
              <Skeleton className="mt-4 h-16 w-full" />
              <Skeleton className="h-16 w-full" />
            </div>
          ) : (
            <EmptyState
              title={shown.error ? 'The next answer could not be opened' : 'Nothing else waits for you'}
              action={
                <>
                  <Button variant="primary" onClick={() => void openNext()}>
                    Look again
                  </Button>
                  <Button asChild>
                    <Link href={queueHref}>Show the queue</Link>
                  </Button>
                </>
              }
            >
              {shown.error ?? (
                <>
                  <ShieldCheck aria-hidden className="mx-auto mb-2 size-6 text-seal" />
                  {query
                    ? 'No other free answer is like your filters.'
                    : 'Every answer that you may review is decided or taken up.'}
                </>
              )}
            </EmptyState>
          )}
        </>
      )}
      <KeysSheet open={keysOpen} groups={keyGroups} onClose={() => setKeysOpen(false)} />
    </div>
  )
}
