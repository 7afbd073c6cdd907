'use client'
import { type ColumnDef, rowSortingFeature, tableFeatures, useTable } from '@tanstack/react-table'
import { ArrowDown, ArrowUp } from 'lucide-react'
import Link from 'next/link'
import { type ReactNode, useMemo } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { useReportLink } from './report-link.ts'

const features = tableFeatures({ rowSortingFeature })

export type ReportColumn<Row> = {
  id: string
  title: string
  cell: (row: Row) => ReactNode
  /** Numbers stand right, with figures of one width. */
  numeric?: boolean
  /** Which way the first press sorts; without it the column does not sort. */
  sorts?: 'asc' | 'desc'
  /** Left out where there is no room for it. */
  wideOnly?: boolean
}

export type Sorting = { id: string; descending: boolean }

type Props<Row> = {
  caption: string
  columns: readonly ReportColumn<Row>[]
  rows: readonly Row[]
  rowId: (row: Row) => string
  /** How the rows are sorted; the server sorts, by `sort` and `dir` in the address. */
  sorting?: Sorting
}

const edges = 'first:pl-5 last:pr-5 max-sm:first:pl-4 max-sm:last:pr-4'

/** A dense table that scrolls inside itself. The first column names its row. */
export const ReportTable = <Row extends object>({ caption, columns, rows, rowId, sorting }: Props<Row>) => {
  const linkTo = useReportLink()
  const definitions = useMemo(
    () =>
      columns.map(
        (column): ColumnDef<typeof features, Row> => ({
          id: column.id,
          header: column.title,
          // The library takes a column for sortable only when it has a value; the server knows which, and sorts.
          accessorFn: () => null,
          enableSorting: column.sorts !== undefined,
          cell: ({ row }) => column.cell(row.original),
        }),
      ),
    [columns],
  )
  const data = useMemo(() => [...rows], [rows])
  const table = useTable({
    features,
    columns: definitions,
    data,
    getRowId: rowId,
    manualSorting: true,
    state: { sorting: sorting ? [{ id: sorting.id, desc: sorting.descending }] : [] },
  })
  const byId = new Map(columns.map((column) => [column.id, column]))

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label={caption} tabIndex={0} className="relative overflow-x-auto focus-visible:-outline-offset-2">
      <table className="w-full border-collapse text-[13px]">
        <caption className="sr-only">{caption}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="border-b">
              {group.headers.map((header) => {
                const column = byId.get(header.column.id)
                const sorted = header.column.getIsSorted()
                const descends = sorted ? sorted === 'asc' : column?.sorts === 'desc'
                return (
                  <th
                    key={header.id}
                    scope="col"
                    aria-sort={sorted ? (sorted === 'desc' ? 'descending' : 'ascending') : undefined}
                    className={cn(
                      'whitespace-nowrap px-3 py-2 font-medium text-muted-foreground text-xs',
                      edges,
                      column?.numeric ? 'text-right' : 'text-left',
                      column?.wideOnly && 'max-sm:hidden',
                    )}
                  >
                    {header.column.getCanSort() ? (
                      <Link
                        href={linkTo({ sort: header.column.id, dir: descends ? 'desc' : 'asc' })}
                        replace
                        scroll={false}
                        prefetch={false}
                        className={cn(
                          'inline-flex items-center gap-1 rounded-sm py-1 hover:text-foreground touch:min-h-11',
                          sorted && 'text-foreground',
                        )}
                      >
                        <table.FlexRender header={header} />
                        {sorted &&
                          (sorted === 'desc' ? (
                            <ArrowDown aria-hidden className="size-3" />
                          ) : (
                            <ArrowUp aria-hidden className="size-3" />
                          ))}
                      </Link>
                    ) : (
                      <table.FlexRender header={header} />
                    )}
                  </th>
                )
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} className="border-b last:border-b-0 hover:bg-muted/50">
              {row.getAllCells().map((cell, at) => {
                const { numeric, wideOnly } = byId.get(cell.column.id) ?? {}
                const classes = cn(
                  wideOnly && 'max-sm:hidden',
                  'px-3 py-[9px] align-top font-normal',
                  edges,
                  numeric ? 'num whitespace-nowrap text-right' : 'text-left',
                )
                return at === 0 ? (
                  <th key={cell.id} scope="row" className={cn(classes, 'min-w-36 max-w-80 max-sm:max-w-44')}>
                    <table.FlexRender cell={cell} />
                  </th>
                ) : (
                  <td key={cell.id} className={classes}>
                    <table.FlexRender cell={cell} />
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
