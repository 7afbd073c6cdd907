'use client'
import { ChevronLeft, ChevronRight, X } from 'lucide-react'
import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Button } from '#components/ui/button.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import { truncate } from '#lib/shared/text.ts'
import { markable, SummariseMarked } from './marked-text.tsx'
import { SourceDocument } from './source-document.tsx'
import { capitalised, placeOf } from './source-label.ts'
import { sourceNumberClasses } from './source-number.tsx'
import type { SourceTarget } from './source-target.ts'

const sourceOwner = 'source'

const whereOf = (target: SourceTarget): string =>
  [capitalised(placeOf(target, target.pages)), target.collection].filter(Boolean).join(' · ')

export type SourcePanelProps = {
  target: SourceTarget
  /** Where the target stands among the passages that can be walked. */
  position: { at: number; of: number }
  onWalk: (step: 1 | -1) => void
  onClose: () => void
}

const Header = ({ target, onClose, title }: { target: SourceTarget; onClose: () => void; title: ReactNode }) => (
  <div className="flex shrink-0 items-center gap-2.5 border-b py-2.5 pr-2.5 pl-4">
    {target.n !== null && (
      <span aria-hidden className={sourceNumberClasses({ ...target, active: target.supported })}>
        {target.n}
      </span>
    )}
    <div className="min-w-0 flex-1">
      {title}
      <div className="num truncate text-[12.5px] text-muted-foreground">{whereOf(target)}</div>
    </div>
    <Button variant="ghost" size="icon" aria-label="Close the source" onClick={onClose}>
      <X />
    </Button>
  </div>
)

const Body = ({ target }: { target: SourceTarget }) => {
  const [scroller, setScroller] = useState<HTMLElement | null>(null)
  return (
    <section
      ref={setScroller}
      aria-label="Document"
      {...markable(sourceOwner, target.title)}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto p-3 -outline-offset-2 sm:p-[18px]"
    >
      <SourceDocument target={target} scroller={scroller} />
    </section>
  )
}

const Footer = ({ target, position, onWalk }: Omit<SourcePanelProps, 'onClose'>) => (
  <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-t px-[18px] py-2.5 text-[12.5px] text-muted-foreground">
    <span className="min-w-0 flex-1 basis-40">
      {target.claim ? (
        <span dir="auto" className="line-clamp-2">
          Cited for: “{truncate(target.claim, 120)}”
        </span>
      ) : (
        'Near to the question'
      )}
      {!target.supported && !target.removed && (
        <span className="block font-medium text-warning">Not supported as written</span>
      )}
    </span>
    <SummariseMarked owner={sourceOwner} />
    {position.of > 1 && (
      <span className="-mr-1.5 flex shrink-0 items-center">
        <Button
          variant="quiet"
          size="sm"
          className="px-1.5"
          onClick={() => onWalk(-1)}
          disabled={position.at <= 0}
          aria-keyshortcuts="K"
        >
          <Kbd className="touch:hidden">K</Kbd>
          <ChevronLeft aria-hidden className="hidden touch:block" />
          <span className="sr-only">Previous passage</span>
        </Button>
        <Button
          variant="quiet"
          size="sm"
          className="px-1.5"
          onClick={() => onWalk(1)}
          disabled={position.at >= position.of - 1}
          aria-keyshortcuts="J"
        >
          <Kbd className="touch:hidden">J</Kbd> next passage
          <ChevronRight aria-hidden className="hidden touch:block" />
        </Button>
        <span className="num sr-only">
          {position.at + 1} of {position.of}
        </span>
      </span>
    )}
  </div>
)

/** The document beside the answer, on wide screens. */
export const SourceAside = (props: SourcePanelProps) => {
  const aside = useRef<HTMLElement>(null)
  useEffect(() => {
    aside.current?.focus({ preventScroll: true })
  }, [])
  return (
    <aside
      ref={aside}
      tabIndex={-1}
      data-state="open"
      aria-label={`Source: ${props.target.title}`}
      className="slide-in flex w-[452px] shrink-0 flex-col border-l bg-card outline-none [--slide-x:16px]"
    >
      <Header
        {...props}
        title={
          <h2 className="truncate font-semibold">
            <ShownName name={props.target.title} />
          </h2>
        }
      />
      <Body target={props.target} />
      <Footer {...props} />
    </aside>
  )
}

const snapsDvh = [60, 92] as const

/** The same as a sheet over the lower part of a small screen; pulled up it fills it, pulled down it closes. */
export const SourceSheet = (props: SourcePanelProps) => {
  const [heightDvh, setHeightDvh] = useState<number>(snapsDvh[0])
  const [dragging, setDragging] = useState(false)
  // A drag ends with a click, which is not one.
  const dragged = useRef(false)
  const tall = heightDvh > 75

  const drag = (event: PointerEvent<HTMLButtonElement>): void => {
    const handle = event.currentTarget
    dragged.current = false
    handle.setPointerCapture(event.pointerId)
    const startY = event.clientY
    const startDvh = heightDvh
    let nowDvh = startDvh
    const move = (moved: globalThis.PointerEvent): void => {
      if (Math.abs(startY - moved.clientY) < 4 && !dragged.current) return
      dragged.current = true
      setDragging(true)
      nowDvh = Math.min(95, startDvh + ((startY - moved.clientY) / window.innerHeight) * 100)
      setHeightDvh(nowDvh)
    }
    const end = (): void => {
      handle.removeEventListener('pointermove', move)
      setDragging(false)
      if (nowDvh === startDvh) return
      if (nowDvh < 35) props.onClose()
      else setHeightDvh(nowDvh < 76 ? snapsDvh[0] : snapsDvh[1])
    }
    handle.addEventListener('pointermove', move)
    handle.addEventListener('pointerup', end, { once: true })
    handle.addEventListener('pointercancel', end, { once: true })
  }

  return (
    <Sheet open modal={false} onOpenChange={(open) => !open && props.onClose()}>
      <SheetContent
        side="bottom"
        overlay={false}
        closeButton={false}
        aria-describedby={undefined}
        onInteractOutside={(event) => event.preventDefault()}
        onCloseAutoFocus={(event) => event.preventDefault()}
        className={dragging ? '' : 'transition-[height] duration-180'}
        style={{ height: `${heightDvh}dvh` }}
      >
        <button
          type="button"
          aria-label={tall ? 'Make the source smaller' : 'Make the source larger'}
          onPointerDown={drag}
          onClick={() => !dragged.current && setHeightDvh(tall ? snapsDvh[0] : snapsDvh[1])}
          className="flex h-6 w-full shrink-0 touch-none items-center justify-center rounded-t-[16px]"
        >
          <span className="h-1 w-9 rounded-full bg-input" />
        </button>
        <Header
          {...props}
          title={
            <SheetTitle className="truncate">
              <ShownName name={props.target.title} />
            </SheetTitle>
          }
        />
        <Body target={props.target} />
        <Footer {...props} />
      </SheetContent>
    </Sheet>
  )
}
