'use client'
import { Plus } from 'lucide-react'
import { type ReactNode, useId, useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import { RuleSection } from './rule-section.tsx'
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

/** A number of a rule under its name. */
export const RuleNumber = ({
  label,
  ...number
}: { label: string } & Omit<Parameters<typeof NumberInput>[0], 'id' | 'aria-label'>) => (
  <Labelled label={label}>{(id) => <NumberInput id={id} {...number} />}</Labelled>
)

type Named = { id: string; name: string }
type Edited<Rule> = { rule: Rule; onChange: (rule: Rule) => void; deleteButton: ReactNode }

/**
 * Rules of one kind, a card each, with a way to add one and to delete one. `kind` is what one is called in a sentence (`review rule`).
 * A card places the button that deletes it.
 */
export const RuleCards = <Rule extends Named>({
  title,
  note,
  kind,
  rules,
  card,
  fresh,
  onChange,
}: {
  title: string
  note: ReactNode
  kind: string
  rules: readonly Rule[]
  card: (edited: Edited<Rule>) => ReactNode
  /** What a new rule starts with. */
  fresh: () => Rule
  onChange: (rules: Rule[]) => void
}) => {
  const adding = useRef<HTMLButtonElement>(null)
  const remove = (id: string) => {
    onChange(rules.filter((one) => one.id !== id))
    // What had the focus is gone.
    adding.current?.focus()
  }
  return (
    <RuleSection title={title} note={note}>
      {rules.map((rule) => (
        <fieldset key={rule.id} className="min-w-0 rounded-md border p-3">
          <legend className="sr-only">{rule.name || `A new ${kind}`}</legend>
          {card({
            rule,
            onChange: (next) => onChange(rules.map((one) => (one.id === rule.id ? next : one))),
            deleteButton: (
              <Button
                variant="quiet"
                size="sm"
                aria-label={`Delete ${kind} ${rule.name}`.trim()}
                onClick={() => remove(rule.id)}
              >
                Delete
              </Button>
            ),
          })}
        </fieldset>
      ))}
      <div>
        <Button ref={adding} size="sm" onClick={() => onChange([...rules, fresh()])}>
          <Plus aria-hidden />
          Add {kind}
        </Button>
      </div>
    </RuleSection>
  )
}
