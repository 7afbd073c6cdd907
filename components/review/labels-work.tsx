'use client'
import { useEffect, useId, useRef, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { fieldClasses, Label } from '#components/ui/input.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { LabelProgress, LabelTask, SaveLabel } from '#lib/shared/label-contract.ts'
import { noteCharsMax } from '#lib/shared/review-contract.ts'
import { isCovered } from './covered.ts'
import { focusKind } from './desk-keys.ts'
import { KeysSheet } from './keys-sheet.tsx'
import { LabelAnswer } from './labels-answer.tsx'
import { freshLabelling, labelKeys, pressed, scoresOf, withScore } from './labels-keys.ts'
import { LabelScoresForm } from './labels-scores.tsx'
import { letterKeysOn } from './use-letter-keys.ts'

export type LabelWorkActions = {
  nextLabel: (input: { except: string[] }) => Promise<ActionResult<LabelTask | null>>
  saveLabel: (input: SaveLabel) => Promise<ActionResult<LabelProgress>>
}

const passedMax = 500

/** One answer after the other: scores by key or press, and whether each passage helps. */
export const LabelWork = ({
  initial,
  added,
  actions: { nextLabel, saveLabel },
  onProgress,
}: {
  initial: LabelTask | null
  /** Counts up when answers were added: who had none looks again. */
  added: number
  actions: LabelWorkActions
  onProgress: (progress: LabelProgress) => void
}) => {
  const noteId = useId()
  const [task, setTask] = useState(initial)
  const [state, setState] = useState(freshLabelling)
  const [note, setNote] = useState('')
  const [marks, setMarks] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [passed, setPassed] = useState<readonly string[]>([])
  const [pending, setPending] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [keysOpen, setKeysOpen] = useState(false)
  const top = useRef<HTMLDivElement>(null)

  /** Goes on; what was typed for the answer before is only let go of when the next is there. */
  const goOn = async (except: readonly string[]): Promise<void> => {
    setPending(true)
    const got = await attempt(nextLabel({ except: except.slice(-passedMax) }))
    setPending(false)
    if ('error' in got) return setProblem(got.error)
    setProblem(null)
    setTask(got.value)
    setState(freshLabelling)
    setNote('')
    setMarks(new Map())
    top.current?.scrollIntoView({ block: 'start' })
  }
  const save = async (): Promise<void> => {
    if (!task || pending) return
    const scores = scoresOf(state)
    if (!scores) return setProblem('Give each criterion a score first: 0 for no, 1 for in part, 2 for yes.')
    setPending(true)
    const passages = [...marks].map(([chunkId, relevant]) => ({ chunkId, relevant }))
    const done = await attempt(saveLabel({ messageId: task.messageId, scores, note: note.trim(), passages }))
    setPending(false)
    if ('error' in done) return setProblem(done.error)
    onProgress(done.value)
    await goOn(passed)
  }
  const pass = async (): Promise<void> => {
    if (!task || pending) return
    const next = [...passed, task.messageId]
    setPassed(next)
    await goOn(next)
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was added is a reason to look again
  useEffect(() => {
    if (added > 0 && !task) void goOn(passed)
  }, [added])

  const latest = useRef<(event: KeyboardEvent) => void>(() => undefined)
  latest.current = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isCovered() || !task) return
    // A key that is held does once what it does: it would pass over one answer after the other.
    if (event.repeat || (event.key.length === 1 && !letterKeysOn())) return
    const kind = focusKind(event.target)
    // A score that has the focus is no field to type in.
    const scoring = event.target instanceof HTMLInputElement && event.target.type === 'radio'
    if (kind === 'field' && !scoring) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const act =
      key === 'Enter' && kind !== 'control' ? save : key === 's' ? pass : key === '?' ? () => setKeysOpen(true) : null
    const next = act ? undefined : pressed(state, key)
    if (!act && !next) return
    event.preventDefault()
    if (next) {
      setProblem(null)
      setState(next)
    } else void act?.()
  }
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => latest.current(event)
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])

  if (!task)
    return (
      <EmptyState title="Nothing waits for your label">
        {passed.length > 0
          ? 'You have been through all of them; the ones that you passed over come again when you open this page.'
          : 'Add answers to label, or look again later. Your own questions never come to you.'}
      </EmptyState>
    )
  return (
    <div
      ref={top}
      className="grid grid-cols-[minmax(0,1fr)_minmax(300px,360px)] gap-6 px-5 py-4 max-lg:grid-cols-1 max-sm:px-4"
    >
      <LabelAnswer
        key={task.messageId}
        task={task}
        marks={marks}
        onMark={(chunkId, relevant) =>
          setMarks((before) => {
            const after = new Map(before)
            if (relevant === null) after.delete(chunkId)
            else after.set(chunkId, relevant)
            return after
          })
        }
      />
      <section aria-label="Your label" className="lg:sticky lg:top-4 lg:self-start">
        <LabelScoresForm
          state={state}
          rubric={task.rubric}
          onScore={(criterion, score) => {
            setProblem(null)
            setState((before) => withScore(before, criterion, score))
          }}
        />
        <Label htmlFor={noteId} className="mt-3">
          Note (optional)
        </Label>
        <textarea
          id={noteId}
          dir="auto"
          rows={2}
          maxLength={noteCharsMax}
          value={note}
          onChange={(event) => setNote(event.target.value)}
          className={cn(fieldClasses, 'block min-h-14 resize-y py-1.5 text-[13.5px] touch:text-base')}
        />
        <p role="alert" className="empty:hidden mt-2 font-medium text-[13px] text-warning">
          {problem}
        </p>
        <div className="mt-3 flex flex-wrap items-center gap-2">
          <Button variant="primary" aria-keyshortcuts="Enter" aria-disabled={pending} onClick={() => void save()}>
            {pending ? 'Saving…' : 'Save and go on'}
          </Button>
          <Button variant="quiet" aria-keyshortcuts="S" aria-disabled={pending} onClick={() => void pass()}>
            Pass over
          </Button>
          <Button variant="quiet" className="touch:hidden" onClick={() => setKeysOpen(true)}>
            Keys <Kbd aria-hidden>?</Kbd>
          </Button>
        </div>
        <p className="mt-2 text-[12.5px] text-muted-foreground">
          Rubric {task.rubricVersion === 0 ? 'as it comes' : `version ${task.rubricVersion}`}. Nobody sees your label
          before they have given theirs.
        </p>
      </section>
      <KeysSheet
        open={keysOpen}
        groups={[{ title: 'While labelling', keys: labelKeys }]}
        onClose={() => setKeysOpen(false)}
      />
    </div>
  )
}
