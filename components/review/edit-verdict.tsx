'use client'
/** An edit: the field for its words, and what a check of them says. */
import { CircleAlert, ShieldCheck } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { fieldClasses } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import { editCharsMax } from '#lib/shared/review-contract.ts'
import { isFlagged } from './review-words.ts'
import { withoutListMark, withoutMarkers } from './sentence-edit.ts'
import type { Checked } from './use-work.ts'

export type EditState =
  | { state: 'checking' }
  | { state: 'supported' }
  | { state: 'doubtful'; reasons: readonly string[] }
  | { state: 'unknown'; words: string }

const plainText = (text: string): string => withoutMarkers(text).replace(/\s+/g, ' ').trim()

/** What a check of the whole answer says of one of its sentences. */
export const verdictOn = (sentence: string, checked: Checked | null): EditState => {
  if (!checked) return { state: 'checking' }
  if ('error' in checked) return { state: 'unknown', words: checked.error }
  const words = plainText(sentence)
  if (!words) return { state: 'unknown', words: 'The sentence is taken out.' }
  const inside = checked.check.claims.filter(({ text, claims }) => claims && words.includes(plainText(text)))
  const doubtful = inside.filter(isFlagged)
  if (doubtful.length) return { state: 'doubtful', reasons: doubtful.flatMap(({ reasons }) => reasons) }
  return inside.length ? { state: 'supported' } : { state: 'unknown', words: 'It claims nothing to check.' }
}

/** What it says of all of it. */
export const verdictOnWhole = (checked: Checked | null): EditState => {
  if (!checked) return { state: 'checking' }
  if ('error' in checked) return { state: 'unknown', words: checked.error }
  const doubtful = checked.check.claims.filter(isFlagged)
  if (doubtful.length === 0) return { state: 'supported' }
  return {
    state: 'doubtful',
    reasons: doubtful.flatMap(({ text, reasons }) => [`“${plainText(withoutListMark(text))}”`, ...reasons]),
  }
}

/** What the check says of an edit; said out loud when it changes. */
export const EditVerdict = ({ verdict }: { verdict: EditState | null }) => (
  <p role="status" className="min-h-5 text-[12.5px]">
    {verdict?.state === 'checking' && <span className="text-muted-foreground">Checking it against the sources…</span>}
    {verdict?.state === 'supported' && (
      <span className="inline-flex items-center gap-1 font-medium text-seal">
        <ShieldCheck aria-hidden className="size-4" /> supported now
      </span>
    )}
    {verdict?.state === 'doubtful' && (
      <span className="inline-flex items-start gap-1 font-medium text-warning">
        <CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
        {['Not supported as written.', ...verdict.reasons].join(' ')}
      </span>
    )}
    {verdict?.state === 'unknown' && <span className="text-muted-foreground">{verdict.words}</span>}
  </p>
)

/** A field for the words of a sentence or an answer, as high as what stands in it. */
export const EditField = ({
  label,
  value,
  legend,
  onChange,
  onDone,
}: {
  label: string
  value: string
  /** What its markers are called on their chips, where that differs; empty where it does not. */
  legend: string
  onChange: (value: string) => void
  onDone: () => void
}) => {
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    const there = field.current
    if (!there) return
    there.focus()
    there.setSelectionRange(there.value.length, there.value.length)
  }, [])
  return (
    <>
      <textarea
        ref={field}
        dir="auto"
        aria-label={label}
        value={value}
        maxLength={editCharsMax}
        rows={2}
        className={cn(
          fieldClasses,
          'field-sizing-content max-h-[50dvh] py-2 text-[15px] leading-[1.6] touch:text-base',
        )}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          event.stopPropagation()
          onDone()
        }}
      />
      <p className="mt-1 text-[12px] text-muted-foreground">
        Numbers in [^ ] name the sources{legend && `: ${legend}`}. Esc when you are done; Ctrl Enter approves with the
        edit.
      </p>
    </>
  )
}
