'use client'
import { type ReactNode, useId, useState } from 'react'
import { Input } from '#components/ui/input.tsx'

/** A control of a card of a rule under its name. */
export const Labelled = ({ label, children }: { label: string; children: (id: string) => ReactNode }) => {
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

/** A number as it is typed. What is none, or out of its bounds, is not taken, and gives way to what was taken last. */
export const NumberInput = ({
  value,
  min,
  max,
  step = 1,
  onChange,
  ...named
}: {
  value: number
  min: number
  max: number
  step?: number
  onChange: (value: number) => void
} & ({ id: string } | { 'aria-label': string })) => {
  const [typed, setTyped] = useState<string | null>(null)
  const take = (text: string) => {
    setTyped(text)
    const read = Number(text)
    if (text.trim() !== '' && read >= min && read <= max && (step < 1 || Number.isInteger(read))) onChange(read)
  }
  return (
    <Input
      {...named}
      type="number"
      className="num max-w-36"
      min={min}
      max={max}
      step={step}
      value={typed ?? value}
      onChange={({ target }) => take(target.value)}
      onBlur={() => setTyped(null)}
    />
  )
}
