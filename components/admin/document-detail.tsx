'use client'
import { Download, Sparkles, Trash2, X } from 'lucide-react'
import { Fragment, type ReactNode, useEffect, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { formatBytes, formatCount } from '#lib/shared/format.ts'
import { DocumentState } from './document-state.tsx'
import { When } from './when.tsx'

const previewStep = 12_000

const typeWords: Record<string, string> = {
  'application/pdf': 'PDF',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word document',
  'text/markdown': 'Markdown',
  'text/html': 'HTML',
  'text/plain': 'Plain text',
  'text/csv': 'CSV',
}

type Preview = { state: 'loading' } | { state: 'shown'; text: string } | { state: 'failed'; message: string }

const usePreview = (versionId: string, wanted: boolean): Preview => {
  const [preview, setPreview] = useState<{ versionId: string; value: Preview } | null>(null)
  useEffect(() => {
    if (!wanted) return
    const abort = new AbortController()
    const show = (value: Preview) => setPreview({ versionId, value })
    fetch(`/api/documents/versions/${versionId}/text`, { signal: abort.signal })
      .then(async (response) => {
        const body = (await response.json()) as { text?: string | null; error?: { message: string } }
        if (typeof body.text === 'string') show({ state: 'shown', text: body.text })
        else show({ state: 'failed', message: body.error?.message ?? 'No text was read from this document.' })
      })
      .catch(() => {
        if (!abort.signal.aborted)
          show({ state: 'failed', message: 'The text could not be fetched. Check the connection and open it again.' })
      })
    return () => abort.abort()
  }, [versionId, wanted])
  return preview?.versionId === versionId ? preview.value : { state: 'loading' }
}

/** What was read, as the passages are cut from it. */
const TextPreview = ({ row }: { row: DocumentRow }) => {
  const read = row.stage === 'ready' || row.stage === 'chunking' || row.stage === 'embedding'
  const preview = usePreview(row.versionId, read)
  const [shown, setShown] = useState(previewStep)
  if (!read)
    return (
      <p className="text-[13px] text-muted-foreground">
        {row.stage === 'failed'
          ? 'No text was read from this version.'
          : 'The text is shown here once it has been read.'}
      </p>
    )
  if (preview.state === 'failed') return <p className="text-[13px] text-destructive">{preview.message}</p>
  if (preview.state === 'loading')
    return (
      <div role="status" aria-label="Fetching the text" className="flex flex-col gap-2">
        <Skeleton className="h-4 w-4/5" />
        <Skeleton className="h-4" />
        <Skeleton className="h-4 w-2/3" />
      </div>
    )
  const rest = preview.text.length - shown
  return (
    <>
      <div
        dir="auto"
        className="whitespace-pre-wrap break-words rounded-sm border bg-source px-6 py-5 font-serif text-[15px] leading-[1.62]"
      >
        {preview.text.slice(0, shown)}
        {rest > 0 && '…'}
      </div>
      {rest > 0 && (
        <Button className="mt-3" onClick={() => setShown(shown + previewStep * 4)}>
          Show more of {formatCount(rest)} characters
        </Button>
      )}
    </>
  )
}

const Facts = ({ facts }: { facts: [string, ReactNode][] }) => (
  <dl className="grid grid-cols-[110px_1fr] gap-x-3 gap-y-[5px] text-[13px]">
    {facts.map(([name, value]) => (
      <Fragment key={name}>
        <dt className="text-muted-foreground">{name}</dt>
        <dd className="num min-w-0 break-words">{value}</dd>
      </Fragment>
    ))}
  </dl>
)

/** What the document says in short, made on request; its own words stay below it. */
const Description = ({ row, onDescribe }: { row: DocumentRow; onDescribe: () => void }) => {
  const { description, describing } = row
  return (
    <section aria-label="Summary" className="mb-6">
      <h3 className="mb-2 font-medium text-[12.5px] text-muted-foreground tracking-normal">Summary</h3>
      {description && (
        <>
          <p dir="auto" className="mb-2 text-[14px]">
            {description.summary}
          </p>
          {description.tags.length > 0 && (
            <ul aria-label="Suggested tags" className="mb-2 flex flex-wrap gap-1.5">
              {description.tags.map((tag) => (
                <li key={tag}>
                  <Badge>{tag}</Badge>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      {describing ? (
        <p role="status" className="flex items-center gap-2 text-[13px] text-muted-foreground">
          <Progress value={describing.done} max={describing.total} label="Parts read" />
          <span className="num">
            Reading, {describing.done} of {describing.total}
          </span>
        </p>
      ) : (
        row.stage === 'ready' && (
          <Button size="sm" onClick={onDescribe}>
            <Sparkles />
            {description ? 'Summarise again' : 'Summarise and suggest tags'}
          </Button>
        )
      )}
    </section>
  )
}

export type DocumentDetailProps = {
  row: DocumentRow
  onRetry: () => void
  onDelete: () => void
  onDescribe: () => void
  /** Left out where the frame around it closes by itself. */
  onClose?: () => void
}

export const DocumentDetail = ({ row, onRetry, onDelete, onDescribe, onClose }: DocumentDetailProps) => (
  <>
    <div className="flex items-start gap-2 border-b px-4 py-3">
      <div className="min-w-0 flex-1">
        <h2 className="break-words font-semibold">{row.name}</h2>
        <p className="text-[12.5px] text-muted-foreground">
          {row.collection.name} · version {row.version}
        </p>
      </div>
      {onClose && (
        <Button variant="ghost" size="icon-sm" aria-label="Close the details" onClick={onClose}>
          <X />
        </Button>
      )}
    </div>
    <div className="min-h-0 flex-1 overflow-y-auto p-4">
      <DocumentState row={row} onRetry={onRetry} />
      <div className="my-4">
        <Facts
          facts={[
            ['Type', typeWords[row.mediaType] ?? row.mediaType],
            ['Size', formatBytes(row.bytes)],
            ['Pages', row.pages === null ? 'without pages' : formatCount(row.pages)],
            [
              'Passages',
              row.chunks === null
                ? 'none yet'
                : `${formatCount(row.chunks)}${row.chunksReused ? `, ${formatCount(row.chunksReused)} reused from the version before` : ''}`,
            ],
            ['Cited by', `${formatCount(row.citedBy)} ${row.citedBy === 1 ? 'answer' : 'answers'}`],
            ['Changed', <When key="changed" iso={row.changedAt} />],
          ]}
        />
      </div>
      <div className="mb-6 flex flex-wrap gap-2">
        <Button asChild>
          <a href={`/api/documents/versions/${row.versionId}/file`} download={row.name}>
            <Download />
            Download the file
          </a>
        </Button>
        <Button variant="destructive" onClick={onDelete}>
          <Trash2 />
          Delete document
        </Button>
      </div>
      <Description row={row} onDescribe={onDescribe} />
      <h3 className="mb-2 font-medium text-[12.5px] text-muted-foreground tracking-normal">Text as it was read</h3>
      <TextPreview key={row.versionId} row={row} />
    </div>
  </>
)
