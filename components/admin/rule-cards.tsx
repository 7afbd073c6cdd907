'use client'
import { Plus } from 'lucide-react'
import { type ReactNode, useRef } from 'react'
import { Button } from '#components/ui/button.tsx'
import { RuleSection } from './rule-section.tsx'

type Named = { id: string; name: string }
type Edited<Rule> = { rule: Rule; onChange: (rule: Rule) => void }

/** The element of a rule's card: a form whose rule is not whole puts the focus there. */
export const cardIdOf = ({ id }: Pick<Named, 'id'>): string => `rule-${id}`

/**
 * Rules of one kind, a card each, with a way to add one and to delete one. `kind` is what one is called in a sentence (`review rule`).
 * Under each card stands what is missing in it, or what it says.
 */
export const RuleCards = <Rule extends Named>({
  title,
  note,
  kind,
  rules,
  card,
  missing,
  words,
  fresh,
  onChange,
}: {
  title: string
  note: ReactNode
  kind: string
  rules: readonly Rule[]
  card: (edited: Edited<Rule>) => ReactNode
  /** What a rule needs before it can be kept; null: nothing. */
  missing: (rule: Rule) => string | null
  /** What a rule that is whole says, in a sentence. */
  words?: (rule: Rule) => string
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
      {rules.map((rule) => {
        const cardId = cardIdOf(rule)
        return (
          <fieldset
            key={rule.id}
            id={cardId}
            tabIndex={-1}
            aria-describedby={`${cardId}-words`}
            className="min-w-0 rounded-md border p-3"
          >
            <legend className="sr-only">{rule.name || `A new ${kind}`}</legend>
            {card({ rule, onChange: (next) => onChange(rules.map((one) => (one.id === rule.id ? next : one))) })}
            <div className="mt-3 flex flex-wrap items-end justify-between gap-2">
              <p
                id={`${cardId}-words`}
                className="min-w-0 flex-1 basis-60 break-words text-[12.5px] text-muted-foreground"
              >
                {missing(rule) ?? words?.(rule)}
              </p>
              <Button
                variant="quiet"
                size="sm"
                aria-label={`Delete ${kind} ${rule.name}`.trim()}
                onClick={() => remove(rule.id)}
              >
                Delete
              </Button>
            </div>
          </fieldset>
        )
      })}
      <div>
        <Button ref={adding} size="sm" onClick={() => onChange([...rules, fresh()])}>
          <Plus aria-hidden />
          Add {kind}
        </Button>
      </div>
    </RuleSection>
  )
}
