'use client'
import { ArrowDown, ArrowUp, MoreHorizontal, RotateCw, Trash2, X } from 'lucide-react'
import { memo, type ReactNode } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { Progress } from '#components/ui/progress.tsx'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { languageName, typeWord } from '#lib/shared/document-words.ts'
import { formatBytes, formatCount } from '#lib/shared/format.ts'
import type { Sort, SortKey } from './document-list.ts'
import { DocumentState } from './document-state.tsx'
import type { Upload } from './upload-queue.ts'
import { When } from './when.tsx'

/** A table where there is room, a list of cards where there is not: the same elements, laid out anew by the width of the container. */
const rowClasses =
  'relative border-b @max-2xl:grid @max-2xl:grid-cols-[minmax(0,1fr)_auto] @max-2xl:gap-x-3 @max-2xl:gap-y-1 @max-2xl:px-4 @max-2xl:py-3'
const cellClasses = 'px-3 py-[9px] align-middle first:pl-5 last:pr-5 @max-2xl:p-0! @max-2xl:text-left'
const numericClasses = 'num whitespace-nowrap text-right'
const wideOnly = '@max-4xl:hidden'
const nameClasses = 'w-[34%] max-w-0 @max-2xl:w-auto @max-2xl:max-w-none @max-2xl:self-center'

const Nothing = () => (
  <span className="text-muted-foreground">
    <span aria-hidden>—</span>
    <span className="sr-only">none</span>
  </span>
)

const Count = ({ value, unit }: { value: number | null; unit?: [one: string, many: string] }) =>
  value === null || (value === 0 && unit) ? (
    <Nothing />
  ) : (
    <>
      {formatCount(value)}
      {unit && ` ${value === 1 ? unit[0] : unit[1]}`}
    </>
  )

/** Tags that fit into a row. */
const tagsShown = 3

/** What it is, in one line: type, language, whose attachment, tags. */
const Kind = ({ row: { mediaType, name, language, parentId, source, tags } }: { row: DocumentRow }) => {
  const words = [
    typeWord(mediaType, name),
    language && language !== 'und' ? languageName(language) : null,
    parentId ? 'attachment' : null,
    source ? `from ${source.name}` : null,
    ...tags.slice(0, tagsShown).map((tag) => `#${tag}`),
    tags.length > tagsShown ? `+${tags.length - tagsShown}` : null,
  ].filter(Boolean)
  return (
    <span dir="auto" className="block truncate text-[12px] text-muted-foreground">
      {words.join(' · ')}
    </span>
  )
}

type RowActions = {
  onOpen: (documentId: string) => void
  onRetry: (documentId: string) => void
  onDelete: (documentId: string) => void
}

type RowProps = RowActions & { row: DocumentRow; selected: boolean; alreadyThere: boolean; mayDelete: boolean }

