'use client'
import { Eye } from 'lucide-react'
import { goneInWords, shortPlaceOf } from '#components/chat/source-label.ts'
import { sourceNumberClasses } from '#components/chat/source-number.tsx'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import type { ReviewClaim } from '#lib/shared/review-contract.ts'
import { DiffText, SentenceText } from './diff-text.tsx'
import { EditField, type EditState, EditVerdict } from './edit-verdict.tsx'
import { usePassage } from './passage-context.ts'
import { isFlagged } from './review-words.ts'
import { markerLegend } from './sentence-edit.ts'

type OpenSource = (ordinal: number, opener: HTMLElement | null) => void

/** Two columns where there is room for two: the answer speaks on the page, the document on its paper. */
export const rowClasses = 'grid grid-cols-1 border-b @3xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]'
const cellClasses = 'min-w-0 px-5 py-3.5 max-sm:px-4'
export const answerCellClasses = cn(
  cellClasses,
  'border-l-[3px] border-l-transparent pl-[17px] max-sm:pl-[13px] @3xl:border-r',
)

const PassageQuote = ({
  citation,
  supported,
  seen,
  flagged,
  selected,
  onOpen,
}: {
  citation: Citation
  supported: boolean
  seen: boolean
  flagged: boolean
  selected: boolean
  onOpen: OpenSource
}) => {
  const { before, quote, after } = usePassage(citation)
  const name = <ShownName name={citation.title} />
  if (citation.removed)
    return (
      <p className="text-[12.5px] text-muted-foreground">
        <span className={sourceNumberClasses(citation)}>{citation.n}</span> {name}: {goneInWords(citation)}
      </p>
    )
  const place = shortPlaceOf(citation)
  return (
    <figure>
      <blockquote dir="auto" className="font-serif text-[15px] leading-[1.6] [overflow-wrap:anywhere]">
        {before}
        <mark>{quote}</mark>
        {after}
      </blockquote>
      <figcaption className="mt-1 flex flex-wrap items-center gap-x-1.5 gap-y-1 text-[12.5px] text-muted-foreground">
        <span aria-hidden className={sourceNumberClasses({ supported })}>
          {citation.n}
        </span>
        <button
          type="button"
          className="min-w-0 max-w-full truncate rounded-sm underline decoration-input underline-offset-2 hover:text-foreground hover:decoration-current touch:py-2"
          onClick={(event) => onOpen(citation.ordinal, event.currentTarget)}
        >
          <span className="sr-only">Open source {citation.n}: </span>
          {name}
          {place && `, ${place}`}
        </button>
        <span className={supported ? undefined : 'font-medium text-warning'}>
          · {supported ? 'supported' : 'does not carry the sentence'}
        </span>
        {flagged && (
          <span className={cn('inline-flex items-center gap-1', !seen && 'font-medium text-warning')}>
            · {seen && <Eye aria-hidden className="size-3.5" />}
            {seen ? 'opened' : 'not opened yet'}
          </span>
        )}
        {selected && (
          <Kbd aria-hidden className="touch:hidden">
            Enter
          </Kbd>
        )}
      </figcaption>
    </figure>
  )
}

type SentenceRowProps = {
  at: number
  of: number
  claim: ReviewClaim
  text: string
  edit: string
  verdict: EditState | null
  editing: boolean
  selected: boolean
  citations: ReadonlyMap<number, Citation>
  seen: ReadonlySet<number>
  onSelect: () => void
  /** To the next sentence, or the one before. */
  onStep: (by: 1 | -1) => void
  onOpen: OpenSource
  onEdit: (words: string) => void
  onEditDone: () => void
  onUndo: () => void
}

const stateOf = (claim: ReviewClaim): string =>
  claim.claims ? (claim.supported ? 'supported' : 'not supported as written') : 'claims nothing'

/** One sentence beside what its sources say. */
export const SentenceRow = (props: SentenceRowProps) => {
  const { at, of, claim, text, edit, selected, citations, seen, onOpen } = props
  const flagged = isFlagged(claim)
  const changed = edit !== text
  const behind = claim.ordinals.flatMap((ordinal) => citations.get(ordinal) ?? [])
  return (
    <li
      id={`sentence-${at}`}
      tabIndex={selected ? 0 : -1}
      aria-current={selected ? 'true' : undefined}
      aria-label={`Sentence ${at + 1} of ${of}, ${stateOf(claim)}`}
      onFocus={(event) => event.target === event.currentTarget && !selected && props.onSelect()}
      onPointerDown={() => !selected && props.onSelect()}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : null
        if (!by || event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
        event.preventDefault()
        props.onStep(by)
      }}
      className={cn(rowClasses, 'outline-none', selected && 'bg-muted/60 focus-visible:outline-2 -outline-offset-2')}
    >
      <div className={cn(answerCellClasses, flagged && 'border-l-warning', selected && !flagged && 'border-l-primary')}>
        <p
          dir="auto"
          className={cn('text-[15px] leading-[1.6] [overflow-wrap:anywhere]', !claim.claims && 'text-muted-foreground')}
        >
          <SentenceText
            text={text}
            citations={citations}
            number={(citation) => (
              <button
                type="button"
                aria-label={`Open source ${citation.n}`}
                className={cn(
                  sourceNumberClasses({ ...citation, supported: !flagged }),
                  'relative mx-0.5 align-[2px] before:absolute before:-inset-1 hover:bg-primary hover:text-primary-foreground touch:before:-inset-2',
                )}
                onClick={(event) => onOpen(citation.ordinal, event.currentTarget)}
              >
                {citation.n}
              </button>
            )}
          />
          {flagged && (
            <>
              {' '}
              <Badge variant="warning" className="align-[1px]">
                Not supported as written
              </Badge>
            </>
          )}
        </p>
        {flagged && claim.reasons.length > 0 && (
          <p className="mt-1 text-[12.5px] text-warning">{claim.reasons.join(' ')}</p>
        )}
        {(changed || props.editing) && (
          <div className="mt-3 border-t pt-2.5">
            <div className="mb-1 flex items-center gap-2 text-[12.5px] text-muted-foreground">
              <span className="flex-1">Your edit</span>
              {changed && (
                <Button variant="quiet" size="sm" onClick={props.onUndo}>
                  Undo this edit
                </Button>
              )}
            </div>
            {props.editing && (
              <EditField
                label={`Sentence ${at + 1}, edited`}
                value={edit}
                legend={markerLegend(`${text} ${edit}`, citations)}
                onChange={props.onEdit}
                onDone={props.onEditDone}
              />
            )}
            {changed && <DiffText before={text} after={edit} citations={citations} />}
            <EditVerdict verdict={changed ? props.verdict : null} />
          </div>
        )}
      </div>
      <div
        className={cn(
          cellClasses,
          'bg-source',
          claim.claims || behind.length ? 'flex flex-col gap-3' : '@max-3xl:hidden',
        )}
      >
        {behind.map((citation) => (
          <PassageQuote
            key={citation.ordinal}
            citation={citation}
            supported={!flagged}
            seen={seen.has(citation.ordinal)}
            flagged={flagged}
            selected={selected && citation === behind[0]}
            onOpen={onOpen}
          />
        ))}
        {behind.length === 0 && claim.claims && (
          <p className="text-[12.5px] text-muted-foreground">No source stands behind this sentence.</p>
        )}
      </div>
    </li>
  )
}
