'use client'
import { ChevronRight } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useId, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'
import { formatCount, formatDuration } from '#lib/shared/format.ts'
import type { StageCandidate, StageName, StageReport } from '#lib/shared/retrieval-contract.ts'
import { formatScore, movement, placeInWords, rankIn, type StagePair, stageWords } from './retrieval-compare.ts'

/** So many candidates of a stage are shown at once. */
const shownFirst = 10

export const configurationWords = { first: 'The workspace’s configuration', second: 'The other configuration' } as const

/** The passage in its document. */
const passageHref = ({ documentId, chunkId }: StageCandidate): Route =>
  `/admin/documents/${documentId}?passage=${chunkId}` as Route

export type Ticks = {
  chosen: ReadonlySet<string>
  toggle: (candidate: StageCandidate) => void
}

type CandidateProps = {
  stage: StageName
  candidate: StageCandidate
  /** Where the other search has it; undefined when there is no other search. */
  elsewhere: number | null | undefined
  ticks: Ticks
}

const Candidate = ({ stage, candidate, elsewhere, ticks }: CandidateProps) => {
  const { chunkId, title, rank, score, parts, text } = candidate
  const moved = movement(stage, candidate)
  const place = placeInWords(candidate)
  const differs = elsewhere !== undefined && elsewhere !== rank
  return (
    <li
      className={cn(
        '-ml-[11px] grid grid-cols-[1.75rem_minmax(0,1fr)_auto] gap-x-2.5 border-t border-l-[3px] border-l-transparent py-2.5 pl-2 first:border-t-transparent',
        differs && 'border-l-warning',
      )}
    >
      <div className="num text-right">
        <p className="font-semibold">{rank}</p>
        {moved && (
          <p className="text-[12px] text-muted-foreground">
            <span aria-hidden>{moved.sign}</span>
            <span className="sr-only">{moved.words}</span>
          </p>
        )}
      </div>
      <div className="min-w-0">
        <p className="flex flex-wrap items-baseline gap-x-2 text-[13px]">
          <Link
            href={passageHref(candidate)}
            prefetch={false}
            dir="auto"
            className="break-words font-semibold hover:underline"
          >
            {title}
          </Link>
          {place && <span className="min-w-0 break-words text-[12.5px] text-muted-foreground">{place}</span>}
          {elsewhere === null && <Badge variant="warning">only here</Badge>}
          {typeof elsewhere === 'number' && differs && <Badge variant="warning">other: {elsewhere}</Badge>}
        </p>
        <p
          dir="auto"
          className="mt-1 line-clamp-3 break-words rounded-sm bg-source px-2 font-serif text-[14px] leading-[1.5]"
        >
          {text}
        </p>
        <p className="num mt-0.5 break-words text-[12px] text-muted-foreground">
          {[
            `score ${formatScore(score)}`,
            ...Object.entries(parts).map(([name, part]) => `${name} ${formatScore(part)}`),
          ].join(' · ')}
        </p>
      </div>
      <input
        type="checkbox"
        aria-label={`Answers the question: ${title}, rank ${rank}`}
        title="This passage answers the question"
        className="mt-0.5 size-4 accent-primary touch:size-6"
        checked={ticks.chosen.has(chunkId)}
        onChange={() => ticks.toggle(candidate)}
      />
    </li>
  )
}

type ColumnProps = {
  title: string | null
  stage: StageName
  report: StageReport | undefined
  /** Undefined when only one configuration is looked at. */
  other: StageReport | undefined
  compared: boolean
  ticks: Ticks
}

const Column = ({ title, stage, report, other, compared, ticks }: ColumnProps) => {
  const [all, setAll] = useState(false)
  const candidates = report?.candidates ?? []
  const shown = all ? candidates : candidates.slice(0, shownFirst)
  return (
    <div className="min-w-0">
      {title && <h4 className="font-medium text-[12.5px] text-muted-foreground tracking-normal">{title}</h4>}
      <p className="text-[13px] text-muted-foreground">{report?.note || 'This search did not come here.'}</p>
      {shown.length > 0 && (
        <ol aria-label={`${stageWords[stage]}${title ? `, ${title.toLowerCase()}` : ''}`}>
          {shown.map((candidate) => (
            <Candidate
              key={candidate.chunkId}
              stage={stage}
              candidate={candidate}
              elsewhere={compared ? rankIn(other, candidate.chunkId) : undefined}
              ticks={ticks}
            />
          ))}
        </ol>
      )}
      {candidates.length > shown.length && (
        <Button size="sm" className="mt-1" onClick={() => setAll(true)}>
          Show all {formatCount(candidates.length)}
        </Button>
      )}
    </div>
  )
}

const figuresOf = (report: StageReport | undefined): string => {
  if (!report) return '—'
  if (!report.on) return 'off'
  if (report.stage === 'rewrite') return formatDuration(report.ms)
  return `${formatCount(report.candidates.length)} in ${formatDuration(report.ms)}`
}

type StageProps = { pair: StagePair; compared: boolean; open: boolean; onToggle: () => void; ticks: Ticks }

const Stage = ({ pair, compared, open, onToggle, ticks }: StageProps) => {
  const { stage, first, second, same } = pair
  const id = useId()
  return (
    <li className="border-b">
      <h3 className="tracking-normal">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={`${id}-body`}
          onClick={onToggle}
          className="flex min-h-11 w-full flex-wrap items-center gap-x-2.5 gap-y-0.5 px-5 py-2 text-left text-[13px] hover:bg-muted/50 focus-visible:-outline-offset-2 max-sm:px-4"
        >
          <ChevronRight
            aria-hidden
            className={cn(
              'size-4 shrink-0 text-muted-foreground transition-transform duration-120 motion-reduce:transition-none',
              open && 'rotate-90',
            )}
          />
          <span className={cn('font-semibold', !first?.on && !second?.on && 'font-normal text-muted-foreground')}>
            {stageWords[stage]}
          </span>
          {compared && !same && <Badge variant="warning">differs</Badge>}
          <span className="num ml-auto text-[12.5px] text-muted-foreground">
            {figuresOf(first)}
            {compared && ` | ${figuresOf(second)}`}
          </span>
        </button>
      </h3>
      {open && (
        <div
          id={`${id}-body`}
          className={cn('grid gap-x-8 gap-y-4 px-5 pb-4 max-sm:px-4', compared && 'lg:grid-cols-2')}
        >
          <Column
            title={compared ? configurationWords.first : null}
            stage={stage}
            report={first}
            other={second}
            compared={compared}
            ticks={ticks}
          />
          {compared && (
            <Column
              title={configurationWords.second}
              stage={stage}
              report={second}
              other={first}
              compared
              ticks={ticks}
            />
          )}
        </div>
      )}
    </li>
  )
}

type RetrievalStagesProps = {
  pairs: readonly StagePair[]
  compared: boolean
  open: ReadonlySet<StageName>
  onToggle: (stage: StageName) => void
  ticks: Ticks
}

/** The way of a question through the search, a stage a line; a stage opens to what it found. */
export const RetrievalStages = ({ pairs, compared, open, onToggle, ticks }: RetrievalStagesProps) => (
  <ol aria-label="Stages" className="border-t">
    {pairs.map((pair) => (
      <Stage
        key={pair.stage}
        pair={pair}
        compared={compared}
        open={open.has(pair.stage)}
        onToggle={() => onToggle(pair.stage)}
        ticks={ticks}
      />
    ))}
  </ol>
)
