'use client'
import { ShieldCheck, X } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useEffect, useMemo, useRef, useState } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { useTellOpenReviews } from '#components/shell/shell.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { reviewTotalMax } from '#lib/shared/open-reviews.ts'
import { reviewQuery } from '#lib/shared/review-address.ts'
import type { ReviewFilter, ReviewResult } from '#lib/shared/review-contract.ts'
import { Desk } from './desk.tsx'
import type { DeskActions, DeskItem, DeskViewer } from './desk-contract.ts'
import { deskActOf, deskKeys, focusKind, sentenceKeys, typingKeys } from './desk-keys.ts'
import { DeskBanner } from './desk-question.tsx'
import { createTurns, type Shown } from './desk-turns.ts'
import { KeysSheet } from './keys-sheet.tsx'
import { createOutbox, outlivesPage, postDecision, type Refused, type Waiting } from './outbox.ts'
import { getItem, letGo, takeNext } from './review-wire.ts'
import { letterKeysOn } from './use-letter-keys.ts'

type DeskScreenProps = {
  initial: DeskItem
  filter: ReviewFilter
  openCount: number | null
  viewer: DeskViewer
  actions: DeskActions
}

const keyGroups = [
  { title: 'On the desk', keys: deskKeys },
  { title: 'On a sentence', keys: sentenceKeys },
  { title: 'While typing', keys: typingKeys },
]

/** The decision that was sent last: what it was good for beyond itself is one press away. */
type Sent = { itemId: string; words: string; question: string }

/** The desk is left, and its lines with it: said wherever one is by now, until it is read. */
const tellElsewhere = ({ itemId, question, words }: Refused): void =>
  void toast.error('Your decision was not taken.', {
    id: `refused-${itemId}`,
    description: `${words} “${question}”`,
    duration: Number.POSITIVE_INFINITY,
    closeButton: true,
    action: { label: 'Open it', onClick: () => window.location.assign(`/review/${itemId}`) },
  })

