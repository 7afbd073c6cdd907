'use client'
import { ArrowRight } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useCallback, useEffect, useMemo, useRef, useState, useTransition } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { attempt } from '#components/admin/models-form.ts'
import { LinkSwitch } from '#components/admin/report-filters.tsx'
import { useReportLink } from '#components/admin/report-link.ts'
import { Select } from '#components/admin/select.tsx'
import { useTellOpenReviews } from '#components/shell/shell.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { formatCount } from '#lib/shared/format.ts'
import { openReviewsWords } from '#lib/shared/open-reviews.ts'
import { reviewQuery } from '#lib/shared/review-address.ts'
import {
  bulkItemsMax,
  type ReviewFilter,
  type ReviewRow,
  reviewKinds,
  reviewReasonKinds,
  type UnreachableReviews,
} from '#lib/shared/review-contract.ts'
import { isCovered } from './covered.ts'
import type { QueueActions, QueueData } from './desk-contract.ts'
import { focusKind } from './desk-keys.ts'
import { DeskBanner } from './desk-question.tsx'
import { KeysSheet } from './keys-sheet.tsx'
import { QueueTable } from './queue-table.tsx'
import { ReviewPlaces } from './review-places.tsx'
import { getQueue, takeNext } from './review-wire.ts'
import { bulkRefusal, kindWords, reasonWords } from './review-words.ts'
import { letterKeysOn } from './use-letter-keys.ts'
import { useNow } from './use-now.ts'

type QueueScreenProps = {
  initial: QueueData
  filter: ReviewFilter
  collections: readonly { id: string; name: string }[]
  viewerId: string
  /** Null for who cannot change it. */
  unreachable: UnreachableReviews | null
  actions: QueueActions
}

const pollMs = 10_000

const queueKeys = [
  { shown: 'J', words: 'Next row' },
  { shown: 'K', words: 'Previous row' },
  { shown: 'Enter', words: 'Open the answer' },
  { shown: 'S', words: 'Select the row, to approve several' },
  { shown: 'N', words: 'Take up the next answer' },
  { shown: '?', words: 'Show these keys' },
] as const

const whoseWords = { all: 'All', mine: 'Mine', free: 'Free', late: 'Late' } as const
const orderWords = { due: 'Due first', risk: 'Riskiest first', age: 'Oldest first' } as const

/** The rows as they are now; asked again while somebody looks. */
const useQueue = (initial: QueueData, address: string) => {
  const [data, setData] = useState(initial)
  const [stale, setStale] = useState<string | null>(null)
  // Counts what was asked for: rows that come late, above all those of another filter, are not shown any more.
  const asked = useRef(0)
  const shownAt = useRef(address)
  shownAt.current = address
  useEffect(() => {
    asked.current += 1
    setData(initial)
    setStale(null)
  }, [initial])
  const reload = useCallback(async () => {
    asked.current += 1
    const turn = asked.current
    const got = await getQueue(shownAt.current)
    if (turn !== asked.current) return
    if ('value' in got) setData(got.value)
    setStale('error' in got ? got.error : null)
  }, [])
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void reload()
    }
    const timer = setInterval(look, pollMs)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [reload])
  return { data, stale, reload }
}

