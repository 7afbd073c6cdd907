'use client'
import { useEffect, useId, useState } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Input } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { KeepingTarget } from '#lib/shared/keeping-contract.ts'
import type { HoldKind, SwitchKind } from '#lib/shared/records-contract.ts'
import { attempt } from './models-form.ts'

const typingMs = 250

export type FindTargets<Kind extends SwitchKind = HoldKind> = (input: {
  kind: Kind
  q: string
}) => Promise<ActionResult<KeepingTarget[]>>

/** Finds one person, document, collection or the like by its name: a search, and its matches to choose from. */
export const TargetFinder = <Kind extends SwitchKind = HoldKind>({
  kind,
  label,
  find,
  chosen,
  onChoose,
}: {
  kind: Kind
  label: string
  find: FindTargets<Kind>
  chosen: KeepingTarget | null
  onChoose: (target: KeepingTarget | null) => void
}) => {
  const id = useId()
  const [q, setQ] = useState('')
  const [found, setFound] = useState<{ targets: KeepingTarget[]; fault: string | null } | null>(null)

  useEffect(() => {
    let current = true
    const timer = setTimeout(async () => {
      const result = await attempt(find({ kind, q }))
      if (!current) return
      setFound('value' in result ? { targets: result.value, fault: null } : { targets: [], fault: result.error })
    }, typingMs)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [kind, q, find])

  return (
    <div className="flex min-w-0 flex-col gap-2">
      <label htmlFor={id} className="font-medium text-[13px]">
        {label}
      </label>
      <Input
        id={id}
        type="search"
        autoComplete="off"
        spellCheck={false}
        className="max-w-96"
        value={q}
        onChange={(event) => {
          setQ(event.target.value)
          onChoose(null)
        }}
      />
      <p role="status" className="text-[12.5px] text-muted-foreground empty:hidden">
        {found?.fault ?? (found && found.targets.length === 0 ? 'Nothing is called like that.' : '')}
      </p>
      {found && found.targets.length > 0 && (
        <fieldset className="max-h-64 max-w-xl overflow-y-auto rounded-md border">
          <legend className="sr-only">Matches</legend>
          {found.targets.map((target) => (
            <label
              key={target.id}
              className={cn(
                'flex cursor-pointer items-baseline gap-2.5 border-b px-3 py-2 last:border-b-0 hover:bg-muted/50 touch:min-h-11',
                chosen?.id === target.id && 'bg-accent',
              )}
            >
              <input
                type="radio"
                name={id}
                className="accent-primary"
                checked={chosen?.id === target.id}
                onChange={() => onChoose(target)}
              />
              <span className="min-w-0">
                <ShownName name={target.label} className="block" />
                {target.note && (
                  <bdi className="block break-all text-[12.5px] text-muted-foreground">{target.note}</bdi>
                )}
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </div>
  )
}
