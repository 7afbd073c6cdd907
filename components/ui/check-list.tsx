'use client'
import { useState } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { Input } from './input.tsx'

type CheckChoice = { value: string; label: string; count?: number }

/** More than this are looked through by typing. */
const findFrom = 10

/** Any of several values, each with how many there are of it. What is chosen stays in sight, also when nothing has it any more. */
export const CheckList = ({
  legend,
  legendHidden = false,
  choices,
  chosen,
  onChange,
}: {
  legend: string
  legendHidden?: boolean
  choices: readonly CheckChoice[]
  chosen: readonly string[]
  onChange: (chosen: string[]) => void
}) => {
  const [text, setText] = useState('')
  const gone = chosen.filter((value) => choices.every((choice) => choice.value !== value))
  const all = [...choices, ...gone.map((value): CheckChoice => ({ value, label: value, count: 0 }))]
  const wanted = text.trim().toLowerCase()
  const shown = all.filter(({ value, label }) => chosen.includes(value) || label.toLowerCase().includes(wanted))
  return (
    <fieldset className="min-w-0">
      <legend className={cn('mb-1 font-medium text-muted-foreground text-xs', legendHidden && 'sr-only')}>
        {legend}
      </legend>
      {all.length > findFrom && (
        <Input
          type="search"
          className="mb-1"
          aria-label={`Find in ${legend.toLowerCase()}`}
          placeholder="Find"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <div className="-mx-1.5 max-h-56 overflow-y-auto overscroll-contain px-px py-px">
        {shown.map(({ value, label, count }) => (
          <label
            key={value}
            className="flex min-h-7 cursor-default items-center gap-2 rounded-md px-1.5 hover:bg-muted touch:min-h-11"
          >
            <input
              type="checkbox"
              className="size-4 shrink-0 accent-primary touch:size-5"
              checked={chosen.includes(value)}
              onChange={({ target }) =>
                onChange(target.checked ? [...chosen, value] : chosen.filter((one) => one !== value))
              }
            />
            <span dir="auto" className="min-w-0 flex-1 truncate">
              {label}
            </span>
            {count !== undefined && <span className="num text-muted-foreground text-xs">{count}</span>}
          </label>
        ))}
        {shown.length === 0 && <p className="px-1.5 py-1 text-muted-foreground">Nothing is called that.</p>}
      </div>
    </fieldset>
  )
}
