'use client'
import { CircleQuestionMark, MessageSquareText } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { type KeyboardEvent, type ReactNode, useMemo, useRef } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import type { Span, Trace, TraceCall } from '#lib/shared/admin-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { SpanDetail, spanStatusWords } from './span-detail.tsx'
import { CallFacts } from './trace-calls.tsx'
import { TraceStatus } from './trace-status.tsx'
import { costWords } from './trace-table.tsx'
import { useAddress } from './use-address.ts'
import { useWide } from './use-wide.ts'
import {
  arrangeSpans,
  callLine,
  callsBySteps,
  firstStep,
  formatMark,
  isFailedCall,
  routeReason,
  type Step,
  supportOf,
  timeAxis,
} from './waterfall.ts'
import { When } from './when.tsx'

/** From here on there is room for the step's detail beside the waterfall. */
const detailBesidePx = 1_024

/** Label, axis, time, cost; on a phone the axis goes under the label. */
const gridClasses =
  'grid grid-cols-[minmax(170px,250px)_1fr_74px_70px] max-sm:grid-cols-[1fr_74px] max-sm:gap-y-1.5 text-[13px]'

const barClasses = ({ span, depth }: Step): string => {
  if (span.status === 'failed' || span.status === 'refused') return 'bg-destructive'
  if (span.status === 'skipped') return 'border border-muted-foreground border-dashed'
  if (span.name === 'check') return 'bg-success'
  return depth > 0 ? 'bg-primary/45' : 'bg-primary'
}

type StepRowProps = {
  step: Step
  calls: readonly TraceCall[]
  lengthMs: number
  selected: boolean
  onSelect: () => void
}

const StepRow = ({ step, calls, lengthMs, selected, onSelect }: StepRowProps) => {
  const { span, depth } = step
  const left = Math.min(99.4, (span.startMs / lengthMs) * 100)
  return (
    <button
      type="button"
      aria-current={selected ? 'step' : undefined}
      onClick={onSelect}
      className={cn(
        gridClasses,
        'min-h-[33px] w-full items-center border-b px-5 text-left focus-visible:-outline-offset-2 max-sm:px-4 max-sm:py-2',
        selected ? 'bg-accent' : 'hover:bg-muted/50',
      )}
    >
      <span className="min-w-0 break-words py-1 pr-2 max-sm:py-0" style={{ paddingLeft: depth * 16 }}>
        {span.label}
        {span.status !== 'ok' && (
          <Badge variant={span.status === 'skipped' ? 'default' : 'destructive'} className="ml-2">
            {spanStatusWords[span.status].toLowerCase()}
          </Badge>
        )}
        {calls.map((call) => (
          <span
            key={call.id}
            className={cn(
              'num block text-[12px] leading-[1.35]',
              isFailedCall(call) ? 'text-destructive' : 'text-muted-foreground',
            )}
          >
            {callLine(call)}
          </span>
        ))}
      </span>
      <span aria-hidden className="relative block h-[13px] max-sm:order-last max-sm:col-span-2 max-sm:h-2">
        <span
          className={cn('absolute inset-y-0 min-w-[3px] rounded-[3px]', barClasses(step))}
          style={{ left: `${left}%`, width: `${Math.min(100 - left, (span.durationMs / lengthMs) * 100)}%` }}
        />
      </span>
      <span className="num text-right">{formatDuration(span.durationMs)}</span>
      <span className="num text-right text-muted-foreground max-sm:hidden">
        {span.costMicros === null ? '' : formatCost(span.costMicros)}
      </span>
    </button>
  )
}

const Card = ({ title, children }: { title: string; children: string }) => (
  <div className="min-w-0 bg-background px-5 py-3.5 max-md:last:col-span-2 max-sm:px-4 max-sm:py-2.5">
    <dt className="truncate text-[12.5px] text-muted-foreground">{title}</dt>
    <dd className="num truncate font-semibold text-[21px] leading-tight tracking-[-0.02em] max-sm:text-base">
      {children}
    </dd>
  </div>
)

type WaterfallProps = {
  trace: Trace
  steps: Step[]
  callsOf: (span: Span) => readonly TraceCall[]
  detailOf: (span: Span) => ReactNode
  wide: boolean
  selected: Span | undefined
  onSelect: (span: Span) => void
}

const Waterfall = ({ trace, steps, callsOf, detailOf, wide, selected, onSelect }: WaterfallProps) => {
  const list = useRef<HTMLOListElement>(null)
  const { lengthMs, marksMs } = useMemo(() => timeAxis(trace), [trace])

  const onKeyDown = (event: KeyboardEvent) => {
    // Inside a step's detail the same keys scroll.
    if (!(event.target instanceof Element) || !event.target.matches('ol > li > button')) return
    const at = steps.findIndex(({ span }) => span.id === selected?.id)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: steps.length - 1 }[event.key]
    const next = to === undefined ? undefined : steps[to]
    if (!next || to === undefined) return
    event.preventDefault()
    onSelect(next.span)
    list.current?.querySelectorAll<HTMLButtonElement>(':scope > li > button')[to]?.focus()
  }

  return (
    <>
      <div
        aria-hidden
        className={cn(gridClasses, 'border-b px-5 py-1.5 text-[12.5px] text-muted-foreground max-sm:hidden')}
      >
        <span>Step</span>
        <span className="num relative">
          {marksMs.map((mark) => (
            <span key={mark} className="absolute" style={{ left: `${(mark / lengthMs) * 100}%` }}>
              {formatMark(mark, lengthMs)}
            </span>
          ))}
        </span>
        <span className="text-right">Time</span>
        <span className="text-right">Cost</span>
      </div>
      <ol ref={list} aria-label="Steps" onKeyDown={onKeyDown}>
        {steps.map((step) => (
          <li key={step.span.id}>
            <StepRow
              step={step}
              calls={callsOf(step.span)}
              lengthMs={lengthMs}
              selected={step.span.id === selected?.id}
              onSelect={() => onSelect(step.span)}
            />
            {/* Where there is no room beside, the step explains itself under its row. */}
            {!wide && step.span.id === selected?.id && <div className="border-b bg-card">{detailOf(step.span)}</div>}
          </li>
        ))}
      </ol>
    </>
  )
}

