'use client'
import { Fragment, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import { cn } from '#lib/shared/cn.ts'
import { type Piece, type Range, readableBlocks, type TextBlock, textFormatOf, windowAround } from './text-passage.ts'

const windowChars = 12_000

export type SourceTextBody = { text: string; mediaType: string; name: string }

const Pieces = ({ pieces }: { pieces: Piece[] }) =>
  pieces.map((piece, i) => {
    // At most three, before, within and after the mark.
    const key = piece.marked ? 'marked' : i === 0 ? 'before' : 'after'
    return piece.marked ? <mark key={key}>{piece.text}</mark> : <Fragment key={key}>{piece.text}</Fragment>
  })

const Block = ({ block }: { block: TextBlock }): ReactNode => {
  switch (block.kind) {
    case 'heading':
      // One level for all: a window on a document may begin at any depth.
      return (
        <h3 className={cn('mt-5 mb-1.5 font-semibold first:mt-0', block.level === 1 ? 'text-[18px]' : 'text-[15px]')}>
          <Pieces pieces={block.pieces} />
        </h3>
      )
    case 'item':
      return (
        <p className="mb-1 flex gap-2 whitespace-pre-line">
          <span className="num min-w-3 shrink-0 text-right">{block.sign}</span>
          <span className="min-w-0">
            <Pieces pieces={block.pieces} />
          </span>
        </p>
      )
    case 'paragraph':
      return (
        <p className="mb-2.5 whitespace-pre-line">
          <Pieces pieces={block.pieces} />
        </p>
      )
    case 'code':
      return (
        <pre
          dir="ltr"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          className="-mx-3 overflow-x-auto px-3 font-mono text-[12.5px] leading-[1.6] [overflow-wrap:normal] sm:-mx-6 sm:px-6"
        >
          <Pieces pieces={block.pieces} />
        </pre>
      )
    case 'records':
      return (
        <div className="mb-3">
          {block.rows.map((row) => (
            <p key={row.start} className="num border-b py-2 text-[14px] first:pt-0">
              {row.cells.map((cell) => (
                <span key={cell.start} className="mr-3 inline-block">
                  {cell.label && <span className="text-muted-foreground">{cell.label.replaceAll('_', ' ')} </span>}
                  <Pieces pieces={cell.pieces} />
                </span>
              ))}
            </p>
          ))}
        </div>
      )
    case 'table':
      return (
        <div
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          className="-mx-3 mb-3 overflow-x-auto px-3 sm:-mx-6 sm:px-6"
        >
          <table className="num w-full border-collapse text-[13px] leading-snug [overflow-wrap:normal]">
            <tbody>
              {block.rows.map((row, i) => (
                <tr key={row.start} className={cn('border-b align-top', i === 0 && 'font-semibold')}>
                  {row.cells.map((cell) => (
                    <td key={cell.start} className="min-w-14 py-1.5 pr-3 last:pr-0">
                      <Pieces pieces={cell.pieces} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )
  }
}

/** A document's text on paper with the passage marked and brought into view; a long text is opened further on request. */
export const SourceText = ({
  body,
  mark,
  scroller,
}: {
  body: SourceTextBody
  mark: Range
  scroller: HTMLElement | null
}) => {
  const paper = useRef<HTMLDivElement>(null)
  const [chars, setChars] = useState(windowChars)
  const format = textFormatOf(body)
  const shown = useMemo(() => windowAround(body.text, mark, chars), [body.text, mark, chars])
  const blocks = useMemo(() => readableBlocks(body.text, shown, mark, format), [body.text, shown, mark, format])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new passage is brought into view, a longer text is not
  useEffect(() => {
    const found = paper.current?.querySelector('mark')
    if (!found || !scroller) return
    const offset = found.getBoundingClientRect().top - scroller.getBoundingClientRect().top
    scroller.scrollTo({ top: scroller.scrollTop + offset - scroller.clientHeight * 0.3, behavior: 'instant' })
  }, [mark, scroller])

  const more = (
    <Button variant="quiet" size="sm" className="font-sans" onClick={() => setChars(chars * 4)}>
      Show more of the document
    </Button>
  )
  return (
    <div
      ref={paper}
      dir="auto"
      className="rounded-sm border bg-source px-6 py-7 font-serif text-[15px] leading-[1.62] shadow-float [overflow-wrap:anywhere] sm:px-9 sm:py-8"
    >
      {shown.start > 0 && <div className="mb-3">{more}</div>}
      {blocks.map((block) => (
        <Block key={block.start} block={block} />
      ))}
      {shown.end < body.text.length && <div className="mt-3">{more}</div>}
    </div>
  )
}

export const SourceTextSkeleton = () => (
  <div className="rounded-sm border bg-source px-9 py-8">
    <Skeleton className="mb-4 h-5 w-2/5" />
    {['w-full', 'w-11/12', 'w-[97%]', 'w-4/5', 'w-[94%]', 'w-2/3'].map((width) => (
      <Skeleton key={width} className={cn('mb-2.5 h-3.5', width)} />
    ))}
  </div>
)
