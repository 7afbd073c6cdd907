'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { type FormEvent, useEffect, useId, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { Progress } from '#components/ui/progress.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { type ChunkStrategy, chunkStrategies } from '#lib/shared/gateway-settings.ts'
import {
  type ChunkPreviewInput,
  type ChunkPreviewResult,
  type ChunkPreviewRun,
  type CuttingFigures,
  previewPassagesMax,
} from '#lib/shared/knowledge-contract.ts'
import { strategyWords } from './knowledge-words.ts'
import { Select } from './select.tsx'

export type PreviewActions = {
  startPreview: (input: ChunkPreviewInput) => Promise<ActionResult<ChunkPreviewRun>>
  previewRun: (input: { runId: string }) => Promise<ActionResult<ChunkPreviewRun>>
}

const pollMs = 700
const unreachable = 'Footnote could not be reached. Check the connection and try again.'
const tokensRange = { min: 60, max: 600 }

/** A preview from the moment it is asked for to its end. */
const usePreviewRun = (
  { startPreview, previewRun }: PreviewActions,
  onResult: (result: ChunkPreviewResult) => void,
) => {
  const [run, setRun] = useState<ChunkPreviewRun | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const following = run?.state === 'running' ? run.id : null

  useEffect(() => {
    if (!following) return
    let gone = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      // A look that fails is followed by the next one: the work goes on without us.
      const looked = await previewRun({ runId: following }).catch(() => null)
      if (gone) return
      if (looked && !looked.ok && !looked.error.retryable) {
        setRun(null)
        return setProblem(looked.error.message)
      }
      const now = looked?.ok ? looked.value : null
      if (now) setRun(now)
      if (now?.result) onResult(now.result)
      if (now?.failure) setProblem(now.failure)
      if (!now || now.state === 'running') timer = setTimeout(look, pollMs)
    }
    timer = setTimeout(look, pollMs)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [following, previewRun, onResult])

  const start = async (input: ChunkPreviewInput): Promise<void> => {
    setProblem(null)
    const started = await startPreview(input).catch(() => null)
    if (started?.ok) setRun(started.value)
    else setProblem(started?.error.message ?? unreachable)
  }
  return { running: run?.state === 'running' ? run : null, problem, start }
}

const FiguresRow = ({ title, figures }: { title: string; figures: CuttingFigures }) => (
  <tr className="border-b last:border-b-0">
    <th scope="row" className="py-1.5 pr-4 text-left font-medium">
      {title}
    </th>
    <td className="num py-1.5 pl-4 text-right">{formatCount(figures.passages)}</td>
    <td className="num py-1.5 pl-4 text-right">{formatCount(Math.round(figures.meanTokens))}</td>
    <td className="num py-1.5 pl-4 text-right">{formatCount(figures.maxTokens)}</td>
  </tr>
)

/** Both cuttings in figures, and how many borders they share. */
export const CuttingTable = ({ now, result }: { now: CuttingFigures; result: ChunkPreviewResult }) => {
  const { strategy, targetTokens, figures, sameBorders } = result
  return (
    <>
      <table className="border-collapse text-[13px]">
        <caption className="sr-only">Both ways of cutting, sizes in tokens</caption>
        <thead>
          <tr className="border-b text-muted-foreground text-xs">
            <th scope="col" className="py-1.5 pr-4 text-left font-medium">
              Cutting
            </th>
            <th scope="col" className="py-1.5 pl-4 text-right font-medium">
              Passages
            </th>
            <th scope="col" className="py-1.5 pl-4 text-right font-medium">
              Mean size
            </th>
            <th scope="col" className="py-1.5 pl-4 text-right font-medium">
              Largest
            </th>
          </tr>
        </thead>
        <tbody>
          <FiguresRow title="Now" figures={now} />
          <FiguresRow title={`Tried: ${strategyWords[strategy]}, ${targetTokens}`} figures={figures} />
        </tbody>
      </table>
      <p className="num mt-2 text-[13px] text-muted-foreground">
        {sameBorders === now.passages && sameBorders === figures.passages
          ? 'Both begin every passage at the same place.'
          : `${formatCount(sameBorders)} of ${formatCount(figures.passages)} passages begin where one begins now.`}
        {figures.passages > previewPassagesMax &&
          ` The first ${formatCount(previewPassagesMax)} are shown beside the text.`}
      </p>
    </>
  )
}

type PassagePreviewProps = {
  versionId: string
  now: CuttingFigures
  result: ChunkPreviewResult | null
  actions: PreviewActions
  /** Null takes what was tried away. */
  onResult: (result: ChunkPreviewResult | null) => void
}

/** Another way of cutting, tried on this document and stored nowhere. */
export const PassagePreview = ({ versionId, now, result, actions, onResult }: PassagePreviewProps) => {
  const id = useId()
  const [strategy, setStrategy] = useState<ChunkStrategy>('auto')
  const [size, setSize] = useState('260')
  const { running, problem, start } = usePreviewRun(actions, onResult)
  const targetTokens = Number(size)
  const wrong = !(Number.isInteger(targetTokens) && targetTokens >= tokensRange.min && targetTokens <= tokensRange.max)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!wrong) void start({ versionId, strategy, targetTokens })
  }
  return (
    <section aria-label="Another way of cutting" className="border-b bg-card px-5 py-3 max-sm:px-4">
      <form className="flex flex-wrap items-end gap-2" onSubmit={submit}>
        <div className="max-sm:w-full">
          <label htmlFor={`${id}-strategy`} className="mb-1 block font-medium text-[13px]">
            Cut
          </label>
          <Select
            id={`${id}-strategy`}
            className="max-sm:w-full"
            value={strategy}
            onChange={(event) => setStrategy(chunkStrategies.find((one) => one === event.target.value) ?? 'auto')}
          >
            {chunkStrategies.map((one) => (
              <option key={one} value={one}>
                {strategyWords[one]}
              </option>
            ))}
          </Select>
        </div>
        <div className="max-sm:flex-1">
          <label htmlFor={`${id}-size`} className="mb-1 block font-medium text-[13px]">
            Size in tokens, {tokensRange.min} to {tokensRange.max}
          </label>
          <Input
            id={`${id}-size`}
            inputMode="numeric"
            autoComplete="off"
            className="num max-w-28"
            aria-invalid={wrong}
            value={size}
            onChange={(event) => setSize(event.target.value)}
          />
        </div>
        <Button type="submit" disabled={wrong || running !== null}>
          Try it
        </Button>
        {result && (
          <>
            <Button variant="quiet" onClick={() => onResult(null)}>
              Show only the present cutting
            </Button>
            <Button variant="quiet" asChild>
              <Link href={'/admin/knowledge' as Route} prefetch={false}>
                Use this for the whole workspace
              </Link>
            </Button>
          </>
        )}
      </form>
      {running && (
        <p role="status" className="mt-3 flex items-center gap-3 text-[13px] text-muted-foreground">
          {running.total > 0 && <Progress value={running.done} max={running.total} label="Pages read" />}
          <span className="num">
            {running.total > 0 ? `Read ${running.done} of ${running.total} pages` : 'Reading the file once more'}
          </span>
        </p>
      )}
      {problem && !running && (
        <p role="alert" className="mt-3 text-[13px] text-destructive">
          {problem}
        </p>
      )}
      {result && !running && (
        <div className="mt-3 overflow-x-auto">
          <CuttingTable now={now} result={result} />
        </div>
      )}
    </section>
  )
}
