'use client'
import { type ReactNode, useId, useState } from 'react'
import { Input } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import { formatCount } from '#lib/shared/format.ts'
import { Select } from './select.tsx'

/** A control of a card of a rule under its name. */
const Labelled = ({ label, children }: { label: string; children: (id: string) => ReactNode }) => {
  const id = useId()
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium text-[13px]">
        {label}
      </label>
      {children(id)}
    </div>
  )
}

/** A line of text of a rule. */
export const RuleText = ({
  label,
  value,
  max,
  placeholder,
  code = false,
  onChange,
}: {
  label: string
  value: string
  /** In characters. */
  max: number
  placeholder?: string
  /** Read by a machine: set in its letters, and not checked for spelling. */
  code?: boolean
  onChange: (value: string) => void
}) => (
  <Labelled label={label}>
    {(id) => (
      <Input
        id={id}
        className={cn(code && 'font-mono')}
        spellCheck={!code}
        maxLength={max}
        placeholder={placeholder}
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
    )}
  </Labelled>
)

/** One of a few for a rule. */
export const RuleChoice = <Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: Value
  options: readonly (readonly [Value, string])[]
  onChange: (value: Value) => void
}) => (
  <Labelled label={label}>
    {(id) => (
      <Select
        id={id}
        className="w-full"
        value={value}
        onChange={({ target }) => {
          const [chosen] = options.find(([one]) => one === target.value) ?? [value]
          onChange(chosen)
        }}
      >
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </Select>
    )}
  </Labelled>
)

type Bounds = { min: number; max: number; step?: number }

/** The number in the text, or NaN where it is none or out of its bounds. Whole, but where a step is smaller than one. */
export const numberIn = (text: string, { min, max, step = 1 }: Bounds): number => {
  const read = text.trim() === '' ? Number.NaN : Number(text)
  return read >= min && read <= max && (step < 1 || Number.isInteger(read)) ? read : Number.NaN
}

/** A number as it is typed. What cannot be taken is told as NaN and stays with words on how to write it, so that it is not saved as something else. */
export const NumberInput = ({
  value,
  min,
  max,
  step = 1,
  onChange,
  ...named
}: Bounds & { value: number; onChange: (value: number) => void } & ({ id: string } | { 'aria-label': string })) => {
  const faultId = useId()
  const [typed, setTyped] = useState<string | null>(null)
  const wrong = Number.isNaN(value)
  return (
    <>
      <Input
        {...named}
        type="number"
        className="num max-w-36"
        min={min}
        max={max}
        step={step}
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? faultId : undefined}
        value={typed ?? (wrong ? '' : value)}
        onChange={({ target }) => {
          setTyped(target.value)
          onChange(numberIn(target.value, { min, max, step }))
        }}
        onBlur={() => !wrong && setTyped(null)}
      />
      {wrong && (
        // In a row with other words it has a line of its own, below all of them.
        <p id={faultId} className="order-last mt-1 basis-full text-[12.5px] text-destructive">
          Write a {step < 1 ? '' : 'whole '}number from {formatCount(min)} to {formatCount(max)}.
        </p>
      )}
    </>
  )
}

/** A number of a rule under its name. */
export const RuleNumber = ({
  label,
  ...number
}: { label: string } & Omit<Parameters<typeof NumberInput>[0], 'id' | 'aria-label'>) => (
  <Labelled label={label}>{(id) => <NumberInput id={id} {...number} />}</Labelled>
)
