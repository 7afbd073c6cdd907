'use client'
import { CircleAlert } from 'lucide-react'
import { ShownName } from '#components/shell/shown-name.tsx'
import type { ShownContradiction } from '#lib/shared/review-contract.ts'

const kindWords: Record<ShownContradiction['kind'], string> = {
  number: 'On a number',
  date: 'On a date',
  negation: 'One says that it is not so',
  opposite: 'One says the opposite',
}

/** Where the sources say different things of one matter: both, word for word, so that a person can judge between them. */
export const DeskContradictions = ({ contradictions }: { contradictions: readonly ShownContradiction[] }) =>
  contradictions.length > 0 && (
    <section aria-label="The sources disagree" className="border-b px-5 py-3.5 max-sm:px-4">
      <h3 className="flex items-center gap-1.5 font-medium text-[13px] text-warning">
        <CircleAlert aria-hidden className="size-4 shrink-0" /> The sources disagree
      </h3>
      <ul className="mt-2 flex flex-col gap-3">
        {contradictions.map(({ kind, words, sides }) => (
          <li key={words}>
            <p className="mb-1 text-[12.5px] text-muted-foreground">{kindWords[kind]}</p>
            <div className="grid gap-px overflow-hidden rounded-lg border bg-border @3xl:grid-cols-2">
              {sides.map(({ title, quote }) => (
                <figure key={`${title} ${quote}`} className="min-w-0 bg-source px-4 py-2.5">
                  <blockquote dir="auto" className="font-serif text-[15px] leading-[1.6] [overflow-wrap:anywhere]">
                    {quote}
                  </blockquote>
                  <figcaption className="mt-1 text-[12.5px] text-muted-foreground">
                    <ShownName name={title} />
                  </figcaption>
                </figure>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
