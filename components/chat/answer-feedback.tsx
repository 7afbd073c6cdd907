'use client'
import { ThumbsDown, ThumbsUp, UserRoundSearch } from 'lucide-react'
import { createContext, type ReactNode, useContext, useId, useMemo, useRef, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Label } from '#components/ui/input.tsx'
import { Popover, PopoverAnchor, PopoverContent } from '#components/ui/popover.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { Tooltip } from '#components/ui/tooltip.tsx'
import type { MessageMetadata, MessageReview } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import {
  type Feedback,
  type FeedbackInput,
  feedbackReasonWords,
  mayAskPerson,
  noteCharsMax,
} from '#lib/shared/review-contract.ts'
import { readDraft, writeDraft } from './draft.ts'
import { createSaid, reasonsOf } from './said.ts'
import { useStore } from './store.ts'

export type FeedbackActions = {
  giveFeedback: (input: FeedbackInput) => Promise<ActionResult<Feedback | null>>
  askPerson: (input: { messageId: string; words: string }) => Promise<ActionResult<MessageReview>>
}

type AnswerFeedbackState = FeedbackActions & {
  /** What the viewer has said, by message. */
  said: Readonly<Record<string, Feedback>>
  /** Somebody is there to ask. */
  canAsk: boolean
  onAsked: (messageId: string, review: MessageReview) => void
}
const AnswerFeedbackContext = createContext<AnswerFeedbackState | null>(null)

/** What was said in this tab since the page was loaded: a page that is kept and shown again does not know of it. */
const saidHere = new Map<string, Feedback | null>()

const thumbs = [
  { value: 1, name: 'Good answer', Icon: ThumbsUp },
  { value: -1, name: 'Bad answer', Icon: ThumbsDown },
] as const

const field = cn(fieldClasses, 'block min-h-16 resize-y py-1.5 text-[13.5px] touch:text-base')

const Words = ({
  label,
  value,
  onChange,
  onSend,
  readOnly = false,
}: {
  label: string
  value: string
  readOnly?: boolean
  onChange: (value: string) => void
  onSend: () => void
}) => {
  const id = useId()
  return (
    <>
      <Label htmlFor={id} className="mt-2.5 mb-1">
        {label}
      </Label>
      <textarea
        id={id}
        dir="auto"
        rows={2}
        maxLength={noteCharsMax}
        value={value}
        readOnly={readOnly}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey)) return
          event.preventDefault()
          onSend()
        }}
        className={field}
      />
    </>
  )
}

/** A small window beside a button, to which the focus goes back unless somebody has gone on elsewhere. */
const Aside = ({
  name,
  open,
  onClose,
  anchor,
  children,
}: {
  name: string
  open: boolean
  onClose: () => void
  anchor: ReactNode
  children: ReactNode
}) => {
  const opener = useRef<HTMLElement | null>(null)
  const elsewhere = useRef(false)
  return (
    <Popover open={open} onOpenChange={(next) => !next && onClose()}>
      <PopoverAnchor asChild>{anchor}</PopoverAnchor>
      <PopoverContent
        aria-label={name}
        className="w-[min(340px,calc(100vw-16px))]"
        onOpenAutoFocus={() => {
          elsewhere.current = false
          opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null
        }}
        onInteractOutside={() => {
          elsewhere.current = true
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault()
          if (!elsewhere.current) opener.current?.focus({ preventScroll: true })
        }}
      >
        {children}
      </PopoverContent>
    </Popover>
  )
}

const Problem = ({ words }: { words: string | null }) => (
  <p role="alert" className="empty:hidden mt-2 font-medium text-[13px] text-destructive">
    {words}
  </p>
)

