'use client'
import { Download, Rows3, Sparkles, Trash2, X } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { Fragment, type ReactNode, useCallback, useEffect, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { languageName, typeWord } from '#lib/shared/document-words.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatBytes, formatCount } from '#lib/shared/format.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import { causeWords, webAddress } from './document-list.ts'
import { DocumentNotes } from './document-notes.tsx'
import { DocumentState } from './document-state.tsx'
import { ReleaseDialog } from './release-dialog.tsx'
import { TagEditor } from './tag-editor.tsx'
import { When } from './when.tsx'

const previewStep = 12_000

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
const Description = ({ row, onDescribe }: { row: DocumentRow; onDescribe: (() => void) | undefined }) => {
  const { description, describing } = row
  if (!description && !describing && !onDescribe) return null
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
        onDescribe &&
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

type HeldPassage = {
  contentHash: string
  page: number | null
  headingPath: string[]
  text: string
  score: number
  reasons: string[]
}

export type HeldActions = {
  list: (input: { documentId: string }) => Promise<ActionResult<HeldPassage[]>>
  release: (input: { documentId: string; contentHash: string }) => Promise<ActionResult<null>>
}

const unreachable = 'Footnote could not be reached. Check the connection and try again.'

type HeldPassageItemProps = { passage: HeldPassage; mediaType: string; onRelease: () => void }

const HeldPassageItem = ({ passage, mediaType, onRelease }: HeldPassageItemProps) => {
  const { page, headingPath, text, score, reasons } = passage
  const place = [pageInWords({ mediaType, page }), ...headingPath].filter(Boolean).join(' · ')
  return (
    <li className="rounded-md border border-warning/50 p-3">
      <div className="mb-2 flex items-start gap-2">
        <div className="min-w-0 flex-1 text-[12.5px] text-muted-foreground">
          <p className="num">
            {place ? `${place} · ` : ''}score {score.toFixed(2)}
          </p>
          <p className="break-words">Why: {reasons.join('; ') || 'it read like an order when the document was read'}</p>
        </div>
        <Button size="sm" onClick={onRelease}>
          Release
        </Button>
      </div>
      <p dir="auto" className="max-h-48 overflow-y-auto whitespace-pre-wrap break-words font-serif text-[14px]">
        {text}
      </p>
    </li>
  )
}

/** Passages that go to no model until somebody has read them here and released them; nothing where there are none. */
const HeldPassages = ({ row, held }: { row: DocumentRow; held: HeldActions }) => {
  const [passages, setPassages] = useState<HeldPassage[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const [asking, setAsking] = useState<HeldPassage | null>(null)
  const documentId = row.id
  const { list, release } = held

  const fetchHeld = useCallback(async () => {
    const result = await list({ documentId }).catch(() => null)
    setPassages(result?.ok ? result.value : [])
    setProblem(result?.ok ? null : (result?.error.message ?? unreachable))
  }, [list, documentId])
  useEffect(() => void fetchHeld(), [fetchHeld])

  const confirm = async ({ contentHash }: HeldPassage) => {
    setAsking(null)
    const result = await release({ documentId, contentHash }).catch(() => null)
    if (result?.ok)
      toast.success('The passage was released', { description: 'The next question can be answered from it.' })
    else toast.error('The passage was not released', { description: result?.error.message ?? unreachable })
    await fetchHeld()
  }

  if (problem) return <p className="mb-6 text-[13px] text-destructive">Held passages could not be listed. {problem}</p>
  if (passages.length === 0) return null
  return (
    <section aria-label="Held passages" className="mb-6">
      <h3 className="mb-1 font-medium text-[12.5px] text-muted-foreground tracking-normal">
        Held passages ({formatCount(passages.length)})
      </h3>
      <p className="mb-2 text-[13px] text-muted-foreground">
        These read like orders to a model, so no model gets them. Read each, and release it if it is harmless.
      </p>
      <ul className="flex flex-col gap-2">
        {passages.map((passage) => (
          <HeldPassageItem
            key={passage.contentHash}
            passage={passage}
            mediaType={row.mediaType}
            onRelease={() => setAsking(passage)}
          />
        ))}
      </ul>
      <ReleaseDialog
        open={asking !== null}
        onClose={() => setAsking(null)}
        onRelease={() => asking && void confirm(asking)}
      />
    </section>
  )
}

/** Where the document comes from: a link when it is an address of the web. */
const SourceWords = ({ source }: { source: NonNullable<DocumentRow['source']> }) => {
  const address = webAddress(source.uri)
  return (
    <>
      {source.name}
      {address ? (
        <a
          href={address}
          target="_blank"
          rel="noreferrer"
          className="block break-all text-primary underline-offset-2 hover:underline"
        >
          {address}
          <span className="sr-only"> (opens in a new tab)</span>
        </a>
      ) : (
        source.uri && <span className="block break-all text-muted-foreground">{source.uri}</span>
      )}
    </>
  )
}

/** What the document says of itself and where it comes from, as far as that is known. */
const knownFacts = (
  row: DocumentRow,
  parent: DocumentRow | null,
  onOpen: (documentId: string) => void,
): [string, ReactNode][] => {
  const all: [string, ReactNode][] = [
    ['Language', row.language && languageName(row.language)],
    ['Author', row.author && <bdi key="author">{row.author}</bdi>],
    ['Dated', row.dated],
    ['Source', row.source && <SourceWords key="source" source={row.source} />],
    [
      'Attached to',
      parent && (
        <button
          key="parent"
          type="button"
          className="rounded-sm text-left text-primary underline-offset-2 hover:underline"
          onClick={() => onOpen(parent.id)}
        >
          {parent.name}
        </button>
      ),
    ],
    ['Newest version', causeWords[row.cause]],
  ]
  return all.filter(([, value]) => value)
}

export type DocumentDetailProps = {
  row: DocumentRow
  /** The document that it was attached to, when that is there. */
  parent: DocumentRow | null
  /** Tags that other documents have. */
  knownTags: readonly string[]
  onTags: (tags: string[]) => void
  onOpen: (documentId: string) => void
  /** Reads and releases held passages. */
  held?: HeldActions | undefined
  onRetry: () => void
  /** Left out where the viewer may not delete it. */
  onDelete?: (() => void) | undefined
  /** Left out, like `held`, where the viewer administers nothing. */
  onDescribe?: (() => void) | undefined
  /** The page of its passages can be opened. */
  showsPassages: boolean
  /** Left out where the frame around it closes by itself. */
  onClose?: () => void
}

export const DocumentDetail = ({
  row,
  parent,
  knownTags,
  held,
  onTags,
  onOpen,
  onRetry,
  onDelete,
  onDescribe,
  showsPassages,
  onClose,
}: DocumentDetailProps) => (
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
            ['Type', typeWord(row.mediaType, row.name)],
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
            ...knownFacts(row, parent, onOpen),
          ]}
        />
      </div>
      <div className="mb-6 flex flex-wrap gap-2">
        {row.fileHeld ? (
          <p className="basis-full text-[13px] text-muted-foreground">{row.fileHeld}</p>
        ) : (
          <Button asChild>
            <a href={`/api/documents/versions/${row.versionId}/file`} download={row.name}>
              <Download />
              Download the file
            </a>
          </Button>
        )}
        {showsPassages && (row.stage === 'ready' || row.earlierVersionServes) && (
          <Button asChild>
            <Link href={`/admin/documents/${row.id}` as Route} prefetch={false}>
              <Rows3 />
              Passages
            </Link>
          </Button>
        )}
        {onDelete && (
          <Button variant="destructive" onClick={onDelete}>
            <Trash2 />
            Delete document
          </Button>
        )}
      </div>
      <DocumentNotes key={`notes of ${row.id}`} documentId={row.id} />
      <TagEditor key={row.id} row={row} known={knownTags} onTags={onTags} />
      {held && row.stage === 'ready' && <HeldPassages key={row.versionId} row={row} held={held} />}
      <Description row={row} onDescribe={onDescribe} />
      <h3 className="mb-2 font-medium text-[12.5px] text-muted-foreground tracking-normal">Text as it was read</h3>
      <TextPreview key={row.versionId} row={row} />
    </div>
  </>
)
