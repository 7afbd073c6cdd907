'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { DraftInput, PreviewPart } from '#lib/shared/policy-draft.ts'
import { attempt } from './models-form.ts'
import { When } from './when.tsx'

export type Preview = (input: {
  content: DraftInput['content']
  after: string | null
}) => Promise<ActionResult<PreviewPart>>

/** What the parts so far say together. */
export const joinParts = (before: PreviewPart | null, part: PreviewPart): PreviewPart => {
  if (!before) return part
  const counts = new Map(before.counts.map((one) => [`${one.kind} ${one.id} ${one.act}`, one]))
  for (const one of part.counts) {
    const key = `${one.kind} ${one.id} ${one.act}`
    counts.set(key, { ...one, answers: one.answers + (counts.get(key)?.answers ?? 0) })
  }
  return {
    judged: before.judged + part.judged,
    total: part.total,
    next: part.next,
    withheld: before.withheld + part.withheld,
    warned: before.warned + part.warned,
    counts: [...counts.values()],
    answers: [...before.answers, ...part.answers],
  }
}

const were = (count: number): string => `${formatCount(count)} ${count === 1 ? 'answer' : 'answers'}`

/** The verdict over everything that was judged, in one sentence. */
export const previewWords = ({
  judged,
  withheld,
  warned,
}: Pick<PreviewPart, 'judged' | 'withheld' | 'warned'>): string => {
  if (judged === 0) return 'Nothing was answered from documents in the last week, so there is nothing to try it on.'
  if (withheld + warned === 0) return `None of last week’s ${were(judged)} would have been touched.`
  const parts = [
    withheld > 0 ? `${formatCount(withheld)} would have been withheld` : '',
    warned > 0 ? `${formatCount(warned)} would have carried a warning` : '',
  ].filter(Boolean)
  return `Of last week’s ${were(judged)}, ${parts.join(' and ')}.`
}

/** A draft tried on the answers of the last week, part by part. */
export const PolicyPreview = ({ content, preview }: { content: DraftInput['content']; preview: Preview }) => {
  const [state, setState] = useState<{ part: PreviewPart | null; running: boolean; error: string | null }>({
    part: null,
    running: false,
    error: null,
  })
  const run = async () => {
    let part: PreviewPart | null = null
    setState({ part, running: true, error: null })
    for (let after: string | null = null; ; after = part?.next ?? null) {
      const done = await attempt(preview({ content, after }))
      if (!('value' in done)) return setState({ part, running: false, error: done.error })
      part = joinParts(part, done.value)
      setState({ part, running: part.next !== null, error: null })
      if (part.next === null) return
    }
  }
  const { part, running, error } = state
  return (
    <div className="mt-3 flex flex-col gap-2.5">
      <div className="flex flex-wrap items-center gap-3">
        <Button size="sm" aria-disabled={running} onClick={() => !running && void run()}>
          {running ? 'Judging…' : 'Preview on last week’s answers'}
        </Button>
        {running && part && (
          <Progress value={part.judged} max={part.total} label={`${part.judged} of ${part.total} answers judged`} />
        )}
        <p role="status" className="min-w-0 text-[13px]">
          {error ? <span className="text-destructive">{error}</span> : part && !running ? previewWords(part) : ''}
        </p>
      </div>
      {part && part.counts.length > 0 && (
        <ul aria-label="By rule" className="text-[13px]">
          {part.counts.map(({ kind, id, act, words, answers }) => (
            <li key={`${kind} ${id} ${act}`} className="flex gap-2">
              <span className="num w-10 shrink-0 text-right font-medium">{formatCount(answers)}</span>
              <span className="min-w-0 break-words text-muted-foreground">{words}</span>
            </li>
          ))}
        </ul>
      )}
      {part && part.answers.length > 0 && (
        <ul aria-label="Answers" className="max-h-80 overflow-y-auto rounded-md border">
          {part.answers.map(({ messageId, traceId, question, at, act, reasons }) => (
            <li key={messageId} className="border-b px-3 py-2 text-[13px] last:border-b-0">
              <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
                <Badge variant={act === 'withhold' ? 'destructive' : 'warning'}>
                  {act === 'withhold' ? 'withheld' : 'warning'}
                </Badge>
                {traceId ? (
                  <Link
                    href={`/admin/traces/${traceId}` as Route}
                    prefetch={false}
                    dir="auto"
                    className="min-w-0 break-words underline underline-offset-4"
                  >
                    {question}
                  </Link>
                ) : (
                  <span dir="auto" className="min-w-0 break-words">
                    {question}
                  </span>
                )}
                <When iso={at} className="num text-[12.5px] text-muted-foreground" />
              </p>
              <p className="mt-0.5 break-words text-[12.5px] text-muted-foreground">{reasons.join(' ')}</p>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
