'use client'
import { type ComponentProps, type ReactNode, useActionState, useId } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'

/** What is wrong, in words; what was typed stays. `done` ends the form with words of its own. */
export type EntryState = { error: string | null; done?: boolean; values?: Record<string, string> }
export type EntryAction = (state: EntryState, form: FormData) => Promise<EntryState>

type Fields = {
  /** The value that was sent before. */
  value: (name: string) => string
  errorId: string | undefined
}

/** A form for people who are not signed in: it works before scripts do, and says what is wrong above its one button. */
export const EntryForm = ({
  send,
  label,
  pendingLabel,
  done,
  children,
}: {
  send: EntryAction
  label: string
  pendingLabel: string
  done?: ReactNode
  children: (fields: Fields) => ReactNode
}) => {
  const [state, submit, pending] = useActionState(send, { error: null })
  const id = useId()
  const errorId = state.error && !pending ? id : undefined
  if (state.done) return <div role="status">{done}</div>
  return (
    <form action={submit} className="flex flex-col gap-4">
      {children({ value: (name) => state.values?.[name] ?? '', errorId })}
      <p role="alert" id={id} className="text-[13px] text-destructive empty:hidden">
        {errorId ? state.error : null}
      </p>
      <Button type="submit" variant="primary" size="lg" disabled={pending}>
        {pending ? pendingLabel : label}
      </Button>
    </form>
  )
}

export const EntryField = ({ label, ...props }: { label: string } & Omit<ComponentProps<'input'>, 'id'>) => {
  const id = useId()
  return (
    <div>
      <Label htmlFor={id}>{label}</Label>
      <Input required {...props} id={id} className="h-10" />
    </div>
  )
}
