'use client'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { PageRect } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'

const percent = (fraction: number): string => `${fraction * 100}%`

/** Of the height that is seen: the mark stands this far below the top. */
const markTop = 0.3
const markLeftPx = 24

export type Marked = {
  rects: readonly PageRect[]
  /** 1 fits the width. */
  zoom: number
  /** The element that scrolls. */
  scroller: HTMLElement | null
}

/** A page or picture as wide as its place, with the cited passage marked by its rectangles and brought into view. */
export const MarkedPage = ({
  rects,
  zoom,
  scroller,
  ratio,
  drawn,
  outlined = false,
  children,
}: Marked & {
  /** Height over width. */
  ratio: number
  /** How often it was drawn; nothing is marked before the first time. */
  drawn: number
  /** Marks get a line around them: on dark ground their colour alone is not seen. */
  outlined?: boolean
  children: (size: { widthPx: number; heightPx: number }) => ReactNode
}) => {
  const frame = useRef<HTMLDivElement>(null)
  const [frameWidthPx, setFrameWidthPx] = useState(0)

  useEffect(() => {
    if (!frame.current) return
    const observer = new ResizeObserver(([entry]) => setFrameWidthPx(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])

  const outerPx = Math.floor(frameWidthPx * zoom)
  // Inside the line around it, so that the rectangles stand exactly where the words do.
  const widthPx = Math.max(0, outerPx - 2)
  const heightPx = widthPx * ratio
  useEffect(() => {
    if (!drawn || !scroller) return
    const [first] = rects
    const top = first ? Math.max(0, first.y * heightPx - scroller.clientHeight * markTop) : 0
    scroller.scrollTo({ top, behavior: 'instant' })
    frame.current?.scrollTo({ left: first ? Math.max(0, first.x * widthPx - markLeftPx) : 0, behavior: 'instant' })
  }, [drawn, scroller, rects, widthPx, heightPx])

  return (
    <div ref={frame} className="w-full overflow-x-auto rounded-sm">
      {widthPx > 0 && (
        <div
          className="relative overflow-hidden rounded-sm border bg-white dark:brightness-[.88]"
          style={{ width: outerPx }}
        >
          {children({ widthPx, heightPx })}
          {drawn > 0 &&
            rects.map((rect) => (
              <div
                key={`${rect.x}:${rect.y}:${rect.width}`}
                data-highlight
                aria-hidden
                className={cn(
                  'pointer-events-none absolute rounded-[2px]',
                  outlined && 'outline-2 outline-[oklch(72%_.15_85)] outline-offset-1',
                )}
                style={{
                  left: percent(rect.x),
                  top: percent(rect.y),
                  width: percent(rect.width),
                  height: percent(rect.height),
                }}
              >
                <div className="size-full rounded-[inherit] bg-[oklch(91%_.13_95)] mix-blend-multiply" />
              </div>
            ))}
        </div>
      )}
    </div>
  )
}
