'use client'
/** The cited document as its reader knows it: the page of a PDF, the picture itself, or else its text on paper. */
import { ChevronLeft, ChevronRight, ZoomIn, ZoomOut } from 'lucide-react'
import dynamic from 'next/dynamic'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import type { PublicError } from '#lib/shared/errors.ts'
import { SourcePicture } from './source-picture.tsx'
import type { SourceTarget } from './source-target.ts'
import { SourceText, type SourceTextBody, SourceTextSkeleton } from './source-text.tsx'

// The viewer is half a megabyte: it is fetched when the first PDF is opened.
const PdfPage = dynamic(() => import('./pdf-page.tsx').then((module) => module.PdfPage), {
  ssr: false,
  loading: () => <SourceTextSkeleton />,
})

/** Print of ten points becomes as large as the text beside it. */
const enlarged = 1.7

const isPdf = (target: SourceTarget): boolean =>
  target.page !== null && (target.mediaType === null || target.mediaType === 'application/pdf')

const isPicture = (target: SourceTarget): boolean => target.mediaType?.startsWith('image/') ?? false

const fileUrl = ({ versionId }: SourceTarget): string => `/api/documents/versions/${versionId}/file`

type Loaded = { state: 'loading' } | { state: 'ready'; body: SourceTextBody } | { state: 'failed'; words: string }

const unreachable = 'The document could not be loaded. Check the connection and try again.'
const textsHeldMax = 4
const texts = new Map<string, SourceTextBody>()

const loadText = async (versionId: string, signal: AbortSignal): Promise<Loaded> => {
  const held = texts.get(versionId)
  if (held) return { state: 'ready', body: held }
  const response = await fetch(`/api/documents/versions/${versionId}/text`, { signal })
  if (!response.ok) {
    const refused = (await response.json().catch(() => null)) as { error?: PublicError } | null
    if (response.status === 404)
      return { state: 'failed', words: 'This document was deleted, or it is not open to you any more.' }
    return { state: 'failed', words: refused?.error?.message ?? unreachable }
  }
  const body = (await response.json()) as SourceTextBody
  texts.set(versionId, body)
  const [oldest] = texts.keys()
  if (texts.size > textsHeldMax && oldest) texts.delete(oldest)
  return { state: 'ready', body }
}

const Notice = ({ children, retry }: { children: ReactNode; retry?: () => void }) => (
  <div role="status" className="rounded-lg border bg-source px-5 py-8 text-center text-muted-foreground">
    {children}
    {retry && (
      <div className="mt-3">
        <Button size="sm" onClick={retry}>
          Try again
        </Button>
      </div>
    )}
  </div>
)

type BodyProps = { target: SourceTarget; scroller: HTMLElement | null }

const TextBody = ({ target, scroller }: BodyProps) => {
  const [loaded, setLoaded] = useState<Loaded>({ state: 'loading' })
  const [attempt, setAttempt] = useState(0)
  const { versionId, charStart, charEnd } = target
  const mark = useMemo(() => ({ start: charStart, end: charEnd }), [charStart, charEnd])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads again
  useEffect(() => {
    const abort = new AbortController()
    setLoaded({ state: 'loading' })
    loadText(versionId, abort.signal)
      .then(setLoaded)
      .catch(() => {
        if (!abort.signal.aborted) setLoaded({ state: 'failed', words: unreachable })
      })
    return () => abort.abort()
  }, [versionId, attempt])
  if (loaded.state === 'loading') return <SourceTextSkeleton />
  if (loaded.state === 'failed') return <Notice retry={() => setAttempt(attempt + 1)}>{loaded.words}</Notice>
  return <SourceText key={versionId} body={loaded.body} mark={mark} scroller={scroller} />
}

const Zoom = ({ zoom, setZoom, what }: { zoom: number; setZoom: (zoom: number) => void; what: string }) => (
  <Button
    variant="quiet"
    size="icon-sm"
    aria-label={zoom === 1 ? `Enlarge the ${what}` : `Fit the ${what} to the panel`}
    onClick={() => setZoom(zoom === 1 ? enlarged : 1)}
  >
    {zoom === 1 ? <ZoomIn /> : <ZoomOut />}
  </Button>
)

/** The cited words, where their place on the page is not known. */
const QuoteBelow = ({ target }: { target: SourceTarget }) =>
  target.rects.length === 0 &&
  target.quote && (
    <p dir="auto" className="mt-3 rounded-sm border bg-source px-4 py-3 font-serif text-[14.5px] leading-[1.58]">
      <mark>{target.quote}</mark>
    </p>
  )

const controls = 'mt-3 flex items-center justify-center gap-1 text-[13px] text-muted-foreground'
const noRects: SourceTarget['rects'] = []

const PdfBody = ({ target, scroller }: BodyProps) => {
  const cited = target.page ?? 1
  const [page, setPage] = useState(cited)
  const [pages, setPages] = useState(target.pages)
  const [problem, setProblem] = useState(false)
  const [zoom, setZoom] = useState(1)
  // A page that cannot be drawn still has its words.
  if (problem) return <TextBody target={target} scroller={scroller} />
  return (
    <>
      <PdfPage
        url={fileUrl(target)}
        page={page}
        rects={page === cited ? target.rects : noRects}
        zoom={zoom}
        scroller={scroller}
        onPages={setPages}
        onProblem={() => setProblem(true)}
      />
      {page === cited && <QuoteBelow target={target} />}
      <nav aria-label="Pages" className={controls}>
        <Button
          variant="quiet"
          size="icon-sm"
          aria-label="Previous page"
          disabled={page <= 1}
          onClick={() => setPage(page - 1)}
        >
          <ChevronLeft />
        </Button>
        <span className="num min-w-24 text-center">
          Page {page}
          {pages ? ` of ${pages}` : ''}
        </span>
        <Button
          variant="quiet"
          size="icon-sm"
          aria-label="Next page"
          disabled={pages !== null && page >= pages}
          onClick={() => setPage(page + 1)}
        >
          <ChevronRight />
        </Button>
        <Zoom zoom={zoom} setZoom={setZoom} what="page" />
        {page !== cited && (
          <Button variant="quiet" size="sm" onClick={() => setPage(cited)}>
            Back to page {cited}
          </Button>
        )}
      </nav>
    </>
  )
}

const PictureBody = ({ target, scroller }: BodyProps) => {
  const [asText, setAsText] = useState(false)
  const [zoom, setZoom] = useState(1)
  return (
    <>
      {asText ? (
        <TextBody target={target} scroller={scroller} />
      ) : (
        <>
          <SourcePicture
            url={fileUrl(target)}
            title={target.title}
            words={target.quote}
            rects={target.rects}
            zoom={zoom}
            scroller={scroller}
            onProblem={() => setAsText(true)}
          />
          <QuoteBelow target={target} />
        </>
      )}
      <div className={controls}>
        <Button variant="quiet" size="sm" aria-pressed={asText} onClick={() => setAsText(!asText)}>
          As text
        </Button>
        {!asText && <Zoom zoom={zoom} setZoom={setZoom} what="picture" />}
      </div>
    </>
  )
}

/** The document behind a citation with the cited words marked and brought into view in `scroller`. */
export const SourceDocument = (props: BodyProps) => {
  const { target } = props
  if (target.closed) return <Notice>You no longer have access to this document.</Notice>
  if (target.removed)
    return <Notice>This document was deleted since the answer was written. Its words are not kept.</Notice>
  if (isPicture(target)) return <PictureBody key={target.key} {...props} />
  return isPdf(target) ? <PdfBody key={target.key} {...props} /> : <TextBody {...props} />
}
