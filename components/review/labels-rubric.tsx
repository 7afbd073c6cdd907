'use client'
import { useState } from 'react'
import { useSending } from '#components/admin/models-form.ts'
import { SheetForm } from '#components/admin/sheet-form.tsx'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Label } from '#components/ui/input.tsx'
import { Sheet, SheetContent } from '#components/ui/sheet.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { criterionWords } from '#lib/shared/label-contract.ts'
import { labelCriteria, type Rubric } from '#lib/shared/review-contract.ts'

export type SaveRubric = (input: { version: number; rubric: Rubric }) => Promise<ActionResult<{ version: number }>>
type RubricVersion = { version: number; rubric: Rubric }

const rubricCharsMax = 1_000

const RubricForm = ({
  current: { version, rubric },
  saveRubric,
  onSaved,
  onClose,
}: {
  current: RubricVersion
  saveRubric: SaveRubric
  onSaved: (saved: RubricVersion) => void
  onClose: () => void
}) => {
  const [typed, setTyped] = useState(rubric)
  const form = useSending({
    read: () => ({ version, rubric: typed }),
    send: saveRubric,
    onDone: (saved, input) => {
      onSaved({ version: saved.version, rubric: input.rubric })
      onClose()
    },
  })
  return (
    <SheetForm
      title="Rubric"
      note="What raters go by. It is saved as a new version; answers that are up for labelling keep theirs."
      label="Save as a new version"
      form={form}
      onClose={onClose}
    >
      {labelCriteria.map((criterion) => (
        <div key={criterion}>
          <Label htmlFor={`rubric-${criterion}`}>{criterionWords[criterion]}</Label>
          <textarea
            id={`rubric-${criterion}`}
            required
            rows={4}
            maxLength={rubricCharsMax}
            value={typed[criterion]}
            onChange={(event) => setTyped({ ...typed, [criterion]: event.target.value })}
            className={cn(fieldClasses, 'block min-h-24 resize-y py-1.5 text-[13.5px] touch:text-base')}
          />
        </div>
      ))}
    </SheetForm>
  )
}

/** Opens the rubric for who may change it. */
export const RubricButton = (form: Omit<Parameters<typeof RubricForm>[0], 'onClose'>) => {
  const [open, setOpen] = useState(false)
  return (
    <Sheet open={open} onOpenChange={setOpen}>
      <Button variant="quiet" onClick={() => setOpen(true)}>
        Rubric
      </Button>
      <SheetContent side="right" aria-describedby={undefined}>
        <RubricForm {...form} onClose={() => setOpen(false)} />
      </SheetContent>
    </Sheet>
  )
}
