'use client'
import { ArrowUpRight, Upload } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import type { ScopeFacets } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import { type AboutAnswers, FirstUseNotice } from './about-answers.tsx'

export type ChatKnowledge = {
  documents: number
  collections: { id: string; name: string; documents: number }[]
  facets: ScopeFacets
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

/** What an empty chat says. */
export type EmptyChatProps = {
  knowledge: ChatKnowledge
  suggestions: readonly string[]
  canUpload: boolean
  about: AboutAnswers
  /** The viewer has asked nothing in this workspace yet: they are told first who answers. */
  firstUse: boolean
  onAsk: (question: string) => void
}

/** What can be asked about, and four questions that can really be answered; before the first question, who answers it. */
export const EmptyChat = (props: EmptyChatProps) => {
  const { about, firstUse, knowledge } = props
  const [seen, setSeen] = useState(false)
  const link = useRef<HTMLAnchorElement>(null)
  return (
    <div className="m-auto w-full max-w-[720px] px-4 py-8 sm:px-6">
      {firstUse && !seen && (
        <FirstUseNotice
          about={about}
          onDismiss={() => {
            setSeen(true)
            link.current?.focus()
          }}
        />
      )}
      {knowledge.documents === 0 ? <NothingToAsk {...props} /> : <WhatToAsk {...props} />}
      <p className={cn('mt-5 text-[12.5px] text-muted-foreground', knowledge.documents === 0 && 'text-center')}>
        Answers are made by an AI and can be wrong.{' '}
        <Link ref={link} href={'/about' as Route} className="underline underline-offset-4">
          About the answers
        </Link>
      </p>
    </div>
  )
}

const NothingToAsk = ({ canUpload }: Pick<EmptyChatProps, 'canUpload'>) => (
  <div className="mx-auto max-w-md py-2 text-center">
    <h2 className="mb-1.5 font-semibold text-[20px]">There is nothing to ask about yet</h2>
    <p className="text-muted-foreground">
      {canUpload
        ? 'Upload documents: they can be asked about as soon as they are read.'
        : 'An admin uploads documents; they can be asked about as soon as they are read.'}
    </p>
    {canUpload && (
      <Button asChild variant="primary" className="mt-4">
        <Link href={'/admin/documents' as Route}>
          <Upload />
          Upload documents
        </Link>
      </Button>
    )}
  </div>
)

const WhatToAsk = ({ knowledge: { documents, collections }, suggestions, onAsk }: EmptyChatProps) => (
  <>
    <h2 className="mb-1 font-semibold text-[20px] tracking-[-.012em]">Ask your documents</h2>
    <p className="num mb-5 text-muted-foreground">
      Knows {counted(documents, 'document')}
      {collections.length > 1 && ` in ${counted(collections.length, 'collection')}`}
      {collections.length > 0 && collections.length <= 6 && `: ${collections.map(({ name }) => name).join(', ')}`}
    </p>
    <ul className="grid gap-2 sm:grid-cols-2">
      {suggestions.slice(0, 4).map((question) => (
        <li key={question} className="flex">
          <button
            type="button"
            dir="auto"
            onClick={() => onAsk(question)}
            className="group flex min-h-11 w-full items-start justify-between gap-3 rounded-lg border bg-card px-3.5 py-2.5 text-left transition-colors duration-120 hover:border-input hover:bg-muted/60"
          >
            {question}
            <ArrowUpRight
              aria-hidden
              className="mt-0.5 size-4 shrink-0 stroke-[1.75] text-muted-foreground group-hover:text-foreground"
            />
          </button>
        </li>
      ))}
    </ul>
  </>
)