/** Thumbs under an answer. The thumb counts with the click; why is asked after it, and can be left. */
const Thumbs = ({ messageId, state }: { messageId: string; state: AnswerFeedbackState }) => {
  const [mine] = useState(() => {
    const draft = `said:${messageId}`
    return createSaid({
      stored: saidHere.has(messageId) ? (saidHere.get(messageId) ?? null) : (state.said[messageId] ?? null),
      draft: readDraft(draft),
      onDraft: (words) => writeDraft(draft, words),
      send: async (next) => {
        const input = next ?? { value: 0 as const, reasons: [], comment: '' }
        const done = await attempt(state.giveFeedback({ ...input, messageId } as FeedbackInput))
        if ('value' in done) saidHere.set(messageId, done.value)
        return done
      },
    })
  })
  const { said, thumb, reasons, comment, problem, pending } = useStore(mine.state)
  const [open, setOpen] = useState(false)
  /** What was refused is seen, also by whoever has closed the window. */
  const after = async (done: Promise<boolean>, then?: () => void): Promise<void> => {
    if (await done) then?.()
    else if (mine.state.get().problem) setOpen(true)
  }
  const press = (value: Feedback['value']): void => {
    setOpen(true)
    void after(mine.press(value))
  }
  const close = (): void => setOpen(false)
  const sendWords = (): void => void after(mine.sendWords(), close)
  const asks = thumb === 1 ? 'Good. What was?' : 'What is wrong with it?'
  return (
    <Aside
      name="What you think of this answer"
      open={open}
      onClose={close}
      anchor={
        <span className="inline-flex">
          {thumbs.map(({ value, name, Icon }) => (
            <Tooltip key={value} content={said?.value === value ? `${name}: say more, or take it back` : name}>
              <Button
                variant="quiet"
                size="icon-sm"
                aria-label={name}
                aria-pressed={said?.value === value}
                onClick={() => press(value)}
              >
                <Icon className={said?.value === value ? 'fill-current/25 text-foreground' : undefined} />
              </Button>
            </Tooltip>
          ))}
        </span>
      }
    >
      <p className="font-medium">{said ? asks : thumb ? 'Not kept yet' : 'Taking it back…'}</p>
      {thumb && (
        <ul className="mt-2 flex flex-wrap gap-1.5">
          {reasonsOf(thumb).map((reason) => {
            const chosen = reasons.includes(reason)
            return (
              <li key={reason}>
                <Button
                  size="sm"
                  aria-pressed={chosen}
                  className={cn('rounded-full', chosen && 'border-primary bg-primary/10')}
                  onClick={() => mine.choose(reason)}
                >
                  {feedbackReasonWords[reason]}
                </Button>
              </li>
            )
          })}
        </ul>
      )}
      <Words label="In your words (reviewers read it)" value={comment} onChange={mine.type} onSend={sendWords} />
      <Problem words={problem} />
      <div className="mt-2.5 flex flex-wrap gap-2">
        {/* It stays while it works: the focus is on it. */}
        {(said || pending) && (
          <Button variant="quiet" size="sm" aria-disabled={!said} onClick={() => void after(mine.takeBack(), close)}>
            Take it back
          </Button>
        )}
        <span className="flex-1" />
        <Button variant="primary" size="sm" aria-disabled={!thumb} onClick={sendWords}>
          {pending ? 'Sending…' : 'Send'}
        </Button>
      </div>
    </Aside>
  )
}

/** The way to a person where there is no answer. */
const AskPerson = ({ messageId, state }: { messageId: string; state: AnswerFeedbackState }) => {
  const [open, setOpen] = useState(false)
  const draft = `ask:${messageId}`
  const [words, setWords] = useState(() => readDraft(draft))
  const [problem, setProblem] = useState<string | null>(null)
  const [pending, setPending] = useState(false)
  const send = async (): Promise<void> => {
    if (pending) return
    setPending(true)
    setProblem(null)
    const done = await attempt(state.askPerson({ messageId, words: words.trim() }))
    setPending(false)
    if ('error' in done) return setProblem(done.error)
    writeDraft(draft, '')
    setOpen(false)
    // The button is gone with this, and the focus with it: said aloud as well.
    toast('A person has been asked. Their answer appears here.')
    state.onAsked(messageId, done.value)
  }
  return (
    <Aside
      name="Ask a person"
      open={open}
      onClose={() => setOpen(false)}
      anchor={
        <Button size="sm" aria-haspopup="dialog" aria-expanded={open} className="mr-1.5" onClick={() => setOpen(true)}>
          <UserRoundSearch />
          Ask a person
        </Button>
      }
    >
      <p className="text-muted-foreground">
        A reviewer gets your question and this conversation, and answers here. You can go on asking.
      </p>
      <Words
        label="What should they know? (optional)"
        value={words}
        // What is added while it is sent would reach nobody.
        readOnly={pending}
        onChange={(next) => {
          setWords(next)
          writeDraft(draft, next)
        }}
        onSend={() => void send()}
      />
      <Problem words={problem} />
      <Button variant="primary" size="sm" className="mt-2.5" aria-disabled={pending} onClick={() => void send()}>
        {pending ? 'Asking…' : 'Ask'}
      </Button>
    </Aside>
  )
}

const judged: readonly MessageMetadata['status'][] = ['complete', 'no-source', 'stopped', 'interrupted']

/** What can be said of a finished answer; nothing where there is none yet. */
export const AnswerFeedback = ({ messageId, metadata }: { messageId: string; metadata: MessageMetadata }) => {
  const state = useContext(AnswerFeedbackContext)
  if (!state || !judged.includes(metadata.status)) return null
  return (
    <>
      {state.canAsk && mayAskPerson(metadata) && <AskPerson messageId={messageId} state={state} />}
      <Thumbs messageId={messageId} state={state} />
    </>
  )
}

/** Lets the answers below take feedback. */
export const AnswerFeedbackProvider = ({
  children,
  actions: { giveFeedback, askPerson },
  said,
  canAsk,
  onAsked,
}: Omit<AnswerFeedbackState, keyof FeedbackActions> & { actions: FeedbackActions; children: ReactNode }) => {
  const state = useMemo(
    () => ({ giveFeedback, askPerson, said, canAsk, onAsked }),
    [giveFeedback, askPerson, said, canAsk, onAsked],
  )
  return <AnswerFeedbackContext value={state}>{children}</AnswerFeedbackContext>
}
