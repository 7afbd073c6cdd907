'use client'
import { type ComponentProps, createContext, type ReactNode, useContext, useId } from 'react'
import { Input } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import { Select } from './select.tsx'

/** What is wrong with which field, for the fields of a form to show. */
export type FieldFault = { field: string; message: string } | null
const FaultContext = createContext<FieldFault>(null)
export const FormFaults = FaultContext.Provider

type FrameProps = { name: string; label: ReactNode; hint?: ReactNode; className?: string | undefined }

const useField = (name: string, hint: ReactNode) => {
  const id = useId()
  const fault = useContext(FaultContext)
  const wrong = fault?.field === name ? fault.message : null
  const described = [hint ? `${id}-hint` : '', wrong ? `${id}-fault` : ''].filter(Boolean).join(' ')
  return {
    wrong,
    id,
    control: {
      id,
      name,
      ...(described ? { 'aria-describedby': described } : {}),
      ...(wrong ? { 'aria-invalid': true } : {}),
    },
  }
}

const Frame = ({
  id,
  label,
  hint,
  wrong,
  className,
  children,
}: Omit<FrameProps, 'name'> & { id: string; wrong: string | null; children: ReactNode }) => (
  <div className={cn('min-w-0', className)}>
    <label htmlFor={id} className="mb-1 block font-medium text-[13px]">
      {label}
    </label>
    {children}
    {hint && (
      <p id={`${id}-hint`} className="mt-1 text-[12.5px] text-muted-foreground">
        {hint}
      </p>
    )}
    {wrong && (
      <p id={`${id}-fault`} className="mt-1 text-[12.5px] text-destructive">
        {wrong}
      </p>
    )}
  </div>
)

/** A line of text or a number. `unit` stands beside it: dollars, percent, seconds. */
export const TextField = ({
  name,
  label,
  hint,
  unit,
  className,
  ...props
}: FrameProps & { unit?: string } & Omit<ComponentProps<'input'>, 'name' | 'id'>) => {
  const { id, control, wrong } = useField(name, hint)
  return (
    <Frame id={id} label={label} hint={hint} wrong={wrong} className={className}>
      <div className="flex items-center gap-2">
        <Input autoComplete="off" spellCheck={false} {...props} {...control} className={unit ? 'num max-w-36' : ''} />
        {unit && <span className="shrink-0 text-[13px] text-muted-foreground">{unit}</span>}
      </div>
    </Frame>
  )
}

export const ChoiceField = ({
  name,
  label,
  hint,
  options,
  className,
  ...props
}: FrameProps & { options: readonly (readonly [value: string, words: string])[] } & Omit<
    ComponentProps<'select'>,
    'name' | 'id'
  >) => {
  const { id, control, wrong } = useField(name, hint)
  return (
    <Frame id={id} label={label} hint={hint} wrong={wrong} className={className}>
      <Select {...props} {...control} className="w-full max-w-80">
        {options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </Select>
    </Frame>
  )
}

export const TickField = ({
  name,
  label,
  hint,
  className,
  ...props
}: FrameProps & Omit<ComponentProps<'input'>, 'name' | 'id' | 'type'>) => {
  const { id, control } = useField(name, hint)
  return (
    <div className={cn('grid min-w-0 grid-cols-[auto_1fr] gap-x-2.5', className)}>
      <input type="checkbox" {...props} {...control} className="mt-[3px] size-4 accent-primary touch:size-5" />
      <label htmlFor={id} className="font-medium text-[13px] touch:py-0.5">
        {label}
      </label>
      {hint && (
        <p id={`${id}-hint`} className="col-start-2 mt-0.5 text-[12.5px] text-muted-foreground">
          {hint}
        </p>
      )}
    </div>
  )
}
