'use client'
import { Play, Square, Trash2 } from 'lucide-react'
import { useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { RetrievalSettings } from '#lib/shared/gateway-settings.ts'
import { type GoldenQuestion, type GoldenResult, goldenBatchMax, recallDepth } from '#lib/shared/knowledge-contract.ts'
import { Figure, Figures, NothingHere, ReportSection } from './figures.tsx'

export type RunGolden = (input: {
  ids: string[]
  configuration?: RetrievalSettings
}) => Promise<ActionResult<GoldenResult[]>>

type Scores = ReadonlyMap<string, GoldenResult>
type Run = {
  /** Of both configurations, by question. */
  first: Scores
  second: Scores
  /** What the second one was; null when there was none. */
  compared: RetrievalSettings | null
  done: number
  total: number
  running: boolean
  problem: string | null
}

const unreachable = 'Footnote could not be reached. Check the connection and try again.'

/** Runs the whole set, a few questions a request, and tells how far it is. */
const useGoldenRun = (runGolden: RunGolden) => {
  const [run, setRun] = useState<Run | null>(null)
  /** Counts the runs, so that one that was stopped writes nothing any more. */
  const turn = useRef(0)

  const start = async (questions: readonly GoldenQuestion[], second: RetrievalSettings | null): Promise<void> => {
    turn.current += 1
    const mine = turn.current
    const scores = { first: new Map<string, GoldenResult>(), second: new Map<string, GoldenResult>() }
    let done = 0
    const tell = (running: boolean, problem: string | null = null): void =>
      setRun({
        first: new Map(scores.first),
        second: new Map(scores.second),
        compared: second,
        done,
        total: questions.length,
        running,
        problem,
      })
    tell(true)
    const ids = questions.map(({ id }) => id)
    const sides = [
      { into: scores.first, configuration: {} },
      ...(second ? [{ into: scores.second, configuration: { configuration: second } }] : []),
    ]
    for (let from = 0; from < ids.length; from += goldenBatchMax) {
      const batch = ids.slice(from, from + goldenBatchMax)
      for (const { into, configuration } of sides) {
        const result = await runGolden({ ids: batch, ...configuration }).catch(() => null)
        if (turn.current !== mine) return
        if (!result?.ok) return tell(false, result?.error.message ?? unreachable)
        for (const score of result.value) into.set(score.id, score)
      }
      done += batch.length
      tell(done < ids.length)
    }
  }
  const stop = (): void => {
    turn.current += 1
    setRun((now) => now && { ...now, running: false })
  }
  return { run, start, stop }
}

const mean = (scores: Scores, value: (score: GoldenResult) => number): string =>
  scores.size === 0 ? '—' : ([...scores.values()].reduce((sum, one) => sum + value(one), 0) / scores.size).toFixed(3)

/** One value, or both with what is between them. */
const both = (run: Run, value: (score: GoldenResult) => number): string =>
  run.compared ? `${mean(run.first, value)} | ${mean(run.second, value)}` : mean(run.first, value)

const scoreInWords = (score: GoldenResult | undefined): string =>
  score ? `${score.recall.toFixed(2)} · ${score.reciprocalRank.toFixed(2)}` : '—'

const expectedInWords = ({ expected }: GoldenQuestion): string =>
  [...new Set(expected.map(({ name }) => name ?? 'a document that is gone'))].join(', ')

type GoldenQuestionsProps = {
  questions: readonly GoldenQuestion[]
  /** What the workspace's configuration is compared with. */
  second: RetrievalSettings | null
  runGolden: RunGolden
  onAsk: (question: string) => void
  onDelete: (golden: GoldenQuestion) => void
}

/** The saved questions, what is expected for each, and how well it is found. */
export const GoldenQuestions = ({ questions, second, runGolden, onAsk, onDelete }: GoldenQuestionsProps) => {
  const { run, start, stop } = useGoldenRun(runGolden)
  const counting = questions.filter(({ fell }) => fell === undefined)
  const fallen = questions.length - counting.length
  return (
    <ReportSection
      title="Golden set"
      note={`${formatCount(questions.length)} ${questions.length === 1 ? 'question' : 'questions'}${fallen > 0 ? `, ${formatCount(fallen)} no longer counted` : ''}`}
      actions={
        counting.length > 0 &&
        (run?.running ? (
          <Button size="sm" onClick={stop}>
            <Square />
            Stop
          </Button>
        ) : (
          <Button size="sm" onClick={() => void start(counting, second)}>
            <Play />
            {second ? 'Run all with both configurations' : 'Run all'}
          </Button>
        ))
      }
    >
      {questions.length === 0 && (
        <NothingHere>
          Search above, tick the passages that answer the question and save it. Then every change of the configuration
          can be measured against what you know to be right.
        </NothingHere>
      )}
      {run?.running && (
        <p role="status" className="flex items-center gap-3 px-5 pb-3 text-[13px] text-muted-foreground max-sm:px-4">
          <Progress value={run.done} max={run.total} label="Questions run" />
          <span className="num">
            {run.done} of {run.total} questions
          </span>
        </p>
      )}
      {run?.problem && (
        <p role="alert" className="px-5 pb-3 text-[13px] text-destructive max-sm:px-4">
          The set was not run to its end. {run.problem}
        </p>
      )}
      {run && run.first.size > 0 && (
        <Figures label="Figures of the golden set">
          <Figure
            title={`Recall at ${recallDepth}`}
            value={both(run, ({ recall }) => recall)}
            note="Share of the expected passages among the evidence"
          />
          <Figure
            title="Mean reciprocal rank"
            value={both(run, ({ reciprocalRank }) => reciprocalRank)}
            note="1: the first passage is an expected one"
          />
          <Figure title="Questions" value={formatCount(run.first.size)} />
          <Figure
            title="Nothing expected found"
            value={[run.first, ...(run.compared ? [run.second] : [])]
              .map((scores) => [...scores.values()].filter(({ reciprocalRank }) => reciprocalRank === 0).length)
              .join(' | ')}
          />
        </Figures>
      )}
      <ul aria-label="Golden questions">
        {questions.map((golden) => (
          <li key={golden.id} className="flex items-center gap-2 border-b px-5 py-2 last:border-b-0 max-sm:px-4">
            <div className="min-w-0 flex-1">
              <button
                type="button"
                dir="auto"
                className="max-w-full break-words text-left font-medium hover:underline"
                onClick={() => onAsk(golden.question)}
              >
                {golden.question}
              </button>
              <p className="num break-words text-[12.5px] text-muted-foreground">
                {expectedInWords(golden)}
                {run?.first.has(golden.id) &&
                  ` · recall · rank ${scoreInWords(run.first.get(golden.id))}${run.compared ? ` | ${scoreInWords(run.second.get(golden.id))}` : ''}`}
              </p>
              {golden.fell !== undefined && (
                <p className="break-words text-[12.5px] text-warning">
                  No longer counted. {golden.fell} Save it again with what is right now.
                </p>
              )}
            </div>
            <Button
              variant="ghost"
              size="icon-sm"
              aria-label={`Delete “${golden.question}” from the golden set`}
              onClick={() => onDelete(golden)}
            >
              <Trash2 />
            </Button>
          </li>
        ))}
      </ul>
    </ReportSection>
  )
}
