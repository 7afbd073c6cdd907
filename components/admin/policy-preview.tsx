'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Progress } from '#components/ui/progress.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { type DraftInput, type PreviewAct, type PreviewPart, previewActs } from '#lib/shared/policy-draft.ts'
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
    acts: {
      withhold: before.acts.withhold + part.acts.withhold,
      hold: before.acts.hold + part.acts.hold,
      queue: before.acts.queue + part.acts.queue,
      warn: before.acts.warn + part.acts.warn,
    },
    counts: [...counts.values()],
    answers: [...before.answers, ...part.answers],
  }
}

const were = (count: number): string => `${formatCount(count)} ${count === 1 ? 'answer' : 'answers'}`

const actWords: Record<PreviewAct, string> = {
  withhold: 'would have been withheld',
  hold: 'would have been held for a person',
  queue: 'would have been shown and looked at by a person',
  warn: 'would have carried a warning',
}

const badges: Record<PreviewAct, { variant: 'destructive' | 'warning' | 'outline'; words: string }> = {
  withhold: { variant: 'destructive', words: 'withheld' },
  hold: { variant: 'warning', words: 'held' },
  queue: { variant: 'outline', words: 'looked at' },
  warn: { variant: 'warning', words: 'warning' },
}

/** The verdict over everything that was judged, in one sentence. */
export const previewWords = ({ judged, acts }: Pick<PreviewPart, 'judged' | 'acts'>): string => {
  if (judged === 0) return 'Nothing was answered from documents in the last week, so there is nothing to try it on.'
  const parts = previewActs.filter((act) => acts[act] > 0).map((act) => `${formatCount(acts[act])} ${actWords[act]}`)
  if (parts.length === 0) return `None of last week’s ${were(judged)} would have been touched.`
  const said = parts.length === 1 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
  return `Of last week’s ${were(judged)}, ${said}.`
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
                <Badge variant={badges[act].variant}>{badges[act].words}</Badge>
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
