'use client'
/** What else is known of an answer, below its sentences; closed until it is wanted. */
import { ShieldCheck } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { type ReactNode, type Ref, useMemo, useState } from 'react'
import { When } from '#components/admin/when.tsx'
import { AnswerText } from '#components/chat/answer-text.tsx'
import { AnswerCitationsContext } from '#components/chat/source-target.ts'
import { Badge } from '#components/ui/badge.tsx'
import type { ReviewDetail } from '#lib/shared/review-contract.ts'
import { Comments } from './comments.tsx'
import type { DeskActions } from './desk-contract.ts'
import { isFlagged, kindWords, reasonWords, stateWords } from './review-words.ts'

const Part = ({
  title,
  count,
  open,
  onToggle,
  children,
}: {
  title: string
  count?: number
  open?: boolean
  onToggle?: (open: boolean) => void
  children: ReactNode
}) => {
  // What nobody opens is not made: the next answer has to be there at once.
  const [opened, setOpened] = useState(false)
  return (
    <details
      className="border-b"
      {...(open === undefined ? {} : { open })}
      onToggle={(event) => {
        if (event.currentTarget.open) setOpened(true)
        onToggle?.(event.currentTarget.open)
      }}
    >
      <summary className="cursor-pointer px-5 py-2.5 font-medium text-[13px] -outline-offset-2 hover:bg-muted/50 max-sm:px-4 touch:py-3">
        {title}
        {count !== undefined && <span className="num ml-1.5 font-normal text-muted-foreground">{count}</span>}
      </summary>
      {(opened || open) && <div className="px-5 pt-1 pb-4 max-sm:px-4">{children}</div>}
    </details>
  )
}

const Conversation = ({ turns }: { turns: ReviewDetail['conversation'] }) => (
  <ol className="flex max-w-2xl flex-col gap-3">
    {turns.map(({ role, text }, at) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: turns stand in their order and never change
      <li key={at}>
        <p className="text-[12.5px] text-muted-foreground">{role === 'user' ? 'Asked' : 'Answered'}</p>
        <p dir="auto" className={role === 'user' ? 'font-medium' : 'whitespace-pre-line'}>
          {text}
        </p>
      </li>
    ))}
  </ol>
)

const Similar = ({ similar }: { similar: ReviewDetail['similar'] }) => (
  <ul className="flex flex-col gap-2">
    {similar.map((one) => (
      <li key={one.id} className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
        <Badge variant={one.state === 'rejected' ? 'destructive' : 'success'}>
          {one.state !== 'rejected' && <ShieldCheck aria-hidden />}
          {stateWords[one.state]}
        </Badge>
        <Link
          href={`/review/${one.id}` as Route}
          prefetch={false}
          target="_blank"
          className="min-w-0 underline decoration-input underline-offset-2 hover:decoration-current"
        >
          <span dir="auto">{one.question}</span>
        </Link>
        <span className="text-[12.5px] text-muted-foreground">
          {reasonWords[one.reason].toLowerCase()}, {one.by ?? 'somebody who left'}, <When iso={one.decidedAt} />
        </span>
      </li>
    ))}
  </ul>
)

export const Scores = ({ item, maySeeTraces }: { item: ReviewDetail; maySeeTraces: boolean }) => {
  const claimed = item.claims.filter(({ claims }) => claims)
  const flagged = claimed.filter(isFlagged).length
  const rows: [string, ReactNode][] = [
    ['How it came', kindWords[item.kind]],
    ['Confidence', item.confidence === null ? 'could not be told' : item.confidence.toFixed(2)],
    ['Risk', `${item.risk} of 100`],
    ['Sentences', `${claimed.length - flagged} of ${claimed.length} supported`],
    [
      'Support, sentence by sentence',
      claimed.map(({ score }) => (score === null ? '?' : score.toFixed(2))).join(', ') || 'none',
    ],
    ['Collections', item.collections.join(', ') || 'none'],
  ]
  return (
    <>
      <dl className="num grid max-w-2xl grid-cols-[auto_1fr] gap-x-6 gap-y-1 text-[13px]">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted-foreground">{name}</dt>
            <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ))}
      </dl>
      {maySeeTraces && item.traceId && (
        <p className="mt-2">
          <Link
            href={`/admin/traces/${item.traceId}` as Route}
            prefetch={false}
            target="_blank"
            className="underline decoration-input underline-offset-2 hover:decoration-current"
          >
            Open its trace
          </Link>
        </p>
      )}
    </>
  )
}

/** The answer as prose, for its tables and lists: what the sentences above were cut from. */
const AsShown = ({ item, text }: { item: ReviewDetail; text: string }) => {
  const state = useMemo(
    () => ({
      messageId: item.id,
      citations: new Map(item.citations.map((one) => [one.ordinal, one])),
      streaming: false,
    }),
    [item.id, item.citations],
  )
  return (
    <AnswerCitationsContext value={state}>
      <AnswerText text={text} streaming={false} />
    </AnswerCitationsContext>
  )
}

export const DeskMore = ({
  item,
  text,
  maySeeTraces,
  actions,
  comment,
  onComment,
  commentsOpen,
  onCommentsOpen,
  commentField,
  onCommented,
}: {
  item: ReviewDetail
  /** The answer as it stands now, edits included. */
  text: string
  maySeeTraces: boolean
  actions: Pick<DeskActions, 'comment' | 'listReviewers'>
  /** What is typed of a comment. */
  comment: string
  onComment: (comment: string) => void
  commentsOpen: boolean
  onCommentsOpen: (open: boolean) => void
  commentField: Ref<HTMLTextAreaElement>
  onCommented: () => void
}) => (
  <div>
    {item.state !== 'edited' && (
      <Part title={item.state === 'open' ? 'As it will be read' : 'As it was written'}>
        <AsShown item={item} text={text} />
      </Part>
    )}
    {item.conversation.length > 0 && (
      <Part title="Conversation before it" count={item.conversation.length}>
        <Conversation turns={item.conversation} />
      </Part>
    )}
    {item.similar.length > 0 && (
      <Part title="Similar answers that were decided" count={item.similar.length}>
        <Similar similar={item.similar} />
      </Part>
    )}
    <Part title="Scores and trace">
      <Scores item={item} maySeeTraces={maySeeTraces} />
    </Part>
    <Part title="Comments" count={item.comments.length} open={commentsOpen} onToggle={onCommentsOpen}>
      <Comments
        itemId={item.id}
        comments={item.comments}
        text={comment}
        onText={onComment}
        field={commentField}
        actions={actions}
        onSent={onCommented}
      />
    </Part>
  </div>
)
