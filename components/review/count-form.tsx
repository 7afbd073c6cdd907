'use client'
import { type FormEvent, useId, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'

/** Asks for a number and does something so many times; says what came of it. */
export const CountForm = ({
  label,
  max,
  initial,
  send,
  words,
  onDone,
  button,
  busy,
}: {
  label: string
  max: number
  initial: number
  /** Returns how many there were in the end. */
  send: (count: number) => Promise<ActionResult<number>>
  words: (done: number) => string
  onDone: (done: number) => void
  button: string
  /** On the button in the meantime. */
  busy: string
}) => {
  const id = useId()
  const [pending, setPending] = useState(false)
  const [outcome, setOutcome] = useState<string | null>(null)
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    if (pending) return
    const count = Number(new FormData(event.currentTarget).get('count'))
    if (!Number.isInteger(count) || count < 1 || count > max) return setOutcome(`Type a number from 1 to ${max}.`)
    setPending(true)
    const done = await attempt(send(count))
    setPending(false)
    if ('error' in done) return setOutcome(done.error)
    setOutcome(words(done.value))
    if (done.value > 0) onDone(done.value)
  }
  return (
    <form onSubmit={submit} noValidate className="flex flex-wrap items-end gap-2 px-5 max-sm:px-4">
      <div>
        <Label htmlFor={id}>{label}</Label>
        <Input id={id} name="count" type="number" min={1} max={max} defaultValue={initial} />
      </div>
      <Button type="submit" aria-disabled={pending}>
        {pending ? busy : button}
      </Button>
      <p role="status" className="min-h-5 basis-full text-[13px] text-muted-foreground">
        {outcome}
      </p>
    </form>
  )
}
