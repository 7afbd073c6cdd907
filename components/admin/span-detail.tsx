'use client'
import { Check, ChevronRight, Copy } from 'lucide-react'
import { Fragment, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { Span, TraceCall } from '#lib/shared/admin-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import { CallFacts } from './trace-calls.tsx'
import { type AttributeView, formatCell, spanMeaning, viewAttributes } from './waterfall.ts'

/** Attributes that hold words of a document, which are always set in its own face. */
const documentWords = /^(text|quote|passage|heading|context)$/i

export const spanStatusWords: Record<Exclude<Span['status'], 'ok'>, string> = {
  failed: 'Failed',
  refused: 'Refused',
  skipped: 'Skipped',
}

const AttributeTable = ({ name, columns, rows }: AttributeView['tables'][number]) => (
  <div className="mt-5">
    <h3 className="mb-1 font-medium text-[12.5px] text-muted-foreground tracking-normal">{name}</h3>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
    <section className="-mx-4 overflow-x-auto px-4" tabIndex={0} aria-label={`${name}, a table`}>
      <table className="w-full border-collapse text-[12.5px]">
        <thead>
          <tr className="border-b">
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={cn(
                  'py-1 pr-3 font-medium text-muted-foreground text-xs last:pr-0',
                  column.numeric ? 'text-right' : 'text-left',
                )}
              >
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a stored trace never move
            <tr key={index} className="border-b last:border-b-0">
              {columns.map((column) => (
                <td
                  key={column.key}
                  className={cn(
                    'py-1.5 pr-3 align-top last:pr-0',
                    column.numeric && 'num whitespace-nowrap text-right',
                    documentWords.test(column.key) && 'min-w-52 bg-source px-2 font-serif text-[13.5px]',
                  )}
                >
                  {formatCell(column, row[column.key])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  </div>
)

const TextBlock = ({ name, text }: { name: string; text: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <section tabIndex={0} aria-label={name} className="max-h-96 overflow-y-auto rounded-lg bg-muted">
    <pre dir="auto" className="whitespace-pre-wrap break-words p-3 font-mono text-[12.5px] leading-[1.55]">
      {text}
    </pre>
  </section>
)

const copiedMs = 1_600

/** A long text, closed at first; it can be taken along as it is. */
const ReplayText = ({ name, text }: { name: string; text: string }) => {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), copiedMs)
    } catch {
      toast.error('The browser refused the clipboard. Select the text and copy it.')
    }
  }
  return (
    <details className="group mt-2 rounded-lg border">
      <summary className="flex min-h-8 cursor-pointer list-none items-center gap-1.5 rounded-lg px-2.5 py-1 text-[13px] hover:bg-muted/50 touch:min-h-11 [&::-webkit-details-marker]:hidden">
        <ChevronRight
          aria-hidden
          className="size-3.5 shrink-0 text-muted-foreground transition-transform duration-120 group-open:rotate-90 motion-reduce:transition-none"
        />
        <span className="min-w-0 flex-1">{name}</span>
        <span className="num shrink-0 text-[12.5px] text-muted-foreground">
          {formatCount(text.length)} {text.length === 1 ? 'character' : 'characters'}
        </span>
      </summary>
      <div className="px-2.5 pb-2.5">
        <Button variant="quiet" size="sm" className="mb-1.5" onClick={copy}>
          {copied ? <Check /> : <Copy />}
          {copied ? 'Copied' : 'Copy'}
          <span className="sr-only">: {name}</span>
        </Button>
        <TextBlock name={name} text={text} />
      </div>
    </details>
  )
}

/** What the ledger says too, and with links. */
const inLedger = new Set([
  'attempts',
  'fingerprint',
  'firstTokenMs',
  'kind',
  'provider',
  'providerKind',
  'requestedModel',
  'savedTokens',
  'servedModel',
  'tokensCached',
  'tokensIn',
  'tokensOut',
  'tokensReasoning',
])

type SpanDetailProps = {
  span: Span
  /** What the ledger has of this step. */
  calls?: readonly TraceCall[] | undefined
  reasonOf?: (call: TraceCall) => string | null
}

/** One step explains itself: what it is for, how it went, what it used and found, and what it takes to do it again. */
export const SpanDetail = ({ span, calls = [], reasonOf = () => null }: SpanDetailProps) => {
  const meaning = spanMeaning(span)
  const attributes = Object.entries(span.attributes).filter(([key]) => calls.length === 0 || !inLedger.has(key))
  const { facts, tables, texts, replay } = viewAttributes(Object.fromEntries(attributes))
  const lines = [
    { name: 'Began', value: `after ${formatDuration(span.startMs)}` },
    { name: 'Took', value: formatDuration(span.durationMs) },
    ...(span.costMicros === null ? [] : [{ name: 'Cost', value: formatCost(span.costMicros) }]),
    ...facts,
  ]
  return (
    <>
      <div className="border-b px-4 py-3">
        <div className="flex flex-wrap items-center gap-2">
          <h2 className="break-words font-semibold">{span.label}</h2>
          {span.status !== 'ok' && (
            <Badge variant={span.status === 'skipped' ? 'default' : 'destructive'}>
              {spanStatusWords[span.status]}
            </Badge>
          )}
        </div>
        {meaning && <p className="mt-0.5 text-[12.5px] text-muted-foreground">{meaning}</p>}
      </div>
      <div className="p-4">
        <dl className="grid grid-cols-[120px_1fr] gap-x-3 gap-y-[5px] text-[13px]">
          {lines.map(({ name, value }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a stored trace never move
            <Fragment key={index}>
              <dt className="text-muted-foreground">{name}</dt>
              <dd className="min-w-0 break-words">{value}</dd>
            </Fragment>
          ))}
        </dl>
        {tables.map((table) => (
          <AttributeTable key={table.name} {...table} />
        ))}
        {texts.map(({ name, text }) => (
          <div key={name} className="mt-5">
            <h3 className="mb-1 font-medium text-[12.5px] text-muted-foreground tracking-normal">{name}</h3>
            <TextBlock name={name} text={text} />
          </div>
        ))}
        <CallFacts calls={calls} reasonOf={reasonOf} />
        {replay.length > 0 && (
          <section aria-label="For a replay" className="mt-5">
            <h3 className="mb-1 font-medium text-[12.5px] text-muted-foreground tracking-normal">
              For a replay, with what is masked left masked
            </h3>
            {replay.map((one) => (
              <ReplayText key={one.name} {...one} />
            ))}
          </section>
        )}
      </div>
    </>
  )
}
