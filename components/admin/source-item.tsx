'use client'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import { formatCount } from '#lib/shared/format.ts'
import type { SourceForm, SourceRow } from '#lib/shared/sources-contract.ts'
import {
  documentsWords,
  isBusy,
  nextRunWords,
  placeOf,
  progressWords,
  scheduleWords,
  stateLook,
  tallyWords,
} from './source-words.ts'
import { When } from './when.tsx'

export type SourceActs = {
  run: (source: SourceRow) => void
  pause: (source: SourceRow) => void
  change: (source: SourceRow) => void
  remove: (source: SourceRow) => void
  /** Asks whether what is gone there may be deleted here. */
  confirm: (source: SourceRow) => void
}

const LastRun = ({ source: { lastEndedAt, tally, everyMinutes, nextRunAt } }: { source: SourceRow }) => {
  const next = nextRunWords(nextRunAt)
  return (
    <p className="num flex flex-wrap gap-x-3 text-[12.5px] text-muted-foreground">
      {lastEndedAt && tally && (
        <span>
          Last run <When iso={lastEndedAt} />: {tallyWords(tally)}
        </span>
      )}
      <span suppressHydrationWarning>
        {scheduleWords(everyMinutes)}
        {next && `, ${next}`}
      </span>
    </p>
  )
}

const Running = ({ source: { name, progress } }: { source: SourceRow }) => {
  const words = progressWords(progress)
  return (
    <div className="mt-1 flex flex-wrap items-center gap-2">
      {progress.total > 0 && <Progress value={progress.done} max={progress.total} label={`${name}: ${words}`} />}
      <span className="num text-[12.5px] text-muted-foreground">{words} looked at</span>
    </div>
  )
}

const Failures = ({ source: { failures, failuresTotal } }: { source: SourceRow }) => (
  <details className="mt-1.5 text-[13px]">
    <summary className="cursor-pointer touch:py-2.5">
      {failuresTotal === 1 ? 'One item' : `${formatCount(failuresTotal)} items`} could not be read
    </summary>
    <ul className="mt-1 flex flex-col gap-1.5 border-l pl-3">
      {failures.map(({ uri, reason }) => (
        <li key={uri} className="min-w-0">
          <span dir="auto" className="block break-all font-medium text-[12.5px]">
            {uri}
          </span>
          <span className="text-muted-foreground">{reason}</span>
        </li>
      ))}
      {failuresTotal > failures.length && (
        <li className="text-muted-foreground">And {formatCount(failuresTotal - failures.length)} more.</li>
      )}
    </ul>
  </details>
)

/** One source: where it is, how its last run went, what failed and why, and what can be done about it. */
export const SourceItem = ({
  source,
  form,
  acts,
}: {
  source: SourceRow
  form: SourceForm | undefined
  acts: SourceActs
}) => {
  const { name, kind, collection, documents, state, failure, failuresTotal, tally } = source
  const busy = isBusy(source)
  const look = stateLook(source)
  const gone = state === 'failed' ? (tally?.gone ?? 0) : 0
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 border-t px-5 py-3 first:border-t-0 max-sm:px-4">
      <div className="min-w-0 flex-1 basis-80">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span dir="auto" className="min-w-0 break-words font-medium text-[13.5px]">
            {name}
          </span>
          <Badge variant={look.variant}>{look.words}</Badge>
          <Badge variant="outline">{form?.title ?? kind}</Badge>
        </p>
        <p className="break-all text-[12.5px] text-muted-foreground">
          {placeOf(source)}: {documentsWords(documents)} in {collection}
        </p>
        {!busy && <LastRun source={source} />}
        {state === 'running' && <Running source={source} />}
        {failure && (
          <p className={state === 'failed' ? 'mt-1 text-[13px] text-destructive' : 'mt-1 text-[13px]'}>{failure}</p>
        )}
        {failuresTotal > 0 && <Failures source={source} />}
      </div>
      <div className="flex flex-wrap gap-1">
        {gone > 0 && (
          <Button variant="destructive" size="sm" onClick={() => acts.confirm(source)}>
            Delete {documentsWords(gone)}
          </Button>
        )}
        {!busy && (
          <Button size="sm" aria-label={`Run ${name} now`} onClick={() => acts.run(source)}>
            Run now
          </Button>
        )}
        {(busy || source.everyMinutes !== null) && (
          <Button variant="ghost" size="sm" aria-label={`Pause ${name}`} onClick={() => acts.pause(source)}>
            Pause
          </Button>
        )}
        <Button variant="ghost" size="sm" aria-label={`Change ${name}`} onClick={() => acts.change(source)}>
          Change
        </Button>
        <Button variant="quiet" size="sm" aria-label={`Delete ${name}`} onClick={() => acts.remove(source)}>
          Delete
        </Button>
      </div>
    </li>
  )
}
