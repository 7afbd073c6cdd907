'use client'
import { useState } from 'react'
import { Document, Page, pdfjs } from 'react-pdf'
import 'react-pdf/dist/Page/TextLayer.css'
import { Skeleton } from '#components/ui/skeleton.tsx'
import { type Marked, MarkedPage } from './marked-page.tsx'

pdfjs.GlobalWorkerOptions.workerSrc = new URL('pdfjs-dist/build/pdf.worker.min.mjs', import.meta.url).toString()

/** Until the page says how high it is. */
const a4Ratio = 297 / 210

/**
 * One page of a PDF with its marks. A scanned page has no text layer; its marks are fractions of what is drawn, like all others.
 * Calls `onProblem` when the file cannot be shown, `onPages` with the number of pages.
 */
export const PdfPage = ({
  url,
  page,
  onPages,
  onProblem,
  ...marked
}: Marked & {
  url: string
  page: number
  onPages: (pages: number) => void
  onProblem: () => void
}) => {
  const [ratio, setRatio] = useState(a4Ratio)
  const [drawn, setDrawn] = useState(0)
  return (
    <MarkedPage {...marked} ratio={ratio} drawn={drawn}>
      {({ widthPx, heightPx }) => {
        const placeholder = <Skeleton className="rounded-none bg-source" style={{ width: widthPx, height: heightPx }} />
        return (
          <Document
            file={url}
            loading={placeholder}
            error={null}
            onLoadSuccess={({ numPages }) => onPages(numPages)}
            onLoadError={onProblem}
          >
            <Page
              pageNumber={page}
              width={widthPx}
              loading={placeholder}
              error={null}
              renderAnnotationLayer={false}
              onLoadSuccess={({ originalHeight, originalWidth }) => setRatio(originalHeight / originalWidth)}
              onRenderSuccess={() => setDrawn((count) => count + 1)}
              onRenderError={onProblem}
            />
          </Document>
        )
      }}
    </MarkedPage>
  )
}