const Filters = ({ filter, collections }: Pick<QueueScreenProps, 'filter' | 'collections'>) => {
  const router = useRouter()
  const linkTo = useReportLink()
  const [pending, startTransition] = useTransition()
  const go = (changes: Record<string, string | null>) =>
    startTransition(() => router.replace(linkTo({ after: null, ...changes }), { scroll: false }))
  const fields = [
    {
      name: 'reason',
      label: 'Reason',
      any: 'Any reason',
      options: reviewReasonKinds.map((one) => [one, reasonWords[one]]),
    },
    {
      name: 'kind',
      label: 'How it came',
      any: 'However it came',
      options: reviewKinds.map((one) => [one, kindWords[one]]),
    },
    {
      name: 'collectionId',
      label: 'Collection',
      any: 'Any collection',
      options: collections.map(({ id, name }) => [id, name]),
    },
  ] as const
  return (
    <search aria-busy={pending} className="flex flex-wrap items-center gap-2 px-5 py-3 max-sm:px-4">
      <LinkSwitch
        label="Whose"
        name="whose"
        value={filter.whose}
        options={Object.entries(whoseWords).map(([value, label]) => ({ value, label }))}
        resets={['after']}
      />
      {fields.map(({ name, label, any, options }) => (
        <Select
          key={name}
          aria-label={label}
          className="max-w-48 max-sm:max-w-none max-sm:min-w-[calc(50%-4px)] max-sm:flex-1"
          value={filter[name] ?? ''}
          onChange={(event) => go({ [name]: event.target.value || null })}
        >
          <option value="">{any}</option>
          {options.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </Select>
      ))}
      <Select
        aria-label="Order"
        className="max-sm:min-w-[calc(50%-4px)] max-sm:flex-1"
        value={filter.order}
        onChange={(event) => go({ order: event.target.value })}
      >
        {Object.entries(orderWords).map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </Select>
      {(filter.reason || filter.kind || filter.collectionId || filter.whose !== 'all') && (
        <Button
          variant="quiet"
          size="sm"
          onClick={() => go({ reason: null, kind: null, collectionId: null, whose: null })}
        >
          Clear filters
        </Button>
      )}
    </search>
  )
}

/** What waits for a decision, and the way to start. */
export const QueueScreen = ({ initial, filter, collections, viewerId, unreachable, actions }: QueueScreenProps) => {
  const router = useRouter()
  const linkTo = useReportLink()
  const query = useMemo(() => reviewQuery(filter), [filter])
  const address = filter.after ? `${query}${query ? '&' : '?'}after=${encodeURIComponent(filter.after)}` : query
  const { data, stale, reload } = useQueue(initial, address)
  const nowMs = useNow(data)
  const { rows, total } = data
  const narrowed = query !== '' && query !== reviewQuery({ whose: 'all', order: filter.order })
  useTellOpenReviews(narrowed ? null : total)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const chosenRows = rows.filter(({ id }) => chosen.has(id))
  // Where the keys are: rows come and go under them, so it is a row; its place stands in for it once it has gone.
  const [at, setAt] = useState<{ id: string; place: number }>({ id: '', place: -1 })
  const [keysOpen, setKeysOpen] = useState(false)
  const [notice, setNotice] = useState<string | null>(null)
  /** Known errors among what was approved. */
  const [seeds, setSeeds] = useState<readonly { itemId: string; question: string; words: string }[]>([])
  const [busy, setBusy] = useState(false)

  const hrefOf = (id: string): Route => `/review/${id}${query}` as Route
  const toggle = ({ id }: ReviewRow) => {
    setNotice(null)
    setChosen((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    })
  }
  const start = async () => {
    if (busy) return
    setBusy(true)
    const got = await takeNext(filter, { viewerId, except: [] })
    setBusy(false)
    if ('error' in got) setNotice(got.error)
    else if (got.value) router.push(hrefOf(got.value.item.id))
    else setNotice('Nothing is free: every answer here is taken up by somebody, or is to your own question.')
  }
  const refusal = bulkRefusal(chosenRows, viewerId, nowMs)
  const approveChosen = async () => {
    if (refusal || busy) return setNotice(refusal)
    setBusy(true)
    const items = chosenRows.slice(0, bulkItemsMax).map(({ id, contentHash }) => ({
      ...{ itemId: id, contentHash },
      decisionId: crypto.randomUUID(),
    }))
    const done = await attempt(actions.decideMany({ items }))
    setBusy(false)
    if ('error' in done) return setNotice(done.error)
    const questions = new Map(chosenRows.map(({ id, question }) => [id, question]))
    const known = done.value.flatMap(({ itemId, result }) =>
      result?.seed ? [{ itemId, question: questions.get(itemId) ?? '', words: result.seed.words }] : [],
    )
    setSeeds((before) => [...before, ...known])
    const refused = done.value.filter((one) => one.refused)
    const approved = done.value.length - refused.length
    if (approved) toast(`${formatCount(approved)} approved.`)
    setNotice(
      refused.length
        ? `${refused.length} not approved: ${[...new Set(refused.map((one) => one.refused))].join(' ')}`
        : null,
    )
    setChosen(new Set(refused.map(({ itemId }) => itemId)))
    await reload()
  }

  const found = rows.findIndex(({ id }) => id === at.id)
  const move = (to: number) =>
    document.getElementById(`row-${rows[Math.max(0, Math.min(rows.length - 1, to))]?.id}`)?.focus()
  const latest = useRef<Record<string, () => unknown>>({})
  latest.current = {
    // Where the row has gone, the one after it has its place.
    j: () => move(found < 0 ? at.place : found + 1),
    k: () => move((found < 0 ? at.place : found) - 1),
    n: () => void start(),
    s: () => rows[found] && toggle(rows[found]),
    '?': () => setKeysOpen(true),
  }
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isCovered()) return
      // A key that is held goes through the rows, and does nothing else again and again.
      if (event.repeat && !/^[jk]$/i.test(event.key)) return
      // A box to tick is no field to type in.
      const typing = focusKind(event.target) === 'field' && (event.target as HTMLInputElement).type !== 'checkbox'
      const act = typing || !letterKeysOn() ? undefined : latest.current[event.key.toLowerCase()]
      if (!act) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <AdminHeader
        actions={
          <>
            <ReviewPlaces />
            <Button
              variant="primary"
              aria-keyshortcuts="N"
              aria-disabled={busy || total === 0}
              onClick={() => void start()}
            >
              Review the next
              <Kbd
                aria-hidden
                className="border-current/30 bg-transparent text-current opacity-80 max-sm:hidden touch:hidden"
              >
                N
              </Kbd>
            </Button>
          </>
        }
      >
        <AdminTitle>Review</AdminTitle>
        <Badge variant={total ? 'warning' : 'default'}>{openReviewsWords(total)} open</Badge>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {unreachable && unreachable.total > 0 && (
          <div className="border-b bg-warning/12 px-5 py-2 text-[13px] text-warning max-sm:px-4">
            <span className="font-medium">
              {unreachable.total === 1 ? 'One answer waits' : `${formatCount(unreachable.total)} answers wait`} that no
              reviewer may open.
            </span>{' '}
            Give one of them access to{' '}
            {[...new Set(unreachable.groups.flatMap((group) => group.collections))].join(', ') || 'its documents'}.{' '}
            <Link href={'/admin/access' as Route} className="underline underline-offset-2">
              Open access
            </Link>
          </div>
        )}
        <div role="status">
          {seeds.map(({ itemId, question, words }) => (
            <DeskBanner
              key={itemId}
              tone="warning"
              action={
                <Button size="sm" onClick={() => setSeeds((before) => before.filter((one) => one.itemId !== itemId))}>
                  Go on
                </Button>
              }
            >
              <span className="font-medium">
                “<bdi>{question}</bdi>” was known to be wrong, and you approved it. Nobody was shown it.
              </span>{' '}
              {words}
            </DeskBanner>
          ))}
        </div>
        <Filters filter={filter} collections={collections} />
        <div role="alert">
          {(notice ?? stale) && (
            <p className="px-5 pb-3 font-medium text-[13px] text-warning max-sm:px-4">{notice ?? stale}</p>
          )}
        </div>
        {rows.length > 0 ? (
          <QueueTable
            rows={rows}
            nowMs={nowMs}
            viewerId={viewerId}
            hrefOf={hrefOf}
            chosen={chosen}
            onToggle={toggle}
            onFocus={(id, place) => setAt({ id, place })}
          />
        ) : narrowed ? (
          <EmptyState
            title="No answer is like that"
            action={
              <Button asChild>
                <Link href={'/review' as Route}>Show all</Link>
              </Button>
            }
          >
            Take a filter away, or look again later.
          </EmptyState>
        ) : (
          <EmptyState title="Nothing waits for a decision">
            Answers come here when the policy holds or queues them, when somebody presses thumb down, and as a sample.
          </EmptyState>
        )}
        {(filter.after || data.next) && (
          <nav aria-label="Pages" className="flex justify-between gap-2 px-5 py-4 max-sm:px-4">
            {filter.after ? (
              <Button asChild>
                <Link href={linkTo({ after: null })}>Back to the beginning</Link>
              </Button>
            ) : (
              <span />
            )}
            {data.next && (
              <Button asChild>
                <Link href={linkTo({ after: data.next })}>
                  More <ArrowRight aria-hidden />
                </Link>
              </Button>
            )}
          </nav>
        )}
      </div>
      {chosenRows.length > 0 && (
        <section
          aria-label="Chosen answers"
          className="flex shrink-0 flex-wrap items-center gap-2 border-t px-5 py-2.5 max-sm:px-4"
        >
          <p className="num min-w-0 flex-1 text-[13px]">
            {chosenRows.length} chosen.{' '}
            <span className="text-muted-foreground">
              {refusal ?? 'Each is approved and written to the audit log by itself.'}
            </span>
          </p>
          <Button variant="quiet" onClick={() => setChosen(new Set())}>
            Clear
          </Button>
          <Button variant="primary" aria-disabled={refusal !== null || busy} onClick={() => void approveChosen()}>
            Approve {chosenRows.length}
          </Button>
        </section>
      )}
      <KeysSheet
        open={keysOpen}
        groups={[{ title: 'In the queue', keys: queueKeys }]}
        onClose={() => setKeysOpen(false)}
      />
    </div>
  )
}
