'use client'
import { type FormEvent, useId, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { workspaceNameCharsMax } from '#lib/shared/people-contract.ts'
import { switchTo } from './shown-workspace.ts'

export type CreateWorkspace = (input: { name: string }) => Promise<ActionResult<{ id: string }>>

/** Names a new workspace, makes it and goes there. */
export const NewWorkspace = ({
  open,
  onOpenChange,
  create,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  create: CreateWorkspace
}) => {
  const id = useId()
  const [pending, setPending] = useState(false)
  const [fault, setFault] = useState<string | null>(null)

  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (pending) return
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim()
    setPending(true)
    const made = await create({ name }).catch(() => null)
    const failure = made?.ok
      ? await switchTo({ id: made.value.id, name })
      : (made?.error.message ?? 'Footnote could not be reached. Check the connection and try again.')
    if (!failure) return window.location.assign('/')
    setPending(false)
    setFault(failure)
  }
  return (
    <Sheet open={open} onOpenChange={onOpenChange}>
      <SheetContent side="right" aria-describedby={`${id}-note`}>
        <form onSubmit={(event) => void onSubmit(event)} noValidate className="flex min-h-0 flex-1 flex-col">
          <div className="border-b px-5 py-3.5 pr-12">
            <SheetTitle className="text-[15px]">New workspace</SheetTitle>
            <p id={`${id}-note`} className="mt-1 text-[13px] text-muted-foreground">
              A place of its own: people, documents, rules and conversations of one workspace are never seen in another.
              You are its owner.
            </p>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
            <Label htmlFor={`${id}-name`}>Name</Label>
            <Input
              id={`${id}-name`}
              name="name"
              maxLength={workspaceNameCharsMax}
              autoComplete="off"
              aria-invalid={fault ? true : undefined}
              aria-describedby={fault ? `${id}-fault` : undefined}
            />
            <p id={`${id}-fault`} role="alert" className="mt-1 text-[12.5px] text-destructive empty:hidden">
              {fault}
            </p>
          </div>
          <div className="flex justify-end gap-2 border-t px-5 py-3">
            <Button onClick={() => onOpenChange(false)}>Cancel</Button>
            <Button type="submit" variant="primary" aria-disabled={pending}>
              {pending ? 'Making…' : 'Make workspace'}
            </Button>
          </div>
        </form>
      </SheetContent>
    </Sheet>
  )
}
