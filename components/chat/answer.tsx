'use client'
import { Check, CircleQuestionMark, Copy, RefreshCw, Waypoints } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { memo, useMemo, useState } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { Tooltip } from '#components/ui/tooltip.tsx'
import type { ChatMessage, Citation, MessageMetadata } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatAgo, formatCost, formatDuration } from '#lib/shared/format.ts'
import { AnswerConfidence } from './answer-confidence.tsx'
import { AnswerFeedback } from './answer-feedback.tsx'
import { AnswerReview } from './answer-review.tsx'
import { AnswerSeal } from './answer-seal.tsx'
import { AnswerText } from './answer-text.tsx'
import { textOf } from './chat-request.ts'
import { answerWithFootnotes } from './copy-answer.ts'
import { markable, SummariseMarked } from './marked-text.tsx'
import { Nearest } from './nearest.tsx'
import { goneInWords, shortPlaceOf, supportInWords } from './source-label.ts'
import { sourceNumberClasses } from './source-number.tsx'
import { type AnswerCitations, AnswerCitationsContext, citationKey, targetOf, useSourcePanel } from './source-target.ts'

type AnswerRights = { canSeeCosts: boolean; canSeeTraces: boolean }
export type Answerer = { id: string; kind: 'built-in' | 'provider' }

const citationsOf = (message: ChatMessage): ReadonlyMap<number, Citation> =>
  new Map(message.parts.flatMap((part) => (part.type === 'data-citation' ? [[part.data.ordinal, part.data]] : [])))

/** One line that says what is happening, and later what was read; it keeps its height so that nothing below it moves. */
export const StageLine = ({ words, live }: { words: string; live: boolean }) => (
  <div className="mb-2.5 flex min-h-[21px] items-center gap-2 text-[13px] text-muted-foreground">
    <span
      aria-hidden
      className={cn('size-1.5 shrink-0 rounded-full', live ? 'stage-dot bg-primary' : 'bg-muted-foreground/40')}
    />
    <span className="num min-w-0 truncate">{words}</span>
  </div>
)

/** Answered at once: nothing was searched and no model asked. */
const isReply = ({ route, model, read }: MessageMetadata): boolean => Boolean(route) && !model && !read

const readInWords = (metadata: MessageMetadata): string => {
  const { read, route, status } = metadata
  if (status === 'held') return 'Written, and held for a person'
  if (metadata.withheld) return metadata.review ? 'Not shown' : 'Not shown, by the policy of this workspace'
  if (route === 'clarify') return 'Asked back: the question has more than one answer here'
  if (isReply(metadata)) return 'Answered at once'
  if (!read) return status === 'no-source' ? 'Searched your documents' : status === 'failed' ? 'No answer' : 'Answer'
  if (read.passages === 0) return 'Searched your documents, found nothing close'
  return `Read ${read.passages} ${read.passages === 1 ? 'passage' : 'passages'} in ${read.documents} ${read.documents === 1 ? 'document' : 'documents'}`
}

/** One card for each place that was cited; passages that stand at the same place share it, each with its number. */
const SourceCards = ({ messageId, citations }: { messageId: string; citations: ReadonlyMap<number, Citation> }) => {
  const panel = useSourcePanel()
  const inOrder = [...citations.values()].sort((a, b) => a.ordinal - b.ordinal)
  const numbered = inOrder.filter((one, i) => inOrder.findIndex(({ n }) => n === one.n) === i)
  const places = Map.groupBy(numbered, (one) => `${one.versionId} ${shortPlaceOf(one)}`)
  if (places.size === 0) return null
  const openN = inOrder.find(({ ordinal }) => citationKey(messageId, ordinal) === panel.openKey)?.n
  return (
    <ul aria-label="Sources" className="mt-1 mb-3.5 flex flex-wrap gap-2">
      {[...places].map(([key, [first, ...others]]) => {
        if (!first) return null
        const place = shortPlaceOf(first)
        const numbers = [first, ...others]
        const active = numbers.some(({ n }) => n === openN)
        return (
          <li key={key} className="min-w-0 max-w-[min(320px,100%)]">
            <button
              type="button"
              onClick={(event) =>
                panel.open(
                  targetOf(messageId, first),
                  inOrder.map((one) => targetOf(messageId, one)),
                  event.currentTarget,
                )
              }
              className={cn(
                'relative flex h-[33px] max-w-full items-center gap-2 rounded-lg border bg-source pr-2.5 pl-2 text-[12.5px] transition-colors duration-120 hover:border-input touch:h-11',
                active && 'border-primary hover:border-primary',
              )}
            >
              <span aria-hidden className="flex shrink-0 gap-0.5">
                {numbers.map((one) => (
                  <span key={one.n} className={sourceNumberClasses({ removed: one.removed })}>
                    {one.n}
                  </span>
                ))}
              </span>
              {/* The name is what is seen, with what the numbers and the line through it mean (WCAG 2.5.3). */}
              <span className="sr-only">{numbers.map(({ n }) => `Source ${n}`).join(', ')}: </span>
              <span className={cn('truncate font-medium', first.removed && 'text-muted-foreground line-through')}>
                <ShownName name={first.title} />
              </span>
              {first.removed && <span className="sr-only">, {goneInWords(first)}</span>}
              {place && <span className="sr-only">, </span>}
              {place && (
                <span
                  className={cn(
                    'num truncate text-muted-foreground',
                    first.page === null ? 'min-w-8 max-w-36 shrink-2' : 'shrink-0',
                  )}
                >
                  {place}
                </span>
              )}
            </button>
          </li>
        )
      })}
    </ul>
  )
}

