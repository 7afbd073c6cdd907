'use client'
import { Check, X } from 'lucide-react'
import { useMemo, useRef, useState } from 'react'
import { AnswerText } from '#components/chat/answer-text.tsx'
import {
  type AnswerCitations,
  AnswerCitationsContext,
  SourcePanelContext,
  type SourcePanelState,
} from '#components/chat/source-target.ts'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { FoundPassage, LabelTask } from '#lib/shared/label-contract.ts'

/** What is longer is cut until somebody wants all of it; where the scores come after the passages, sooner. */
const passageCharsMax = 1_200
const narrowCharsMax = 300

const Passage = ({
  passage: { chunkId, rank, title, page, text },
  mark,
  onMark,
}: {
  passage: FoundPassage
  mark: boolean | undefined
  onMark: ((chunkId: string, relevant: boolean | null) => void) | null
}) => {
  const [all, setAll] = useState(false)
  const long = text.length > passageCharsMax
  return (
    <li data-passage={chunkId} tabIndex={-1} className="rounded-lg border bg-source px-3.5 py-2.5">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-[12.5px]">
        <span className="num text-muted-foreground">{rank}</span>
        <bdi className="min-w-0 flex-1 basis-40 truncate font-medium">{title}</bdi>
        {page !== null && <span className="num text-muted-foreground">p. {page}</span>}
        {onMark && (
          <span className="flex max-sm:-ml-2">
            {([true, false] as const).map((relevant) => (
              <Button
                key={String(relevant)}
                size="sm"
                variant={mark === relevant ? 'outline' : 'quiet'}
                aria-pressed={mark === relevant}
                aria-label={`Passage ${rank} ${relevant ? 'helps' : 'does not help'} with the question`}
                onClick={() => onMark(chunkId, mark === relevant ? null : relevant)}
              >
                {relevant ? <Check aria-hidden /> : <X aria-hidden />}
                {relevant ? 'Helps' : 'Does not'}
              </Button>
            ))}
          </span>
        )}
      </div>
      <div
        dir="auto"
        className={cn(
          'mt-1.5 whitespace-pre-line font-serif text-[14px] leading-[1.55] [overflow-wrap:anywhere]',
          !all && 'max-lg:line-clamp-6',
        )}
      >
        {all || !long ? text : `${text.slice(0, passageCharsMax)}…`}
      </div>
      {text.length > narrowCharsMax && (
        <Button
          size="sm"
          variant="quiet"
          className={cn('-ml-2 mt-1', !long && 'lg:hidden')}
          aria-expanded={all}
          aria-label={`Show ${all ? 'less' : 'all'} of passage ${rank}`}
          onClick={() => setAll(!all)}
        >
          Show {all ? 'less' : 'all'}
        </Button>
      )}
    </li>
  )
}

/** A question with its answer, and the passages that search found for it, the best first. */
export const LabelAnswer = ({
  task: { messageId, question, searched, text, citations, passages },
  marks,
  onMark,
}: {
  task: LabelTask
  marks?: ReadonlyMap<string, boolean>
  /** Null: passages are only shown. */
  onMark: ((chunkId: string, relevant: boolean | null) => void) | null
}) => {
  const list = useRef<HTMLOListElement>(null)
  const context = useMemo<AnswerCitations>(
    () => ({ messageId, citations: new Map(citations.map((one) => [one.ordinal, one])), streaming: false }),
    [messageId, citations],
  )
  // A chip leads to its passage below; the words that it stands for are shown when one rests on it.
  const panel = useMemo<SourcePanelState>(
    () => ({
      openKey: null,
      open: ({ quote }) => {
        const passage = passages.find((one) => quote !== '' && one.text.includes(quote))
        const shown = passage && list.current?.querySelector<HTMLElement>(`[data-passage="${passage.chunkId}"]`)
        shown?.scrollIntoView({ block: 'nearest' })
        shown?.focus({ preventScroll: true })
      },
    }),
    [passages],
  )
  return (
    <article aria-label="Answer to label" className="min-w-0">
      <h2 dir="auto" className="font-semibold text-[17px] leading-snug [overflow-wrap:anywhere]">
        {question}
      </h2>
      {searched && (
        <p className="mt-1 text-[13px] text-muted-foreground">
          Searched as: <bdi>{searched}</bdi>
        </p>
      )}
      <div className="mt-3 mb-5">
        <SourcePanelContext value={panel}>
          <AnswerCitationsContext value={context}>
            <AnswerText text={text} streaming={false} />
          </AnswerCitationsContext>
        </SourcePanelContext>
      </div>
      <h3 className="mb-2 font-medium text-[13.5px]">
        {onMark ? 'What search found: does it help with the question?' : 'What search found'}
      </h3>
      {passages.length > 0 ? (
        <ol ref={list} className="flex flex-col gap-2">
          {passages.map((passage) => (
            <Passage key={passage.chunkId} passage={passage} mark={marks?.get(passage.chunkId)} onMark={onMark} />
          ))}
        </ol>
      ) : (
        <p className="text-[13px] text-muted-foreground">
          The record of the search is not kept any more, or its documents are gone.
        </p>
      )}
    </article>
  )
}
