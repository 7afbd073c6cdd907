import { ShownName } from '#components/shell/shown-name.tsx'
import type { ChatMessage, Citation } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { shortPageInWords } from '#lib/shared/page-unit.ts'
import { targetOfNearest, useSourcePanel } from './source-target.ts'

type Cited = Pick<Citation, 'versionId' | 'charStart'>

/** Passages that stand in the place of an answer: what came nearest, or what an answer that is not shown was to be written from. */
export const Nearest = ({ message, citations }: { message: ChatMessage; citations: readonly Cited[] }) => {
  const panel = useSourcePanel()
  const { nearest, review, status } = message.metadata ?? {}
  const nothing = status === 'no-source'
  // Beside what nobody could check in time stand its documents; everything else that stands here came from a search.
  const givenUp = !nothing && review?.state !== 'rejected'
  const shown = (nearest ?? []).filter(
    ({ versionId, charStart }) => !citations.some((one) => one.versionId === versionId && one.charStart === charStart),
  )
  // The answer's words promise documents; those that were closed meanwhile are not named.
  const closed = givenUp && nearest?.length === 0
  if (!nothing && !closed && shown.length === 0) return null
  const words = givenUp ? 'The documents it was to be written from' : 'Nearest to the question'
  const targets = shown.map((near) => targetOfNearest(message.id, near))
  return (
    <div className="mb-3.5 text-[14px] text-muted-foreground">
      {closed && <p>None of the documents it was to be written from is open to you any more.</p>}
      {targets.length > 0 && (
        <>
          <p className="mb-2">{words}:</p>
          <ul aria-label={words} className="mb-2.5 flex flex-wrap gap-2 text-foreground">
            {targets.map((target) => {
              const place = shortPageInWords(target)
              return (
                <li key={target.key} className="min-w-0 max-w-[min(300px,100%)]">
                  <button
                    type="button"
                    data-citation-key={target.key}
                    onClick={(event) => panel.open(target, targets, event.currentTarget)}
                    className={cn(
                      'flex h-[33px] max-w-full items-center gap-2 rounded-lg border bg-source px-2.5 text-[12.5px] hover:border-input touch:h-11',
                      panel.openKey === target.key && 'border-primary hover:border-primary',
                    )}
                  >
                    <span className="truncate font-medium">
                      <ShownName name={target.title} />
                    </span>
                    {place && <span className="num shrink-0 text-muted-foreground">{place}</span>}
                  </button>
                </li>
              )
            })}
          </ul>
        </>
      )}
      {nothing && <p>Try the words that the document itself would use, or search in all documents.</p>}
    </div>
  )
}
