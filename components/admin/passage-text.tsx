'use client'
import { Fragment } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { ShownPassage } from '#lib/shared/knowledge-contract.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import type { ShownTrial } from './cutting-diff.ts'
import { markWords } from './marked-words.ts'

const flagWords: Record<string, string> = {
  hidden: 'Hidden in the original',
  recognised: 'Read from a picture',
}

/** What is shown of a passage that reads like an order, below the threshold too. */
const scoreWords = (score: number): string => `reads like an order: ${score.toFixed(2)}`

const Words = ({ text, words }: { text: string; words: string }) =>
  markWords(text, words).map(({ start, text: piece, marked }) =>
    marked ? <mark key={start}>{piece}</mark> : <Fragment key={start}>{piece}</Fragment>,
  )

/** What the passage is found by beside its own words. */
const Above = ({ headingPath, context }: { headingPath: readonly string[]; context: string }) => (
  <>
    {headingPath.length > 0 && (
      <p dir="auto" className="break-words text-[12.5px] text-muted-foreground">
        {headingPath.join(' › ')}
      </p>
    )}
    {context && (
      <p dir="auto" className="whitespace-pre-wrap break-words text-[12.5px] text-muted-foreground">
        <span className="font-medium">Goes with it: </span>
        {context}
      </p>
    )}
  </>
)

const bodyClasses =
  'mt-1.5 whitespace-pre-wrap break-words font-serif text-[15px] leading-[1.62] [overflow-wrap:anywhere]'

type PassageProps = {
  passage: ShownPassage
  /** Of its document. */
  mediaType: string
  /** Marked in its text. */
  words: string
  current: boolean
  /** Absent in the cutting that is tried out beside it. */
  lost?: boolean
  onRelease: (passage: ShownPassage) => void
}

/** A passage with its borders, on one of two bands, so that each is told from the next. */
export const PassageText = ({ passage, mediaType, words, current, lost = false, onRelease }: PassageProps) => {
  const { ordinal, tokens, language, flags, injectionScore, held } = passage
  const number = ordinal + 1
  const hidden = flags.includes('hidden')
  const facts = [
    pageInWords({ ...passage, mediaType }),
    `${formatCount(tokens)} tokens`,
    language === 'und' ? null : language,
    injectionScore > 0 ? scoreWords(injectionScore) : null,
  ]
  return (
    <article
      id={String(number)}
      aria-label={`Passage ${number}`}
      aria-current={current ? 'true' : undefined}
      className={cn(
        'scroll-mt-4 border-t border-l-[3px] border-l-transparent px-5 py-3 max-sm:px-4',
        ordinal % 2 === 0 ? 'bg-source' : 'bg-background',
        held && 'border-l-warning',
        current && 'border-l-primary',
      )}
    >
      <header className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <a
          href={`#${number}`}
          className="num inline-flex min-h-6 min-w-6 items-center font-semibold text-[13px] hover:underline"
          aria-label={`Link to passage ${number}`}
        >
          {number}
        </a>
        <span className="num text-[12.5px] text-muted-foreground">{facts.filter(Boolean).join(' · ')}</span>
        {flags.map((flag) => (
          <Badge key={flag} variant={flag === 'hidden' ? 'warning' : 'default'}>
            {flagWords[flag] ?? flag}
          </Badge>
        ))}
        {lost && <Badge variant="outline">no border here in the other</Badge>}
        {held && (
          <>
            <Badge variant="warning">Held: no model gets it</Badge>
            <Button size="sm" className="ml-auto" onClick={() => onRelease(passage)}>
              Release
            </Button>
          </>
        )}
      </header>
      <Above {...passage} />
      <p dir="auto" className={cn(bodyClasses, hidden && 'border border-warning/60 border-dashed p-2')}>
        <Words text={passage.text} words={words} />
      </p>
    </article>
  )
}

/** A passage of a cutting that is only tried out. */
export const TriedPassageText = ({ passage, fresh }: { passage: ShownTrial; fresh: boolean }) => (
  <div className={cn('border-t px-5 py-3 max-sm:px-4', passage.number % 2 === 1 ? 'bg-source' : 'bg-background')}>
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-[12.5px] text-muted-foreground">
      <span className="num font-semibold text-[13px]">Tried {passage.number}</span>
      <span className="num">{formatCount(passage.tokens)} tokens</span>
      {fresh && <Badge variant="accent">new border</Badge>}
    </p>
    <Above {...passage} />
    <p dir="auto" className={bodyClasses}>
      {passage.text}
    </p>
  </div>
)
