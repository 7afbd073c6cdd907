'use client'
import { type Ref, useId, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { When } from '#components/admin/when.tsx'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Label } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import { noteCharsMax, type ReviewComment, type ReviewPerson } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'
import { usePeople } from './use-people.ts'

/** The name that is being typed behind an `@` at the caret; null: none is. */
export const mentionAt = (text: string, caret: number): { from: number; typed: string } | null => {
  const found = /(?:^|\s)@([\p{L}\p{N}.' -]{0,40})$/u.exec(text.slice(0, caret))
  return found ? { from: caret - (found[1]?.length ?? 0) - 1, typed: found[1] ?? '' } : null
}

/** Whose names stand in the text behind an `@`; of two names that begin alike the longer one that is there counts. */
export const mentionedIn = (text: string, people: readonly ReviewPerson[]): ReviewPerson[] => {
  let rest = text.toLowerCase()
  return [...people]
    .sort((one, other) => other.name.length - one.name.length)
    .filter(({ name }) => {
      const sign = `@${name.toLowerCase()}`
      const is = rest.includes(sign)
      rest = rest.replaceAll(sign, ' ')
      return is
    })
}

const shownMax = 5

/** Whom a comment tells; where somebody may be meant, who they are has to be known first. */
export const mentionsOf = async (
  text: string,
  ask: () => Promise<{ value: readonly ReviewPerson[] } | { error: string }>,
): Promise<{ value: string[] } | { error: string }> => {
  if (!text.includes('@')) return { value: [] }
  const people = await ask()
  return 'error' in people ? people : { value: mentionedIn(text, people.value).map(({ id }) => id) }
}

/** What reviewers say to each other about an answer; nobody else reads it. What is typed is kept by whoever shows it. */
export const Comments = ({
  itemId,
  comments,
  text,
  onText,
  field,
  actions,
  onSent,
}: {
  itemId: string
  comments: readonly ReviewComment[]
  text: string
  onText: (text: string) => void
  field: Ref<HTMLTextAreaElement>
  actions: Pick<DeskActions, 'comment' | 'listReviewers'>
  onSent: () => void
}) => {
  const id = useId()
  const [caret, setCaret] = useState(0)
  const [pending, setPending] = useState(false)
  const [refusal, setRefusal] = useState<string | null>(null)
  const { people, error, ask } = usePeople(itemId, text.includes('@'), actions)
  const mention = mentionAt(text, caret)
  const matches =
    mention && people
      ? people
          .filter(
            ({ name }) => name.toLowerCase().startsWith(mention.typed.toLowerCase()) && name !== mention.typed.trim(),
          )
          .slice(0, shownMax)
      : []
  const mentioned = mentionedIn(text, people ?? [])

  const complete = (name: string, area: HTMLTextAreaElement | null) => {
    if (!mention) return
    const next = `${text.slice(0, mention.from)}@${name} ${text.slice(caret)}`
    onText(next)
    setCaret(mention.from + name.length + 2)
    area?.focus()
  }
  const send = async () => {
    if (pending || !text.trim()) return
    setPending(true)
    setRefusal(null)
    const mentions = await mentionsOf(text, ask)
    const done =
      'error' in mentions
        ? { error: `It was not sent, for it cannot be told whom you mention: ${mentions.error}` }
        : await attempt(actions.comment({ itemId, text: text.trim(), mentions: mentions.value }))
    setPending(false)
    if ('error' in done) return setRefusal(done.error)
    onText('')
    onSent()
  }

  return (
    <div className="max-w-2xl">
      {comments.length > 0 && (
        <ol className="mb-3 flex flex-col gap-2.5">
          {comments.map((one) => (
            <li key={one.id}>
              <p className="text-[12.5px] text-muted-foreground">
                <bdi className="font-medium text-foreground">{one.author}</bdi>, <When iso={one.createdAt} />
              </p>
              <p dir="auto" className="whitespace-pre-line [overflow-wrap:anywhere]">
                {one.text}
              </p>
            </li>
          ))}
        </ol>
      )}
      <Label htmlFor={id}>Comment for other reviewers</Label>
      <textarea
        id={id}
        ref={field}
        dir="auto"
        value={text}
        maxLength={noteCharsMax}
        readOnly={pending}
        aria-describedby={`${id}-hint`}
        className={cn(fieldClasses, 'field-sizing-content max-h-60 min-h-16 py-1.5 touch:text-base')}
        onChange={(event) => {
          onText(event.target.value)
          setCaret(event.target.selectionStart)
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={(event) => {
          const [first] = matches
          if (event.key === 'Tab' && first && !event.shiftKey) {
            event.preventDefault()
            complete(first.name, event.currentTarget)
          } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            // Here it sends the comment, and approves nothing.
            event.stopPropagation()
            event.nativeEvent.stopImmediatePropagation()
            event.preventDefault()
            void send()
          } else if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <div className="mt-1 flex flex-wrap items-center gap-2">
        <p id={`${id}-hint`} className="min-w-0 flex-1 basis-40 text-[12px] text-muted-foreground">
          {mentioned.length > 0
            ? `${mentioned.map(({ name }) => name).join(', ')} will be told.`
            : '@ and a name tells somebody. Who asked does not see it.'}
        </p>
        {matches.map(({ id: personId, name }, at) => (
          <Button
            key={personId}
            size="sm"
            onClick={() => complete(name, document.getElementById(id) as HTMLTextAreaElement | null)}
          >
            @{name}
            {at === 0 && <span className="text-[11px] text-muted-foreground">Tab</span>}
          </Button>
        ))}
        <Button size="sm" aria-disabled={pending || !text.trim()} onClick={() => void send()}>
          {pending ? 'Sending…' : 'Add comment'}
        </Button>
      </div>
      <p role="alert" className="mt-1 text-[13px] text-destructive empty:hidden">
        {refusal ?? error}
      </p>
    </div>
  )
}
