import { Fragment } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import type { Span } from '#lib/shared/admin-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatCost, formatDuration } from '#lib/shared/format.ts'
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

/** One step explains itself: what it is for, how it went, what it used and found. */
export const SpanDetail = ({ span }: { span: Span }) => {
  const meaning = spanMeaning(span)
  const { facts, tables, texts } = viewAttributes(span.attributes)
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
          <section key={name} className="mt-5">
            <h3 className="mb-1 font-medium text-[12.5px] text-muted-foreground tracking-normal">{name}</h3>
            <pre
              dir="auto"
              className="max-h-96 overflow-y-auto whitespace-pre-wrap break-words rounded-lg bg-muted p-3 font-mono text-[12.5px] leading-[1.55]"
            >
              {text}
            </pre>
          </section>
        ))}
      </div>
    </>
  )
}
