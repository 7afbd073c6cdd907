import type { ReactNode, Ref } from 'react'
import { When } from '#components/admin/when.tsx'
import { Badge } from '#components/ui/badge.tsx'
import type { ReviewDetail } from '#lib/shared/review-contract.ts'
import { confidenceInWords, kindWords, reasonVariant, reasonWords } from './review-words.ts'

/** What was asked, by whom, and why a person is to look at the answer. */
export const DeskQuestion = ({ item, heading }: { item: ReviewDetail; heading: Ref<HTMLHeadingElement> }) => (
  <div className="border-b px-5 py-3.5 max-sm:px-4">
    <h2
      ref={heading}
      tabIndex={-1}
      dir="auto"
      className="text-balance font-semibold text-[20px] leading-snug tracking-[-0.012em] outline-none [overflow-wrap:anywhere] max-sm:text-[18px]"
    >
      {item.question || 'The question is gone'}
    </h2>
    <div className="mt-1.5 flex flex-wrap items-center gap-x-2 gap-y-1.5 text-[13px] text-muted-foreground">
      <span>
        Asked by <bdi>{item.asker ?? 'somebody who left'}</bdi>, <When iso={item.createdAt} />
      </span>
      {item.reasons.map(({ kind, words }, at) => (
        <Badge key={`${kind} ${words || at}`} variant={reasonVariant(kind)}>
          {at === 0 && item.held ? `Held: ${reasonWords[kind].toLowerCase()}` : reasonWords[kind]}
        </Badge>
      ))}
      {item.confidence !== null && <Badge variant="outline">{confidenceInWords(item.confidence)}</Badge>}
      {item.escalated && <Badge variant="destructive">Escalated</Badge>}
      {!item.held && <Badge variant="outline">{item.kind === 'asked' ? kindWords.asked : 'Already shown'}</Badge>}
    </div>
    {item.reasons.some(({ words }) => words) && (
      <ul className="mt-1.5 flex flex-wrap gap-x-3 text-[13px] text-muted-foreground">
        {item.reasons.map(
          ({ kind, words }) =>
            words && (
              <li key={`${kind} ${words}`} dir="auto">
                {words}
              </li>
            ),
        )}
      </ul>
    )}
  </div>
)

const tones = {
  plain: 'bg-muted text-foreground',
  warning: 'bg-warning/12 text-warning',
  seal: 'bg-success/12 text-seal',
} as const

/** What a reviewer has to know before anything else, above the answer. */
export const DeskBanner = ({
  tone,
  children,
  action,
}: {
  tone: keyof typeof tones
  children: ReactNode
  action?: ReactNode
}) => (
  <div
    className={`flex flex-wrap items-center gap-x-3 gap-y-2 border-b px-5 py-2 text-[13px] max-sm:px-4 ${tones[tone]}`}
  >
    <p className="min-w-0 flex-1 basis-52">{children}</p>
    {action}
  </div>
)
