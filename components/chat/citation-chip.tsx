'use client'
import { useContext, useRef, useState } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { HoverCard, HoverCardContent, HoverCardTrigger } from '#components/ui/hover-card.tsx'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import { truncate } from '#lib/shared/text.ts'
import { capitalised, chipLabel, placeOf } from './source-label.ts'
import { sourceNumberClasses } from './source-number.tsx'
import { AnswerCitationsContext, citationKey, targetOf, useSourcePanel } from './source-target.ts'

const previewChars = 420

const Preview = ({ citation }: { citation: Citation }) => {
  const place = placeOf(citation)
  // Without a page the innermost heading is the place itself.
  const path = pageInWords(citation) ? citation.headingPath.slice(-2) : citation.headingPath.slice(0, -1)
  return (
    <>
      <div className="flex items-start gap-2 px-3 py-2.5">
        <span aria-hidden className={cn(sourceNumberClasses(citation), 'mt-[2px]')}>
          {citation.n}
        </span>
        <div className="min-w-0">
          <div className="font-medium text-[13px]">
            <ShownName name={citation.title} />
          </div>
          <div className="text-muted-foreground text-xs">
            {[capitalised(place), path.join(' › ')].filter(Boolean).join(' · ')}
          </div>
        </div>
      </div>
      <div dir="auto" className="border-t bg-source px-4 py-3 font-serif text-[14.5px] leading-[1.58]">
        {citation.removed ? (
          <span className="font-sans text-[13px] text-muted-foreground">
            {citation.closed
              ? 'You no longer have access to this document.'
              : 'This document was deleted since. Its words are not kept.'}
          </span>
        ) : (
          <mark>{truncate(citation.quote, previewChars)}</mark>
        )}
      </div>
      {!citation.supported && !citation.removed && (
        <div className="border-t px-3 py-2 font-medium text-warning text-xs">
          Not supported as written: the passage does not carry this sentence. Read it before relying on it.
        </div>
      )}
    </>
  )
}

/** The number after a claim: hover or focus shows the passage, a click opens it in its document. */
export const CitationChip = ({ ordinal }: { ordinal: number }) => {
  const { messageId, citations, streaming } = useContext(AnswerCitationsContext)
  const panel = useSourcePanel()
  const [open, setOpen] = useState(false)
  // Once the passage is open in the panel, neither the resting pointer nor the focus that comes back opens the preview.
  const chip = useRef<HTMLButtonElement>(null)
  const isQuiet = (): boolean => chip.current?.dataset.quiet !== undefined
  const citation = citations.get(ordinal)
  // Its number comes a moment later; the place is kept so that nothing moves.
  if (!citation)
    return streaming ? <span aria-hidden className={cn(sourceNumberClasses({}), 'mx-0.5 align-[2px]')} /> : null
  const active = panel.openKey === citationKey(messageId, ordinal)
  return (
    <HoverCard
      open={open && !active}
      onOpenChange={(next) => setOpen(next && !isQuiet())}
      openDelay={220}
      closeDelay={120}
    >
      <HoverCardTrigger asChild>
        <button
          ref={chip}
          type="button"
          data-citation={ordinal}
          data-citation-key={citationKey(messageId, ordinal)}
          data-unsupported={!citation.supported && !citation.removed ? '' : undefined}
          aria-label={chipLabel(citation)}
          aria-expanded={active}
          onPointerEnter={(event) => {
            delete event.currentTarget.dataset.quiet
          }}
          onBlur={(event) => {
            if (!event.relatedTarget?.closest('aside, [role="dialog"]')) delete event.currentTarget.dataset.quiet
          }}
          onClick={(event) => {
            event.currentTarget.dataset.quiet = ''
            setOpen(false)
            const walk = [...citations.values()].sort((a, b) => a.ordinal - b.ordinal)
            panel.open(
              targetOf(messageId, citation),
              walk.map((one) => targetOf(messageId, one)),
              event.currentTarget,
            )
          }}
          className={cn(
            sourceNumberClasses({ ...citation, active }),
            // The target is larger than what is drawn.
            'relative mx-0.5 align-[2px] transition-colors duration-120 before:absolute before:-inset-x-1 before:-inset-y-[5px] hover:bg-primary hover:text-primary-foreground touch:before:-inset-2',
          )}
        >
          {citation.n}
        </button>
      </HoverCardTrigger>
      <HoverCardContent side="top" align="start">
        <Preview citation={citation} />
      </HoverCardContent>
    </HoverCard>
  )
}