const DocumentTableRow = memo(({ row, selected, alreadyThere, mayDelete, onOpen, onRetry, onDelete }: RowProps) => (
  <tr className={cn(rowClasses, 'group hover:bg-muted/50', selected && 'bg-accent hover:bg-accent')}>
    <td className={cn(cellClasses, nameClasses)}>
      {/* The button covers its row; what else can be pressed in it lies above. */}
      <button
        type="button"
        title={row.name}
        aria-expanded={selected}
        className="block max-w-full truncate rounded-sm text-left font-semibold after:absolute after:inset-0 hover:underline @max-2xl:whitespace-normal @max-2xl:break-words"
        onClick={() => onOpen(row.id)}
      >
        <ShownName name={row.name} />
      </button>
      <Kind row={row} />
    </td>
    <td className={cn(cellClasses, '@max-2xl:col-span-2 @max-2xl:row-start-2')}>
      <DocumentState row={row} alreadyThere={alreadyThere} onRetry={() => onRetry(row.id)} />
    </td>
    <td className={cn(cellClasses, '@max-2xl:col-span-2 @max-2xl:text-muted-foreground')}>
      <ShownName name={row.collection.name} />
      <span className="@2xl:hidden">
        {row.chunks !== null && ` · ${formatCount(row.chunks)} ${row.chunks === 1 ? 'passage' : 'passages'}`}
        {row.citedBy > 0 && ` · cited by ${formatCount(row.citedBy)}`}
        {' · '}
        <When iso={row.changedAt} />
      </span>
    </td>
    <td className={cn(cellClasses, numericClasses, wideOnly)}>
      <Count value={row.pages} />
    </td>
    <td className={cn(cellClasses, numericClasses, wideOnly)}>
      <Count value={row.chunks} />
    </td>
    <td className={cn(cellClasses, 'num whitespace-nowrap', wideOnly)}>
      <Count value={row.citedBy} unit={['answer', 'answers']} />
    </td>
    <td className={cn(cellClasses, 'num whitespace-nowrap text-muted-foreground', wideOnly)}>
      <When iso={row.changedAt} />
    </td>
    <td className={cn(cellClasses, 'w-px text-right @max-2xl:col-start-2 @max-2xl:row-start-1 @max-2xl:w-auto')}>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button variant="quiet" size="icon-sm" className="relative z-1" aria-label={`Actions for ${row.name}`}>
            <MoreHorizontal />
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="end">
          <DropdownMenuItem onSelect={() => onOpen(row.id)}>Open details</DropdownMenuItem>
          {row.stage === 'failed' && (
            <DropdownMenuItem onSelect={() => onRetry(row.id)}>
              <RotateCw />
              Retry
            </DropdownMenuItem>
          )}
          {mayDelete && (
            <DropdownMenuItem variant="destructive" onSelect={() => onDelete(row.id)}>
              <Trash2 />
              Delete document
            </DropdownMenuItem>
          )}
        </DropdownMenuContent>
      </DropdownMenu>
    </td>
  </tr>
))
DocumentTableRow.displayName = 'DocumentTableRow'

type UploadRowProps = { upload: Upload; onRetry: () => void; onRemove: () => void }

const UploadRow = ({ upload, onRetry, onRemove }: UploadRowProps) => {
  const { file, state, sentBytes, failure } = upload
  const words =
    state === 'waiting'
      ? 'Waiting to be uploaded'
      : sentBytes >= file.size
        ? 'Checking the file'
        : `Uploading ${formatBytes(sentBytes)} of ${formatBytes(file.size)}`
  return (
    <tr className={rowClasses}>
      <td className={cn(cellClasses, nameClasses)}>
        <span title={file.name} className="block truncate font-semibold">
          <ShownName name={file.name} />
        </span>
      </td>
      <td className={cn(cellClasses, '@max-2xl:col-span-2 @max-2xl:row-start-2')}>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          {failure ? (
            <>
              <Badge variant="destructive">{failure.reason}</Badge>
              {failure.retryable && (
                <Button variant="ghost" size="sm" className="h-6 px-1.5 text-primary" onClick={onRetry}>
                  <RotateCw className="size-3.5" />
                  Retry
                </Button>
              )}
              <span className="basis-full text-[12.5px] text-muted-foreground">{failure.act}</span>
            </>
          ) : (
            <>
              <Progress value={sentBytes} max={file.size} label={words} />
              <span className="num text-[12.5px] text-muted-foreground">{words}</span>
            </>
          )}
        </div>
      </td>
      <td className={cn(cellClasses, '@max-2xl:col-span-2 @max-2xl:text-muted-foreground')}>{upload.collection}</td>
      <td className={cn(cellClasses, numericClasses, wideOnly)}>
        <Nothing />
      </td>
      <td className={cn(cellClasses, numericClasses, wideOnly)}>
        <Nothing />
      </td>
      <td className={cn(cellClasses, wideOnly)}>
        <Nothing />
      </td>
      <td className={cn(cellClasses, 'text-muted-foreground', wideOnly)}>now</td>
      <td className={cn(cellClasses, 'w-px text-right @max-2xl:col-start-2 @max-2xl:row-start-1 @max-2xl:w-auto')}>
        <Button
          variant="quiet"
          size="icon-sm"
          aria-label={failure ? `Dismiss ${file.name}` : `Cancel the upload of ${file.name}`}
          onClick={onRemove}
        >
          <X />
        </Button>
      </td>
    </tr>
  )
}

