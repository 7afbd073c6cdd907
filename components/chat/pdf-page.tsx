'use client'
import { useEffect, useRef, useState } from 'react'
import { Document, Page, pdfjs } from 'react-pdf'
import 'react-pdf/dist/Page/TextLayer.css'
import { Skeleton } from '#components/ui/skeleton.tsx'
import type { PageRect } from '#lib/shared/chat-contract.ts'

pdfjs.GlobalWorkerOptions.workerSrc = new URL('pdfjs-dist/build/pdf.worker.min.mjs', import.meta.url).toString()

/** Until the page says how high it is. */
const a4Ratio = 297 / 210

const percent = (fraction: number): string => `${fraction * 100}%`

/**
 * One page of a PDF, as wide as its place, with the cited passage marked by its rectangles and brought into view. `scroller` is
 * the element that scrolls. Calls `onProblem` when the file cannot be shown, `onPages` with the number of pages.
 */
export const PdfPage = ({
  url,
  page,
  rects,
  zoom,
  scroller,
  onPages,
  onProblem,
}: {
  url: string
  page: number
  rects: readonly PageRect[]
  /** 1 fits the width. */
  zoom: number
  scroller: HTMLElement | null
  onPages: (pages: number) => void
  onProblem: () => void
}) => {
  const frame = useRef<HTMLDivElement>(null)
  const [frameWidth, setWidth] = useState(0)
  const [ratio, setRatio] = useState(a4Ratio)
  const [rendered, setRendered] = useState(0)

  useEffect(() => {
    if (!frame.current) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])

  const width = Math.floor(frameWidth * zoom)
  useEffect(() => {
    if (!rendered || !scroller) return
    const [first] = rects
    const height = width * ratio
    const top = first ? Math.max(0, first.y * height - scroller.clientHeight * 0.3) : 0
    scroller.scrollTo({ top, behavior: 'instant' })
    frame.current?.scrollTo({ left: first ? Math.max(0, first.x * width - 24) : 0, behavior: 'instant' })
  }, [rendered, scroller, rects, width, ratio])

  const placeholder = <Skeleton className="rounded-none bg-source" style={{ width, height: width * ratio }} />
  return (
    <div ref={frame} className="w-full overflow-x-auto rounded-sm">
      {width > 0 && (
        <Document
          file={url}
          loading={placeholder}
          error={null}
          onLoadSuccess={({ numPages }) => onPages(numPages)}
          onLoadError={onProblem}
        >
          <div className="relative overflow-hidden rounded-sm border bg-white dark:brightness-[.88]" style={{ width }}>
            <Page
              pageNumber={page}
              width={width - 2}
              loading={placeholder}
              error={null}
              renderAnnotationLayer={false}
              onLoadSuccess={({ originalHeight, originalWidth }) => setRatio(originalHeight / originalWidth)}
              onRenderSuccess={() => setRendered((count) => count + 1)}
              onRenderError={onProblem}
            />
            {rects.map((rect) => (
              <div
                key={`${rect.x}:${rect.y}:${rect.width}`}
                data-highlight
                aria-hidden
                className="pointer-events-none absolute rounded-[2px] bg-[oklch(91%_.13_95)] mix-blend-multiply"
                style={{
                  left: percent(rect.x),
                  top: percent(rect.y),
                  width: percent(rect.width),
                  height: percent(rect.height),
                }}
              />
            ))}
          </div>
        </Document>
      )}
    </div>
  )
}
