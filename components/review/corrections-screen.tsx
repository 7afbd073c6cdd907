'use client'
import { ShieldCheck } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { type ReactNode, useState, useTransition } from 'react'
import { NothingHere, ReportSection } from '#components/admin/figures.tsx'
import { attempt } from '#components/admin/models-form.ts'
import { When } from '#components/admin/when.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { CorrectionRow, Corrections, DocumentNoteRow } from '#lib/shared/review-contract.ts'
import { DocumentNoteItem } from './corrections-note.tsx'
import { ReviewPage } from './review-page.tsx'

export type CorrectionActions = {
  retireCurated: (input: { id: string }) => Promise<ActionResult<null>>
  resolveNote: (input: { noteId: string }) => Promise<ActionResult<null>>
}

/** Sends a change and has the page read again what is there. */
const useChange = () => {
  const router = useRouter()
  const [pending, start] = useTransition()
  const change = (run: () => Promise<ActionResult<null>>) =>
    start(async () => {
      const done = await attempt(run())
      if ('error' in done) toast.error(done.error)
      else router.refresh()
    })
  return { pending, change }
}

const Correction = ({
  row,
  pending,
  onRetire,
}: {
  row: CorrectionRow
  pending: boolean
  onRetire: (() => void) | null
}) => (
  <li className="border-b px-5 py-3 last:border-b-0 max-sm:px-4">
    <div className="flex items-start gap-3">
      <div className="min-w-0 flex-1">
        <p dir="auto" className="break-words font-medium">
          {row.itemId ? (
            <Link href={`/review/${row.itemId}` as Route} prefetch={false} className="hover:underline">
              {row.question}
            </Link>
          ) : (
            row.question
          )}
        </p>
        {row.answer && (
          <p dir="auto" className="mt-1 line-clamp-3 max-w-[72ch] break-words text-[13.5px]">
            {row.answer}
          </p>
        )}
        <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-[12.5px] text-muted-foreground">
          {row.fell ? (
            <Badge variant="warning">No longer {row.kind === 'curated' ? 'given' : 'counted'}</Badge>
          ) : (
            <Badge variant="success">
              <ShieldCheck aria-hidden className="text-seal" />
              {row.kind === 'curated' ? 'Given first' : 'Counted'}
            </Badge>
          )}
          {row.fell && (
            <span className="break-words">
              {row.fell.because} <When iso={row.fell.at} />
            </span>
          )}
          <span>
            {row.by ?? 'Somebody who has left'}, <When iso={row.createdAt} />
          </span>
          {row.documents.length > 0 && <span className="break-words">Rests on {row.documents.join(', ')}</span>}
        </p>
      </div>
      {onRetire && (
        <Button size="sm" aria-disabled={pending} onClick={() => !pending && onRetire()}>
          Take back
          <span className="sr-only"> the answer to “{row.question}”</span>
        </Button>
      )}
    </div>
  </li>
)

const Section = ({
  title,
  note,
  empty,
  actions,
  children,
}: {
  title: string
  note: string
  empty: string
  actions?: ReactNode
  children: ReactNode[]
}) => (
  <ReportSection title={title} note={note} actions={actions}>
    {children.length === 0 ? <NothingHere>{empty}</NothingHere> : <ul aria-label={title}>{children}</ul>}
  </ReportSection>
)

const countOf = (rows: readonly CorrectionRow[]): string => {
  const fallen = rows.filter(({ fell }) => fell).length
  return `${formatCount(rows.length - fallen)} in force${fallen > 0 ? `, ${formatCount(fallen)} no longer` : ''}`
}

/** What came of reviews: answers that are given first, cases that the search is measured by, notes on documents. */
export const CorrectionsScreen = ({
  corrections: { corrections, notes },
  opensRetrieval,
  actions,
}: {
  corrections: Corrections
  /** The golden set can be opened and run by this viewer. */
  opensRetrieval: boolean
  actions: CorrectionActions
}) => {
  const { pending, change } = useChange()
  const [retiring, setRetiring] = useState<string | null>(null)
  const of = (kind: CorrectionRow['kind']) => corrections.filter((row) => row.kind === kind)
  const [curated, golden] = [of('curated'), of('golden')]
  const open = notes.filter(({ resolved }) => !resolved).length
  const retire = (id: string) => {
    setRetiring(id)
    change(() => actions.retireCurated({ id }))
  }
  const noteItem = (note: DocumentNoteRow) => (
    <DocumentNoteItem
      key={note.id}
      note={note}
      shown="with its document"
      onResolve={pending ? null : () => change(() => actions.resolveNote({ noteId: note.id }))}
    />
  )
  return (
    <ReviewPage title="Corrections">
      <Section
        title="Checked answers"
        note={countOf(curated)}
        empty="None yet. Approve an answer under Review and keep it: it is then given first to the same question, as checked by a person."
      >
        {curated.map((row) => (
          <Correction
            key={row.id}
            row={row}
            pending={pending && retiring === row.id}
            onRetire={row.fell ? null : () => retire(row.id)}
          />
        ))}
      </Section>
      <Section
        title="Golden cases"
        note={countOf(golden)}
        actions={
          opensRetrieval &&
          golden.length > 0 && (
            <Link
              href={'/admin/retrieval' as Route}
              className="text-[13px] text-primary underline-offset-2 hover:underline"
            >
              Run them or delete one under Retrieval
            </Link>
          )
        }
        empty="None yet. An approved answer that is kept as a golden case shows whether the search still finds what it rests on."
      >
        {golden.map((row) => (
          <Correction key={row.id} row={row} pending={false} onRetire={null} />
        ))}
      </Section>
      <Section
        title="Notes on documents"
        note={`${formatCount(open)} open, ${formatCount(notes.length - open)} resolved`}
        empty="None yet. A note tells those who keep a document what is wrong with it."
      >
        {notes.map(noteItem)}
      </Section>
    </ReviewPage>
  )
}
