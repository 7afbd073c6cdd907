import type { Route } from 'next'
import Link from 'next/link'
import type { TraceSummary } from '#lib/shared/admin-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import { TraceStatus } from './trace-status.tsx'
import { When } from './when.tsx'

const cellClasses = 'px-3 py-[9px] align-middle first:pl-5 last:pr-5'
const headClasses = 'whitespace-nowrap px-3 py-2 font-medium text-muted-foreground text-xs first:pl-5 last:pr-5'
const wideOnly = 'max-md:hidden'

const orDash = (value: number | null, format: (value: number) => string): string =>
  value === null ? '—' : format(value)

/** What a question cost; nothing where no model was asked, unknown where the price of the model is. */
export const costWords = ({ model, costMicros }: Pick<TraceSummary, 'model' | 'costMicros'>): string =>
  model === null ? '—' : formatCost(costMicros)

/** A table where there is room, a list of cards on a phone. */
export const TraceTable = ({ traces }: { traces: readonly TraceSummary[] }) => (
  <table className="w-full border-collapse text-[13px] max-md:block">
    <caption className="sr-only">Questions, newest first</caption>
    <thead className="max-md:sr-only">
      <tr className="border-b">
        <th scope="col" className={cn(headClasses, 'text-left')}>
          Time
        </th>
        <th scope="col" className={cn(headClasses, 'text-left')}>
          Question
        </th>
        <th scope="col" className={cn(headClasses, 'text-left')}>
          Person
        </th>
        <th scope="col" className={cn(headClasses, 'text-left max-lg:hidden')}>
          Model
        </th>
        <th scope="col" className={cn(headClasses, 'text-left')}>
          Outcome
        </th>
        <th scope="col" className={cn(headClasses, 'text-right')}>
          Total
        </th>
        <th scope="col" className={cn(headClasses, 'text-right max-lg:hidden')}>
          First token
        </th>
        <th scope="col" className={cn(headClasses, 'text-right max-lg:hidden')}>
          Tokens
        </th>
        <th scope="col" className={cn(headClasses, 'text-right')}>
          Cost
        </th>
      </tr>
    </thead>
    <tbody className="max-md:block">
      {traces.map((trace) => (
        <tr
          key={trace.id}
          className="relative border-b hover:bg-muted/50 max-md:grid max-md:grid-cols-[1fr_auto] max-md:gap-x-3 max-md:gap-y-1 max-md:px-4 max-md:py-3 max-md:[&>td]:p-0!"
        >
          <td className={cn(cellClasses, 'num whitespace-nowrap text-muted-foreground max-md:order-3')}>
            <When iso={trace.startedAt} />
            <span className="md:hidden"> · {trace.user}</span>
          </td>
          <td className={cn(cellClasses, 'max-w-96 max-md:order-1')}>
            {/* The link covers its row. */}
            <Link
              href={`/admin/traces/${trace.id}` as Route}
              prefetch={false}
              dir="auto"
              title={trace.question}
              className="block truncate font-semibold after:absolute after:inset-0 hover:underline max-md:line-clamp-2 max-md:whitespace-normal"
            >
              {trace.question}
            </Link>
          </td>
          <td className={cn(cellClasses, 'max-w-40 truncate', wideOnly)}>{trace.user}</td>
          <td
            className={cn(cellClasses, 'max-w-48 truncate text-muted-foreground max-lg:hidden')}
            title={trace.model ?? undefined}
          >
            {trace.model ?? '—'}
          </td>
          <td className={cn(cellClasses, 'max-md:order-2')}>
            <TraceStatus status={trace.status} />
          </td>
          <td className={cn(cellClasses, 'num whitespace-nowrap text-right max-md:order-4')}>
            {orDash(trace.totalMs, formatDuration)}
          </td>
          <td className={cn(cellClasses, 'num whitespace-nowrap text-right max-lg:hidden')}>
            {orDash(trace.firstTokenMs, formatDuration)}
          </td>
          <td className={cn(cellClasses, 'num whitespace-nowrap text-right max-lg:hidden')}>
            {trace.tokensIn === null ? '—' : `${formatCount(trace.tokensIn)} / ${orDash(trace.tokensOut, formatCount)}`}
          </td>
          <td className={cn(cellClasses, 'num whitespace-nowrap text-right', wideOnly)}>{costWords(trace)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)
