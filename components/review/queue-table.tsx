'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { When } from '#components/admin/when.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ReviewRow } from '#lib/shared/review-contract.ts'
import { dueClasses, dueOf, holderOf, kindWords, reasonVariant, reasonWords } from './review-words.ts'

const cell = 'px-3 py-[9px] align-top first:pl-5 last:pr-5 max-sm:px-4'
const head =
  'whitespace-nowrap px-3 py-2 text-left font-medium text-muted-foreground text-xs first:pl-5 last:pr-5 max-sm:px-4'

type Props = {
  rows: readonly ReviewRow[]
  nowMs: number
  viewerId: string
  hrefOf: (id: string) => Route
  chosen: ReadonlySet<string>
  onToggle: (row: ReviewRow) => void
  onFocus: (id: string, place: number) => void
}

const Reason = ({ row }: { row: ReviewRow }) => (
  <>
    <Badge variant={reasonVariant(row.reason)}>{reasonWords[row.reason]}</Badge>
    {row.escalated && (
      <Badge variant="destructive" className="ml-1">
        Escalated
      </Badge>
    )}
  </>
)

/** What waits, one line an answer. */
export const QueueTable = ({ rows, nowMs, viewerId, hrefOf, chosen, onToggle, onFocus }: Props) => (
  <section
    aria-label="Answers that wait"
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    tabIndex={0}
    className="relative overflow-x-auto focus-visible:-outline-offset-2"
  >
    <table className="w-full border-collapse text-[13px]">
      <caption className="sr-only">Answers that wait for a decision</caption>
      <thead>
        <tr className="border-b">
          <th scope="col" className={cn(head, 'w-8 max-sm:hidden')}>
            <span className="sr-only">Choose</span>
          </th>
          <th scope="col" className={head}>
            Question
          </th>
          <th scope="col" className={cn(head, 'max-sm:hidden')}>
            Reason
          </th>
          <th scope="col" className={cn(head, 'text-right max-lg:hidden')}>
            Risk
          </th>
          <th scope="col" className={cn(head, 'text-right max-lg:hidden')}>
            Confidence
          </th>
          <th scope="col" className={cn(head, 'max-xl:hidden')}>
            Collection
          </th>
          <th scope="col" className={cn(head, 'max-md:hidden')}>
            Who has it
          </th>
          <th scope="col" className={cn(head, 'text-right max-sm:hidden')}>
            Due
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => {
          const due = dueOf(row.dueAt, nowMs)
          const holder = holderOf(row, viewerId, nowMs)
          return (
            <tr
              key={row.id}
              onFocus={() => onFocus(row.id, place)}
              className="border-b last:border-b-0 hover:bg-muted/50 has-[a:focus-visible]:bg-muted/60"
            >
              <td className={cn(cell, 'max-sm:hidden')}>
                <input
                  type="checkbox"
                  aria-label={`Choose: ${row.question}`}
                  className="size-4 accent-primary"
                  checked={chosen.has(row.id)}
                  onChange={() => onToggle(row)}
                />
              </td>
              <th scope="row" className={cn(cell, 'min-w-44 max-w-[46ch] text-left font-normal')}>
                <Link
                  id={`row-${row.id}`}
                  href={hrefOf(row.id)}
                  prefetch={false}
                  className="block rounded-sm font-medium hover:underline touch:py-1"
                >
                  <span dir="auto" className="line-clamp-2 [overflow-wrap:anywhere]">
                    {row.question}
                  </span>
                </Link>
                <span className="text-[12.5px] text-muted-foreground">
                  {kindWords[row.kind]}, asked by <bdi>{row.asker ?? 'somebody who left'}</bdi>,{' '}
                  <When iso={row.createdAt} />
                </span>
                <span className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 sm:hidden">
                  <Reason row={row} />
                  <span className={cn('num text-[12.5px]', dueClasses[due.state])}>{due.words}</span>
                  {holder.who !== 'nobody' && (
                    <span className="text-[12.5px] text-muted-foreground">{holder.words}</span>
                  )}
                </span>
              </th>
              <td className={cn(cell, 'max-sm:hidden')}>
                <Reason row={row} />
                {row.words && (
                  <p className="mt-0.5 max-w-[36ch] text-[12.5px] text-muted-foreground max-xl:hidden">{row.words}</p>
                )}
              </td>
              <td className={cn(cell, 'num text-right max-lg:hidden')}>{row.risk}</td>
              <td className={cn(cell, 'num text-right max-lg:hidden')}>
                {row.confidence === null ? (
                  <span className="text-muted-foreground">unknown</span>
                ) : (
                  row.confidence.toFixed(2)
                )}
              </td>
              <td className={cn(cell, 'max-w-40 max-xl:hidden')}>{row.collections.join(', ')}</td>
              <td className={cn(cell, 'max-md:hidden')}>
                {holder.who === 'nobody' ? (
                  <span className="text-muted-foreground">
                    {row.assignedTo ? (
                      <>
                        for <bdi>{row.assignedTo.id === viewerId ? 'you' : row.assignedTo.name}</bdi>
                      </>
                    ) : (
                      'free'
                    )}
                  </span>
                ) : (
                  <span className={cn('num', holder.who === 'you' && 'font-medium')}>{holder.words}</span>
                )}
              </td>
              <td className={cn(cell, 'num whitespace-nowrap text-right max-sm:hidden', dueClasses[due.state])}>
                {due.words}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  </section>
)
