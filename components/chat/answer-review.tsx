'use client'
import { ShieldCheck, ShieldEllipsis } from 'lucide-react'
import type { MessageReview } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatAgo, formatSpan } from '#lib/shared/format.ts'

/** What a person did with an answer, as the seal says it. */
const sealWords = {
  approved: 'Checked by a person',
  edited: 'Corrected by a person',
  rejected: 'Not shown: a person checked it',
  expired: 'Nobody could check it in time',
} as const

const usually = (usuallyMs: number | null | undefined): string =>
  usuallyMs ? `It usually takes about ${formatSpan(usuallyMs)}.` : 'How long it takes is not known yet.'

const Ago = ({ iso }: { iso: string }) => (
  // The server and the browser may stand in different time zones.
  <time dateTime={iso} suppressHydrationWarning>
    {formatAgo(iso)}
  </time>
)

/** What the asker is told of the person who looks at their answer: that one does, why, how long it takes, and what came of it. */
export const AnswerReview = ({ review }: { review: MessageReview }) => {
  const { state, reasons, since, decidedAt, note, usuallyMs } = review
  if (state === 'waiting')
    return (
      <div role="note" className="mb-3.5 rounded-lg border border-warning/50 px-3.5 py-3 text-[14px]">
        <p className="flex items-center gap-2 font-medium">
          <ShieldEllipsis aria-hidden className="size-4 shrink-0 text-warning" />A person checks this answer before it
          is shown
        </p>
        <ul className="mt-1.5 text-muted-foreground">
          {reasons.map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
        <p className="mt-1.5 text-muted-foreground">
          Asked for <Ago iso={since} />. {usually(usuallyMs)} You can go on asking; the answer appears here by itself.
        </p>
      </div>
    )
  if (state === 'queued')
    return (
      <p role="note" className="mb-3 flex items-start gap-2 text-[13.5px] text-muted-foreground">
        <ShieldEllipsis aria-hidden className="mt-0.5 size-4 shrink-0 text-warning" />
        <span>A person looks at this answer. {reasons.join(' ')}</span>
      </p>
    )
  const sealed = state === 'approved' || state === 'edited'
  return (
    <div role="note" className="mb-3 text-[13.5px]">
      <p className={cn('flex items-center gap-2 font-medium', sealed ? 'text-seal' : 'text-muted-foreground')}>
        {sealed ? (
          <ShieldCheck aria-hidden className="size-4 shrink-0" />
        ) : (
          <ShieldEllipsis aria-hidden className="size-4 shrink-0" />
        )}
        <span>
          {sealWords[state]}
          {decidedAt && (
            <>
              {' '}
              <Ago iso={decidedAt} />
            </>
          )}
        </span>
      </p>
      {/* The words that stand for a rejected answer end with its note. */}
      {note && state !== 'rejected' && (
        <p className="mt-1 border-seal/50 border-l-[3px] pl-3 text-muted-foreground">“{note}”</p>
      )}
    </div>
  )
}
