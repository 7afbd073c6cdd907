import type { ReactNode } from 'react'
import { Button } from '#components/ui/button.tsx'
import { SheetTitle } from '#components/ui/sheet.tsx'
import { FormFaults } from './models-field.tsx'
import type { useSending } from './models-form.ts'

/** A form that fills a sheet: its title, its fields, and what is to be done with them. */
export const SheetForm = ({
  title,
  note,
  label,
  form: { pending, fault, refusal, onSubmit },
  onClose,
  children,
}: {
  title: string
  note?: string
  label: string
  form: Pick<ReturnType<typeof useSending>, 'pending' | 'fault' | 'refusal' | 'onSubmit'>
  onClose: () => void
  children: ReactNode
}) => (
  <form onSubmit={onSubmit} noValidate className="flex min-h-0 flex-1 flex-col">
    <div className="border-b px-5 py-3.5 pr-12">
      <SheetTitle className="text-[15px]">{title}</SheetTitle>
      {note && <p className="mt-1 text-[13px] text-muted-foreground">{note}</p>}
    </div>
    <FormFaults value={fault}>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">{children}</div>
    </FormFaults>
    <div className="border-t px-5 py-3">
      <p role="alert" className="mb-2 text-[13px] text-destructive empty:hidden">
        {refusal?.message}
      </p>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" aria-disabled={pending}>
          {pending ? 'Saving…' : label}
        </Button>
      </div>
    </div>
  </form>
)