const endings = {
  stopped: 'Stopped. What was written until then is kept.',
  interrupted: 'The answer was interrupted before it was finished. Ask again to get the whole.',
} as const

const Ending = ({ metadata }: { metadata: MessageMetadata }) => {
  const { status, error } = metadata
  const words =
    status === 'stopped' || status === 'interrupted'
      ? endings[status]
      : status === 'failed'
        ? (error?.message ?? 'The answer could not be finished. Ask again; if it goes on, tell an admin.')
        : null
  if (!words) return null
  return (
    <p
      className={cn(
        'mb-3.5 border-l-[3px] py-0.5 pl-3 text-[14px]',
        status === 'failed' ? 'border-destructive' : 'border-input text-muted-foreground',
      )}
    >
      {words}
    </p>
  )
}

const modelNote = (model: Answerer): string =>
  model.kind === 'built-in'
    ? 'Quoted by the built-in answerer, no language model configured'
    : `AI-made answer · ${model.id}`

const Actions = ({
  message,
  citations,
  rights,
  answerer,
  onAskAgain,
}: {
  message: ChatMessage
  citations: ReadonlyMap<number, Citation>
  rights: AnswerRights
  answerer: Answerer
  onAskAgain: (() => void) | null
}) => {
  const [copied, setCopied] = useState(false)
  const metadata = message.metadata ?? {}
  const { claims, totalMs, costMicros, traceId, status } = metadata
  const text = textOf(message)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(answerWithFootnotes(text, [...citations.values()]))
      setCopied(true)
      setTimeout(() => setCopied(false), 1_600)
    } catch {
      toast.error('The browser refused the clipboard. Select the text and copy it.')
    }
  }
  const numbers = rights.canSeeCosts
    ? [
        totalMs === undefined ? null : formatDuration(totalMs),
        costMicros === undefined || (costMicros === null && metadata.model?.kind === 'built-in')
          ? null
          : costMicros === null
            ? 'cost unknown'
            : formatCost(costMicros),
      ].filter(Boolean)
    : []
  const label = 'max-sm:sr-only'
  const givenAgain = metadata.cache ?? metadata.curated
  return (
    <>
      <div
        className={cn(
          'flex flex-wrap items-center gap-x-0.5 gap-y-1 text-muted-foreground',
          // The words line up with the prose, not the invisible edge of the first button.
          !claims?.total && '-ml-2',
        )}
      >
        {claims && claims.total > 0 && (
          <Badge variant={claims.supported === claims.total ? 'success' : 'warning'} className="mr-1.5">
            {supportInWords(claims)}
          </Badge>
        )}
        {metadata.confidence && claims && claims.total > 0 && <AnswerConfidence confidence={metadata.confidence} />}
        {metadata.curated && <AnswerSeal checkedAt={metadata.curated.checkedAt} />}
        {metadata.cache && (
          <Badge variant="outline" className="mr-1.5">
            Answered before, checked just now
          </Badge>
        )}
        {text && status !== 'failed' && (
          <Tooltip content="Copy the answer with its sources">
            <Button variant="quiet" size="sm" onClick={copy}>
              {copied ? <Check /> : <Copy />}
              <span className={label}>{copied ? 'Copied' : 'Copy'}</span>
            </Button>
          </Tooltip>
        )}
        <AnswerFeedback messageId={message.id} metadata={metadata} />
        <SummariseMarked owner={message.id} />
        {onAskAgain && (
          <Button variant="quiet" size="sm" onClick={onAskAgain}>
            <RefreshCw />
            <span className={status === 'failed' || status === 'interrupted' || givenAgain ? '' : label}>
              {givenAgain ? 'Ask afresh' : 'Ask again'}
            </span>
          </Button>
        )}
        {rights.canSeeTraces && traceId && (
          <Button variant="quiet" size="sm" asChild>
            <Link href={`/admin/traces/${traceId}` as Route}>
              <Waypoints />
              <span className={label}>View trace</span>
            </Link>
          </Button>
        )}
        {status !== undefined && (
          <Button variant="quiet" size="sm" asChild>
            <Link href={`/why/${message.id}` as Route} prefetch={false}>
              <CircleQuestionMark />
              <span className={label}>Why this answer</span>
            </Link>
          </Button>
        )}
        <span className="flex-1" />
        {numbers.length > 0 && <span className="num text-[12.5px]">{numbers.join(' · ')}</span>}
      </div>
      {status !== 'no-source' && text && !metadata.withheld && (
        <p className="mt-1.5 text-muted-foreground text-xs">
          {isReply(metadata)
            ? 'Answered by Footnote itself, no language model asked'
            : metadata.curated
              ? 'Given as a person has checked it; its sources were looked up again now'
              : modelNote(metadata.model ?? answerer)}
          {metadata.cache &&
            ` · first given ${formatAgo(metadata.cache.answeredAt)}; its sources were looked up again now`}
          {claims && claims.supported < claims.total && ' · outlined numbers are not supported by their source'}
        </p>
      )}
    </>
  )
}