/** Which decision waits, when it goes, and what came of those that went. */
const useOutbox = (onSent: () => void) => {
  const [waiting, setWaiting] = useState<(Waiting & { sendsAtMs: number }) | null>(null)
  const [refused, setRefused] = useState<readonly Refused[]>([])
  const [lastSent, setLastSent] = useState<Sent | null>(null)
  const [seeds, setSeeds] = useState<readonly NonNullable<ReviewResult['seed']>[]>([])
  const told = useRef(onSent)
  told.current = onSent
  const gone = useRef(false)
  const [outbox] = useState(() =>
    createOutbox({
      send: postDecision,
      onWaiting: setWaiting,
      onSent: ({ words, question, request: { itemId } }, { seed }) => {
        if (seed) setSeeds((before) => [...before, seed])
        setLastSent({ itemId, words, question })
        told.current()
      },
      onRefused: (one) => {
        if (gone.current) tellElsewhere(one)
        else setRefused((before) => [...before.filter(({ itemId }) => itemId !== one.itemId), one])
      },
    }),
  )
  useEffect(() => {
    gone.current = false
    // Whoever leaves has decided.
    const onUnload = (event: BeforeUnloadEvent) => {
      // A long edit does not outlive its page: better asked than lost.
      if (outbox.unsent().every(outlivesPage)) return
      outbox.flush()
      event.preventDefault()
    }
    window.addEventListener('pagehide', outbox.leave)
    window.addEventListener('beforeunload', onUnload)
    return () => {
      window.removeEventListener('pagehide', outbox.leave)
      window.removeEventListener('beforeunload', onUnload)
      gone.current = true
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

/** `isFirst`: the one that the key opens. */
const OpenAgain = ({
  itemId,
  isFirst,
  onOpen,
}: {
  itemId: string
  isFirst: boolean
  onOpen: (itemId: string) => void
}) => (
  <Button size="sm" asChild>
    <a
      href={`/review/${itemId}`}
      {...(isFirst ? { 'aria-keyshortcuts': 'O' } : {})}
      onClick={(event) => {
        // In a new tab where somebody asks for one.
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        onOpen(itemId)
      }}
    >
      Open it
      {isFirst && (
        <Kbd aria-hidden className="touch:hidden">
          O
        </Kbd>
      )}
    </a>
  </Button>
)

const SentLine = ({
  sent: { itemId, words, question },
  isFirst,
  onOpen,
  onDismiss,
}: {
  sent: Sent
  isFirst: boolean
  onOpen: (itemId: string) => void
  onDismiss: () => void
}) => (
  <div className="flex items-center gap-2 border-b px-5 py-1.5 text-[13px] max-sm:px-4">
    <p className="min-w-0 flex-1 truncate text-muted-foreground">
      <span className="font-medium text-foreground">{words}, and sent:</span> <span dir="auto">{question}</span>
    </p>
    <OpenAgain itemId={itemId} isFirst={isFirst} onOpen={onOpen} />
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
  const [shown, setShown] = useState<Shown>({ kind: 'item', opened: initial, kept: undefined, turn: 0, read: false })
  const [count, setCount] = useState(openCount)
  const [keysOpen, setKeysOpen] = useState(false)
  const { outbox, waiting, lastSent, forgetSent, refused, dismiss, seeds, learned } = useOutbox(() =>
    // Where nobody counted on it stays what it is.
    setCount((before) => (before === null || before >= reviewTotalMax ? before : Math.max(0, before - 1))),
  )
  useTellOpenReviews(count)
  const query = useMemo(() => reviewQuery(filter), [filter])
  const queueHref = `/review${query}` as Route
  const currentId = shown.kind === 'item' ? shown.opened.item.id : null

  const now = useRef({ filter, query })
  now.current = { filter, query }
  const [turns] = useState(() =>
    createTurns({
      ...{ initial, letGo, get: getItem },
      take: (except) => takeNext(now.current.filter, { viewerId: viewer.id, except }),
      onShown: (next) => {
        setShown(next)
        // Its address, without a new page: Back leads to the queue.
        if (next.kind === 'item')
          window.history.replaceState(null, '', `/review/${next.opened.item.id}${now.current.query}`)
      },
    }),
  )
  useEffect(() => {
    // Left without a decision: others need not wait for the claims to run out.
    window.addEventListener('pagehide', turns.leave)
    return () => {
      window.removeEventListener('pagehide', turns.leave)
      turns.leave()
    }
  }, [turns])

  const takeBack = () => {
    const back = outbox.takeBack()
    if (back) turns.takeBack(back.request.itemId)
  }
  const open = async (itemId: string) => {
    const refusal = await turns.open(itemId)
    if (refusal) toast.error(refusal)
  }
  // What was not taken comes first, the newest of it.
  const sentShown = !waiting && lastSent && lastSent.itemId !== currentId ? lastSent : null
  const againId = refused.findLast(({ itemId }) => itemId !== currentId)?.itemId ?? sentShown?.itemId ?? null
  const openAgain = (): string | null => {
    if (!againId)
      return waiting ? 'The last decision is not sent yet. U takes it back.' : 'Nothing that you decided on is at hand.'
    void open(againId)
    return null
  }

  const latest = useRef({ takeBack, openAgain })
  latest.current = { takeBack, openAgain }
  useEffect(() => {
    // The desk itself hears its keys; without an answer on it there are still these.
    if (shown.kind === 'item') return
    const onKeyDown = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey } = event
      const isCovered = document.querySelector('[role="dialog"][data-state="open"], [role="menu"]') !== null
      const act = deskActOf({
        ...{ key, ctrlKey, metaKey, altKey, letters: letterKeysOn() },
        ...{ target: focusKind(event.target), covered: isCovered },
      })
      if (act === 'take-back') latest.current.takeBack()
      if (act === 'again') latest.current.openAgain()
      if (act === 'keys') setKeysOpen(true)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [shown.kind])

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div role="status">
        {waiting && <WaitingLine waiting={waiting} onTakeBack={takeBack} />}
        {sentShown && (
          <SentLine
            sent={sentShown}
            isFirst={sentShown.itemId === againId}
            onOpen={(itemId) => void open(itemId)}
            onDismiss={forgetSent}
          />
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
            <OpenAgain itemId={one.itemId} isFirst={one.itemId === againId} onOpen={(itemId) => void open(itemId)} />
            <Button size="sm" variant="quiet" onClick={() => dismiss(one.itemId)}>
              Dismiss
            </Button>
          </div>
        ))}
      </div>
      {shown.kind === 'item' ? (
        <Desk
          key={`${shown.opened.item.id} ${shown.turn}`}
          opened={shown.opened}
          kept={shown.kept}
          read={shown.read}
          viewer={viewer}
          actions={actions}
          queueHref={queueHref}
          openCount={count}
          onWork={turns.wrote}
          onMine={turns.mine}
          onDecide={(decision) => {
            outbox.put(decision)
            void turns.decide()
          }}
          onNext={(isMine) => void turns.pass(isMine)}
          onTakeBack={takeBack}
          onAgain={openAgain}
          onKeys={() => setKeysOpen(true)}
          onMoved={(words) => {
            toast(words)
            void turns.handOn()
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
                  <Button variant="primary" onClick={() => void turns.lookAgain()}>
                    {shown.passed ? 'Begin again at the top' : 'Look again'}
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
                  {shown.passed > 0 &&
                    `You have passed over ${shown.passed === 1 ? 'one answer' : `${shown.passed} answers`} for others. `}
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
