'use client'
import { useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'

/** From here on a question is a text and no longer a heading to read at a glance. */
const longChars = 240
const foldChars = 900

/** A question as the heading of its answer. */
export const Question = ({ text, asker }: { text: string; asker: string }) => {
  const [open, setOpen] = useState(false)
  const folds = text.length > foldChars || text.split('\n').length > 12
  return (
    <div className="mb-3">
      <h2
        className={cn(
          'whitespace-pre-wrap [overflow-wrap:anywhere]',
          text.length > longChars
            ? 'font-medium text-[15.5px] leading-[1.55]'
            : 'text-balance font-semibold text-[18px] leading-[1.35] sm:text-[20px]',
          folds && !open && 'line-clamp-6',
        )}
      >
        <span className="sr-only">{asker} asked: </span>
        <span dir="auto" className="block">
          {text}
        </span>
      </h2>
      {folds && (
        <Button variant="quiet" size="sm" className="-ml-2 mt-1" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Show less of the question' : 'Show the whole question'}
        </Button>
      )}
    </div>
  )
}