/** What happened on the way from a question to its answer, from top to bottom on one time axis. */
export const TraceScreen = ({ trace }: { trace: Trace }) => {
  const address = useAddress()
  const wide = useWide(detailBesidePx)
  const steps = useMemo(() => arrangeSpans(trace.spans), [trace.spans])
  const wanted = address.get('step')
  const selected = steps.find(({ span }) => span.id === wanted)?.span ?? firstStep(steps)
  const support = supportOf(trace.spans)
  const { ofStep, others } = useMemo(() => callsBySteps(trace.spans, trace.calls), [trace.spans, trace.calls])
  const callsOf = (span: Span): readonly TraceCall[] => ofStep.get(span.id) ?? []
  const reasonOf = (call: TraceCall): string | null => routeReason(trace.spans, call)
  const detailOf = (span: Span) => <SpanDetail key={span.id} span={span} calls={callsOf(span)} reasonOf={reasonOf} />

  return (
    <>
      <AdminHeader
        actions={
          <>
            {trace.messageId && (
              <Button asChild>
                <Link href={`/why/${trace.messageId}` as Route} prefetch={false}>
                  <CircleQuestionMark />
                  <span className="max-sm:sr-only">Why this answer</span>
                </Link>
              </Button>
            )}
            {trace.chatId && (
              <Button asChild>
                <Link href={`/c/${trace.chatId}${trace.messageId ? `#${trace.messageId}` : ''}` as Route}>
                  <MessageSquareText />
                  <span className="max-sm:sr-only">Open the answer</span>
                </Link>
              </Button>
            )}
          </>
        }
      >
        <nav aria-label="Path" className="flex shrink-0 gap-2.5 text-muted-foreground max-sm:hidden">
          <Link href={'/admin/traces' as Route} className="hover:text-foreground">
            Traces
          </Link>
          <span aria-hidden>/</span>
        </nav>
        <AdminTitle>{trace.question}</AdminTitle>
        <TraceStatus status={trace.status} />
      </AdminHeader>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto lg:overflow-hidden">
        <dl className="grid shrink-0 grid-cols-5 gap-px border-b bg-border max-md:grid-cols-3">
          <Card title="Total">{trace.totalMs === null ? '—' : formatDuration(trace.totalMs)}</Card>
          <Card title="First token">{trace.firstTokenMs === null ? '—' : formatDuration(trace.firstTokenMs)}</Card>
          <Card title="Tokens in / out">
            {trace.tokensIn === null ? '—' : `${formatCount(trace.tokensIn)} / ${formatCount(trace.tokensOut ?? 0)}`}
          </Card>
          <Card title="Cost">{costWords(trace)}</Card>
          <Card title="Supported">{support ? `${support.supported} of ${support.total}` : '—'}</Card>
        </dl>
        <p className="shrink-0 border-b px-5 py-2 text-[12.5px] text-muted-foreground max-sm:px-4">
          Asked by {trace.user}, <When iso={trace.startedAt} />
          {trace.policyVersion !== null && ` · under policy version ${trace.policyVersion}`}
          {trace.model ? ` · answered by ${trace.model}` : ' · no model was asked'}
          {!trace.chatId && ' · the conversation can be opened only by the person who asked'}
        </p>
        {steps.length === 0 ? (
          <EmptyState title="No steps were recorded">The question was taken, but its trace has no steps.</EmptyState>
        ) : (
          <div className="flex min-h-0 flex-1 max-lg:flex-none">
            <div className="min-w-0 flex-1 lg:overflow-y-auto">
              <Waterfall
                trace={trace}
                steps={steps}
                callsOf={callsOf}
                detailOf={detailOf}
                wide={wide}
                selected={selected}
                onSelect={(span) => address.set({ step: span.id })}
              />
              {others.length > 0 && (
                <section aria-labelledby="other-calls" className="border-b px-5 py-3.5 max-sm:px-4">
                  <h2 id="other-calls" className="font-semibold text-[13px]">
                    Calls beside the steps
                  </h2>
                  <CallFacts calls={others} reasonOf={reasonOf} />
                </section>
              )}
            </div>
            {wide && selected && (
              <aside
                aria-label="Step"
                className="hidden w-[400px] shrink-0 overflow-y-auto border-l bg-card lg:block xl:w-[460px]"
              >
                {detailOf(selected)}
              </aside>
            )}
          </div>
        )}
      </div>
    </>
  )
}