/** What a short question could mean, each asked by one press. */
const Choices = ({ choices, onAsk }: { choices: readonly string[]; onAsk: (question: string) => void }) => (
  <ul aria-label="What you could mean" className="mb-3.5 flex flex-col items-start gap-2">
    {choices.map((choice) => (
      <li key={choice} className="max-w-full">
        <Button
          variant="outline"
          className="h-auto min-h-8 max-w-full whitespace-normal py-1.5 text-left"
          onClick={() => onAsk(choice)}
        >
          {choice}
        </Button>
      </li>
    ))}
  </ul>
)

export type AnswerProps = {
  message: ChatMessage
  streaming: boolean
  stage: string | null
  rights: AnswerRights
  answerer: Answerer
  onAskAgain: (() => void) | null
  /** Asks a question that the answer offers; null while another is being answered. */
  onAsk: ((question: string) => void) | null
}

/** An answer from its first sign of life to its end, whichever end that is. */
export const Answer = memo(({ message, streaming, stage, rights, answerer, onAskAgain, onAsk }: AnswerProps) => {
  const metadata = message.metadata ?? {}
  const citations = useMemo(() => citationsOf(message), [message])
  const context = useMemo<AnswerCitations>(
    () => ({ messageId: message.id, citations, streaming }),
    [message.id, citations, streaming],
  )
  const text = textOf(message)
  return (
    <article aria-label="Answer" aria-busy={streaming} className="pb-8">
      <StageLine words={streaming ? (stage ?? 'Writing') : readInWords(metadata)} live={streaming} />
      {metadata.degraded && (
        <p className="mb-3 rounded-lg border border-warning/50 px-3 py-2 text-[13.5px]">{metadata.degraded}</p>
      )}
      {metadata.warnings?.map((words) => (
        <p key={words} role="note" className="mb-3 rounded-lg border border-warning/50 px-3 py-2 text-[13.5px]">
          {words}
        </p>
      ))}
      {metadata.review && !streaming && <AnswerReview review={metadata.review} />}
      <AnswerCitationsContext value={context}>
        {text && (
          <div {...(streaming ? {} : markable(message.id, 'Answer'))}>
            <AnswerText text={text} streaming={streaming} />
          </div>
        )}
      </AnswerCitationsContext>
      {!streaming && (
        <>
          <SourceCards messageId={message.id} citations={citations} />
          {metadata.choices && onAsk && <Choices choices={metadata.choices} onAsk={onAsk} />}
          <Nearest message={message} citations={[...citations.values()]} />
          <Ending metadata={metadata} />
          <Actions
            message={message}
            citations={citations}
            rights={rights}
            answerer={answerer}
            onAskAgain={onAskAgain}
          />
        </>
      )}
    </article>
  )
})
Answer.displayName = 'Answer'
