'use client'
/** What a decided answer is good for beyond itself: one press each. */
import { ShieldCheck } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { type FormEvent, type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from 'react'
import { Select } from '#components/admin/select.tsx'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Label } from '#components/ui/input.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { cn } from '#lib/shared/cn.ts'
import { noteCharsMax, questionCharsKept } from '#lib/shared/review-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { type KeepKind, keepWords } from './keep.ts'
import type { Keep } from './use-keep.ts'

const areaClasses = cn(fieldClasses, 'field-sizing-content max-h-40 min-h-16 py-1.5 touch:text-base')

/** A small form in which Ctrl Enter sends and approves nothing, and Esc closes. */
const KeepForm = ({
  label,
  onSend,
  onClose,
  children,
}: {
  label: string
  onSend: () => void
  onClose: () => void
  children: ReactNode
}) => {
  const onKeyDown = (event: KeyboardEvent<HTMLFormElement>) => {
    const sends = event.key === 'Enter' && (event.ctrlKey || event.metaKey)
    if (!sends && event.key !== 'Escape') return
    event.preventDefault()
    event.nativeEvent.stopImmediatePropagation()
    if (sends) onSend()
    else onClose()
  }
  return (
    <form
      aria-label={label}
      className="mt-3 flex max-w-xl flex-col gap-3"
      onKeyDown={onKeyDown}
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        onSend()
      }}
    >
      {children}
    </form>
  )
}

const noteButtonId = 'note-on-document'

const useFocus = <T extends HTMLElement>() => {
  const field = useRef<T>(null)
  useEffect(() => field.current?.focus(), [])
  return field
}

const QuestionField = ({ keep, wanting }: { keep: Keep; wanting: readonly ('golden' | 'curated')[] }) => {
  const id = useId()
  const field = useFocus<HTMLTextAreaElement>()
  const send = () => {
    for (const kind of wanting) keep.press(kind)
  }
  return (
    <KeepForm label="Word the question" onSend={send} onClose={() => field.current?.blur()}>
      <div>
        <Label htmlFor={id}>The question as it stands by itself</Label>
        <textarea
          id={id}
          ref={field}
          dir="auto"
          value={keep.typed.question ?? ''}
          maxLength={questionCharsKept}
          className={areaClasses}
          onChange={(event) => keep.type({ question: event.target.value })}
        />
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        {wanting.map((kind) => (
          <Button key={kind} size="sm" variant="primary" onClick={() => keep.press(kind)}>
            {keepWords[kind].does}
          </Button>
        ))}
      </div>
    </KeepForm>
  )
}

const NoteForm = ({ keep }: { keep: Keep }) => {
  const id = useId()
  const field = useFocus<HTMLTextAreaElement>()
  // Who has left a note, or none, is where they were.
  useEffect(() => () => document.getElementById(noteButtonId)?.focus({ preventScroll: true }), [])
  const pending = keep.keeping.note?.state === 'saving'
  const [only] = keep.documents.length === 1 ? keep.documents : []
  if (keep.documents.length === 0)
    return <p className="mt-3 text-[13px] text-muted-foreground">It cites no document that can be opened.</p>
  return (
    <KeepForm label="Note on a document" onSend={() => void keep.note()} onClose={keep.closeNote}>
      {only ? (
        <p className="text-[13px]">
          On <bdi className="font-medium">{shownName(only.title)}</bdi>
        </p>
      ) : (
        <div>
          <Label htmlFor={`${id}-document`}>Document</Label>
          <Select
            id={`${id}-document`}
            className="w-full"
            value={keep.typed.documentId}
            onChange={(event) => keep.type({ documentId: event.target.value })}
          >
            {keep.documents.map(({ documentId, title }) => (
              <option key={documentId} value={documentId}>
                {shownName(title)}
              </option>
            ))}
          </Select>
        </div>
      )}
      <div>
        <Label htmlFor={`${id}-note`}>What is wrong with it</Label>
        <textarea
          id={`${id}-note`}
          ref={field}
          dir="auto"
          value={keep.typed.note}
          maxLength={noteCharsMax}
          aria-describedby={`${id}-hint`}
          className={areaClasses}
          onChange={(event) => keep.type({ note: event.target.value })}
        />
        <p id={`${id}-hint`} className="mt-1 text-[12px] text-muted-foreground">
          Those who look after the document are told. Who asked does not see it.
        </p>
      </div>
      <div className="flex justify-end gap-2">
        <Button size="sm" variant="quiet" onClick={keep.closeNote}>
          Cancel
        </Button>
        <Button size="sm" type="submit" variant="primary" aria-disabled={pending}>
          {pending ? 'Leaving it…' : 'Leave the note'}
        </Button>
      </div>
    </KeepForm>
  )
}

const KeepButton = ({ kind, keep }: { kind: KeepKind; keep: Keep }) => {
  const now = keep.keeping[kind]
  const { does, sign } = keepWords[kind]
  const saving = now?.state === 'saving'
  // A document may get another note; a case is made once.
  if (now?.state === 'saved' && kind !== 'note') return null
  return (
    <Button
      size="sm"
      aria-keyshortcuts={sign}
      aria-disabled={saving}
      {...(kind === 'note' ? { id: noteButtonId, 'aria-expanded': keep.noting } : {})}
      onClick={() => keep.press(kind)}
    >
      {saving && kind !== 'note' ? 'Saving…' : does}
      <Kbd aria-hidden className="touch:hidden">
        {sign}
      </Kbd>
    </Button>
  )
}

/** Below who decided: what can be kept of it, what was, and why something was not. */
export const DeskKeep = ({ keep }: { keep: Keep }) => {
  const { kinds, keeping } = keep
  if (kinds.length === 0) return null
  const saved = kinds.flatMap((kind) => {
    const now = keeping[kind]
    return now?.state === 'saved' ? [now.made ? keepWords[kind].done : keepWords[kind].was] : []
  })
  const refused = kinds.flatMap((kind) => {
    const now = keeping[kind]
    return now?.state === 'refused' ? [{ kind, ...now }] : []
  })
  // The field stays while what is typed in it is on its way.
  const wanting = (['golden', 'curated'] as const).filter((kind) => {
    const now = keeping[kind]
    return now?.state === 'refused' ? now.wants : now?.state === 'saving' && keep.typed.question !== null
  })
  return (
    <section aria-label="What comes of this decision" className="border-b px-5 py-2.5 max-sm:px-4">
      <div className="flex flex-wrap items-center gap-2">
        {kinds.map((kind) => (
          <KeepButton key={kind} kind={kind} keep={keep} />
        ))}
      </div>
      <p role="status" className="text-[13px] empty:hidden [&:not(:empty)]:mt-2">
        {saved.length > 0 && (
          <>
            <span className="font-medium text-seal">
              <ShieldCheck aria-hidden className="mr-1 inline size-4 align-[-3px]" />
              {saved.join('. ')}.
            </span>{' '}
            <Link
              href={'/review/corrections' as Route}
              prefetch={false}
              className="underline decoration-input underline-offset-2 hover:decoration-current"
            >
              Show corrections
            </Link>
          </>
        )}
      </p>
      <div role="alert" className="text-[13px] text-warning">
        {[...new Set(refused.map(({ words }) => words))].map((words) => (
          <p key={words} className="mt-2 font-medium">
            {words}
          </p>
        ))}
      </div>
      {wanting.length > 0 && <QuestionField keep={keep} wanting={wanting} />}
      {keep.noting && <NoteForm keep={keep} />}
    </section>
  )
}
