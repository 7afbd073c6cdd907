'use client'
import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { Select } from '#components/admin/select.tsx'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Label } from '#components/ui/input.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { Popover, PopoverAnchor, PopoverContent, PopoverTrigger } from '#components/ui/popover.tsx'
import { cn } from '#lib/shared/cn.ts'
import { noteCharsMax, type RejectReason, rejectReasonNames, rejectReasons } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'
import { focusKind } from './desk-keys.ts'
import { rejectWords } from './review-words.ts'
import { usePeople } from './use-people.ts'

type MenuProps = { open: boolean; onOpenChange: (open: boolean) => void; trigger?: ReactNode }

const Menu = ({ open, onOpenChange, trigger, label, children }: MenuProps & { label: string; children: ReactNode }) => {
  // Opened by a key, it has no button that gets the focus back.
  const before = useRef<Element | null>(null)
  return (
    <Popover open={open} onOpenChange={onOpenChange}>
      {trigger ? (
        <PopoverTrigger asChild>{trigger}</PopoverTrigger>
      ) : (
        <PopoverAnchor asChild>
          <span className="-mx-1 w-0" />
        </PopoverAnchor>
      )}
      <PopoverContent
        side="top"
        aria-label={label}
        className="w-[min(360px,92vw)]"
        onOpenAutoFocus={() => {
          before.current = document.activeElement
        }}
        onCloseAutoFocus={(event) => {
          // Whoever went on elsewhere is there already.
          if (document.activeElement && document.activeElement !== document.body) return event.preventDefault()
          const { current: was } = before
          const stays = was instanceof HTMLElement && was.isConnected && was !== document.body
          const to = stays ? was : document.querySelector<HTMLElement>('[aria-current="true"][id^="sentence-"]')
          if (!to) return
          event.preventDefault()
          to.focus({ preventScroll: true })
        }}
      >
        {children}
      </PopoverContent>
    </Popover>
  )
}

const areaClasses = cn(fieldClasses, 'field-sizing-content max-h-40 min-h-16 py-1.5 touch:text-base')

export const NoteField = ({ note, onNote }: { note: string; onNote: (note: string) => void }) => {
  const id = useId()
  return (
    <div>
      <Label htmlFor={id}>Note to who asked (optional)</Label>
      <textarea
        id={id}
        dir="auto"
        value={note}
        maxLength={noteCharsMax}
        className={areaClasses}
        onChange={(event) => onNote(event.target.value)}
      />
    </div>
  )
}

/** The reasons of a rejection, each a key: two presses decide. */
export const RejectMenu = ({
  note,
  onNote,
  onReject,
  ...menu
}: MenuProps & { note: string; onNote: (note: string) => void; onReject: (reason: RejectReason) => void }) => (
  <Menu {...menu} label="Reject the answer">
    {/* biome-ignore lint/a11y/noStaticElementInteractions: digits press the buttons inside */}
    <div
      onKeyDown={(event) => {
        const reason = rejectReasonNames[Number(event.key) - 1]
        if (!reason || event.ctrlKey || event.metaKey || event.altKey || focusKind(event.target) === 'field') return
        event.preventDefault()
        onReject(reason)
      }}
    >
      <p className="mb-1 px-2 font-medium">Why is it rejected?</p>
      <ul className="mb-3">
        {rejectReasonNames.map((reason, at) => (
          <li key={reason}>
            <button
              type="button"
              className="flex w-full items-center gap-2 rounded-md px-2 py-1.5 text-left hover:bg-muted touch:min-h-11"
              onClick={() => onReject(reason)}
            >
              <Kbd aria-hidden>{at + 1}</Kbd>
              <span className="min-w-0">
                {rejectWords[reason]}
                <span className="block text-[12px] text-muted-foreground">“{rejectReasons[reason]}”</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <NoteField note={note} onNote={onNote} />
      <p className="mt-2 text-[12px] text-muted-foreground">Who asked reads the words in quotes, and your note.</p>
    </div>
  </Menu>
)

const toWhom = {
  expert: {
    title: 'Ask an expert',
    label: 'Ask and hand over',
    note: 'They get the answer with your question, and decide.',
  },
  'hand-on': { title: 'Hand on', label: 'Hand on', note: 'They are told, and it is theirs to decide.' },
} as const

/** Gives the answer to somebody else, with a question or without. */
export const PersonMenu = ({
  kind,
  itemId,
  viewerId,
  question,
  onQuestion,
  actions,
  onDone,
  ...menu
}: MenuProps & {
  kind: keyof typeof toWhom
  itemId: string
  viewerId: string
  /** To the expert, as far as it is typed: it outlives the menu. */
  question: string
  onQuestion: (question: string) => void
  actions: Pick<DeskActions, 'listReviewers' | 'handOn' | 'askExpert'>
  onDone: (words: string) => void
}) => {
  const { title, label, note } = toWhom[kind]
  const id = useId()
  const { people, error } = usePeople(itemId, menu.open, actions)
  const others = people?.filter((one) => one.id !== viewerId)
  const [pending, setPending] = useState(false)
  const [refusal, setRefusal] = useState<string | null>(null)

  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const person = others?.find((one) => one.id === fields.get('person'))
    const words = question.trim()
    if (!person || pending) return
    if (kind === 'expert' && !words) {
      setRefusal('Type what you want to know.')
      return
    }
    setPending(true)
    const done = await attempt(
      kind === 'expert'
        ? actions.askExpert({ itemId, userId: person.id, words })
        : actions.handOn({ itemId, userId: person.id }),
    )
    setPending(false)
    if ('value' in done) onDone(kind === 'expert' ? `${person.name} was asked.` : `Handed on to ${person.name}.`)
    else setRefusal(done.error)
  }

  return (
    <Menu {...menu} label={title}>
      <form onSubmit={send} className="flex flex-col gap-3">
        <p className="font-medium">{title}</p>
        {others?.length === 0 ? (
          <p className="text-muted-foreground">
            Nobody else may review this answer. An admin can give somebody the role and access to its collections.
          </p>
        ) : (
          <>
            <div>
              <Label htmlFor={`${id}-person`}>Who</Label>
              <Select id={`${id}-person`} name="person" className="w-full" disabled={!others}>
                {others?.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                )) ?? <option>Looking who may…</option>}
              </Select>
            </div>
            {kind === 'expert' && (
              <div>
                <Label htmlFor={`${id}-words`}>Your question</Label>
                <textarea
                  id={`${id}-words`}
                  dir="auto"
                  value={question}
                  maxLength={noteCharsMax}
                  className={areaClasses}
                  onChange={(event) => onQuestion(event.target.value)}
                />
              </div>
            )}
            <p className="text-[12px] text-muted-foreground">{note}</p>
            <Button type="submit" variant="primary" disabled={!others} aria-disabled={pending} className="self-end">
              {pending ? 'Sending…' : label}
            </Button>
          </>
        )}
        <p role="alert" className="text-destructive empty:hidden">
          {refusal ?? error}
        </p>
      </form>
    </Menu>
  )
}
