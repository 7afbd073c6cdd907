'use client'
import { ArrowUp, Square } from 'lucide-react'
import { type KeyboardEvent, type RefObject, useEffect, useId, useLayoutEffect } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Tooltip } from '#components/ui/tooltip.tsx'
import { questionCharsMax, type ScopeFacets } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { formatCount } from '#lib/shared/format.ts'
import { hasChoices, ScopePicker } from './scope-picker.tsx'
import type { Scope, ScopeCollection } from './scope-words.ts'

/** From here on the count is shown. */
const countFrom = questionCharsMax * 0.85
const heightMaxPx = 240

export type ComposerProps = {
  field: RefObject<HTMLTextAreaElement | null>
  text: string
  onText: (text: string) => void
  placeholder: string
  busy: boolean
  /** Why the last question was not taken, with what to do. */
  problem: { message: string; action?: { label: string; href?: string; act?: () => void } } | null
  collections: readonly ScopeCollection[]
  facets: ScopeFacets
  scope: Scope
  onScope: (change: Partial<Scope>) => void
  onSend: () => void
  onStop: () => void
  disabled?: boolean
}

const useGrow = (field: RefObject<HTMLTextAreaElement | null>, text: string): void => {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    if (!field.current) return
    field.current.style.height = 'auto'
    field.current.style.height = `${Math.min(heightMaxPx, field.current.scrollHeight)}px`
  }, [field, text])
}

/** Where questions are written. Enter sends, Shift+Enter breaks, Escape stops; nothing typed is ever lost. */
export const Composer = ({
  field,
  text,
  onText,
  placeholder,
  busy,
  problem,
  collections,
  facets,
  scope,
  onScope,
  onSend,
  onStop,
  disabled = false,
}: ComposerProps) => {
  const noteId = useId()
  useGrow(field, text)
  const length = text.trim().length
  const tooLong = length > questionCharsMax

  useEffect(() => {
    // On a phone the keyboard would cover what there is to read.
    if (window.matchMedia('(pointer: fine)').matches) field.current?.focus({ preventScroll: true })
  }, [field])

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    onSend()
  }

  const note = tooLong
    ? `${formatCount(length)} of ${formatCount(questionCharsMax)} characters. Shorten the question by ${formatCount(length - questionCharsMax)}, or upload the text as a document.`
    : null

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSend()
      }}
      className="mx-auto w-full max-w-[720px] px-4 pb-[max(10px,env(safe-area-inset-bottom))] sm:px-6 sm:pb-[18px]"
    >
      {(problem || note) && (
        <div
          id={noteId}
          role="alert"
          className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-warning/50 bg-card px-3.5 py-2 text-[13.5px]"
        >
          <span className="min-w-0 flex-1 basis-56 [overflow-wrap:anywhere]">{note ?? problem?.message}</span>
          {!note &&
            problem?.action &&
            (problem.action.href ? (
              <Button asChild size="sm">
                <a href={problem.action.href}>{problem.action.label}</a>
              </Button>
            ) : (
              <Button size="sm" onClick={problem.action.act}>
                {problem.action.label}
              </Button>
            ))}
        </div>
      )}
      <div className="rounded-xl border border-input bg-card px-3 pt-3 pb-2.5 pl-4 shadow-float transition-colors duration-120 focus-within:border-ring">
        <textarea
          ref={field}
          value={text}
          dir="auto"
          rows={1}
          disabled={disabled}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder={placeholder}
          aria-label="Your question"
          aria-invalid={tooLong}
          aria-describedby={note || problem ? noteId : undefined}
          enterKeyHint="send"
          className="block max-h-60 min-h-6 w-full resize-none bg-transparent text-[15px] leading-6 outline-none placeholder:text-muted-foreground touch:text-base"
        />
        <div className="mt-2 flex items-center gap-2">
          {hasChoices(collections, facets) && (
            <ScopePicker
              collections={collections}
              chosen={scope.collectionIds}
              onChange={(collectionIds) => onScope({ collectionIds })}
              facets={facets}
              filter={scope.filter}
              onFilter={(filter) => onScope({ filter })}
            />
          )}
          <span className="flex-1" />
          {length > countFrom && (
            <span className={cn('num text-xs', tooLong ? 'text-warning' : 'text-muted-foreground')}>
              {formatCount(length)} / {formatCount(questionCharsMax)}
            </span>
          )}
          {busy && <span className="text-[12.5px] text-muted-foreground touch:hidden">Esc stops</span>}
          {busy ? (
            <Tooltip content="Stop the answer">
              <Button variant="primary" size="icon" aria-label="Stop the answer" onClick={onStop}>
                <Square className="size-3 fill-current" />
              </Button>
            </Tooltip>
          ) : (
            <Tooltip content="Send the question">
              <Button
                type="submit"
                variant="primary"
                size="icon"
                aria-label="Send the question"
                disabled={disabled || length === 0 || tooLong}
              >
                <ArrowUp />
              </Button>
            </Tooltip>
          )}
        </div>
      </div>
    </form>
  )
}