const columns: { key: SortKey; title: string; numeric?: boolean; wideOnly?: boolean; descendingFirst?: boolean }[] = [
  { key: 'name', title: 'Name' },
  { key: 'state', title: 'State' },
  { key: 'collection', title: 'Collection' },
  { key: 'pages', title: 'Pages', numeric: true, wideOnly: true, descendingFirst: true },
  { key: 'chunks', title: 'Passages', numeric: true, wideOnly: true, descendingFirst: true },
  { key: 'citedBy', title: 'Cited by', wideOnly: true, descendingFirst: true },
  { key: 'changedAt', title: 'Changed', wideOnly: true, descendingFirst: true },
]

type SortHeadProps = { column: (typeof columns)[number]; sort: Sort; onSort: (sort: Sort) => void }

const SortHead = ({ column, sort, onSort }: SortHeadProps) => {
  const active = sort.key === column.key
  const Arrow = sort.descending ? ArrowDown : ArrowUp
  return (
    <th
      scope="col"
      aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
      className={cn(
        'px-3 py-1 font-medium text-muted-foreground text-xs first:pl-5',
        column.numeric ? 'text-right' : 'text-left',
        column.wideOnly && wideOnly,
      )}
    >
      <button
        type="button"
        className={cn(
          'inline-flex min-h-6 items-center gap-1 whitespace-nowrap rounded-sm hover:text-foreground',
          active && 'text-foreground',
        )}
        onClick={() =>
          onSort({
            key: column.key,
            descending: active ? !sort.descending : (column.descendingFirst ?? false),
          })
        }
      >
        {column.title}
        {active && <Arrow aria-hidden className="size-3" />}
      </button>
    </th>
  )
}

export type DocumentTableProps = RowActions & {
  rows: readonly DocumentRow[]
  uploads: readonly Upload[]
  selectedId: string | null
  alreadyThere: ReadonlySet<string>
  /** The collections whose documents may be deleted. */
  deletable: ReadonlySet<string>
  sort: Sort
  onSort: (sort: Sort) => void
  onRetryUpload: (key: string) => void
  onRemoveUpload: (key: string) => void
  /** Shown in place of rows when there are none. */
  empty: ReactNode
}

export const DocumentTable = ({
  rows,
  uploads,
  selectedId,
  alreadyThere,
  deletable,
  sort,
  onSort,
  onRetryUpload,
  onRemoveUpload,
  empty,
  ...actions
}: DocumentTableProps) => (
  <>
    <table className="w-full border-collapse text-[13px] @max-2xl:block">
      <caption className="sr-only">Documents and their state</caption>
      <thead className="sticky top-0 z-10 bg-background @max-2xl:hidden">
        <tr className="border-b">
          {columns.map((column) => (
            <SortHead key={column.key} column={column} sort={sort} onSort={onSort} />
          ))}
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody className="@max-2xl:block">
        {uploads.map((upload) => (
          <UploadRow
            key={upload.key}
            upload={upload}
            onRetry={() => onRetryUpload(upload.key)}
            onRemove={() => onRemoveUpload(upload.key)}
          />
        ))}
        {rows.map((row) => (
          <DocumentTableRow
            key={row.id}
            row={row}
            selected={row.id === selectedId}
            alreadyThere={alreadyThere.has(row.id)}
            mayDelete={deletable.has(row.collection.id)}
            {...actions}
          />
        ))}
      </tbody>
    </table>
    {rows.length === 0 && uploads.length === 0 && empty}
  </>
)
