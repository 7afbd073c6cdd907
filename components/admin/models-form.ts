'use client'
import { type FormEvent, useState } from 'react'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { FieldFault } from './models-field.tsx'
import { readForm, Unreadable } from './models-values.ts'

const unreachable = 'Footnote could not be reached. Check the connection and try again.'

/** The value of an action, or why there is none, in words. Never throws. */
export const attempt = async <T>(
  run: Promise<ActionResult<T>>,
): Promise<{ value: T } | { error: string; conflict: boolean }> => {
  const result = await run.catch(() => null)
  if (result?.ok) return { value: result.value }
  return { error: result?.error.message ?? unreachable, conflict: result?.error.code === 'conflict' }
}

type Sending<Input, Result> = {
  read: (fields: ReturnType<typeof readForm>) => Input
  send: (input: Input) => Promise<ActionResult<Result>>
  onDone: (result: Result, input: Input) => void
}

/** A form that is read and sent as one: one request at a time, and what is wrong stays in the form with what was typed. */
export const useSending = <Input, Result>({ read, send, onDone }: Sending<Input, Result>) => {
  const [pending, setPending] = useState(false)
  const [fault, setFault] = useState<FieldFault>(null)
  const [refusal, setRefusal] = useState<{ message: string; conflict: boolean } | null>(null)

  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (pending) return
    const form = event.currentTarget
    setFault(null)
    setRefusal(null)
    let input: Input
    try {
      input = read(readForm(form))
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      setFault({ field: error.field, message: error.message })
      const control = form.elements.namedItem(error.field)
      if (control instanceof HTMLElement) control.focus()
      return
    }
    setPending(true)
    const done = await attempt(send(input))
    setPending(false)
    if ('value' in done) onDone(done.value, input)
    else setRefusal({ message: done.error, conflict: done.conflict })
  }

  return { pending, fault, refusal, onSubmit }
}
