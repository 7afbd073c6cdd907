'use client'
import { Plus } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Sheet, SheetContent } from '#components/ui/sheet.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import type {
  ErasureRow,
  HoldInput,
  HoldRow,
  RetentionPart,
  RetentionReport,
  RetentionRun,
} from '#lib/shared/keeping-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { attempt } from './models-form.ts'
import { LinkSwitch } from './report-filters.tsx'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { ErasePanel, type ErasureActions } from './retention-erase.tsx'
import { HoldList, HoldSheet } from './retention-holds.tsx'
import { daysWords, kindWords, runWords } from './retention-words.ts'
import { useOpener } from './use-opener.ts'
import { When } from './when.tsx'

export type RetentionActions = ErasureActions & {
  runRetention: (input: Record<string, never>) => Promise<ActionResult<null>>
  placeHold: (input: HoldInput) => Promise<ActionResult<{ id: string }>>
  releaseHold: (input: { id: string }) => Promise<ActionResult<null>>
}

export type RetentionShown =
  | { tab: 'days'; report: RetentionReport; runs: readonly RetentionRun[] }
  | { tab: 'holds'; holds: readonly HoldRow[] }
  | { tab: 'erase'; erasures: readonly ErasureRow[] }

const tabs = [
  { value: 'days', label: 'Days' },
  { value: 'holds', label: 'Legal holds' },
  { value: 'erase', label: 'Erase' },
]

/** How long what is kept is kept, what must be kept, and how somebody or something is forgotten for good. */
export const RetentionScreen = ({ shown, actions }: { shown: RetentionShown; actions: RetentionActions }) => {
  const router = useRouter()
  const [placing, setPlacing] = useState(false)
  const [question, setQuestion] = useState<{ of: 'run'; due: number } | { of: 'release'; hold: HoldRow } | null>(null)
  const opener = useOpener()
  const act = async (run: Promise<ActionResult<null>>, done: string, undone: string) => {
    const result = await attempt(run)
    if ('error' in result) toast.error(undone, { description: result.error })
    else toast(done)
    router.refresh()
  }
  const ask = (next: NonNullable<typeof question>) => {
    opener.remember()
    setQuestion(next)
  }
  const place = (
    <Button
      variant="primary"
      onClick={() => {
        opener.remember()
        setPlacing(true)
      }}
    >
      <Plus aria-hidden />
      Place hold
    </Button>
  )
  const due = shown.tab === 'days' ? shown.report.parts.reduce((sum, part) => sum + part.due - part.held, 0) : 0
  return (
    <>
      <AdminHeader
        actions={
          shown.tab === 'holds' && shown.holds.length > 0
            ? place
            : shown.tab === 'days' &&
              due > 0 && <Button onClick={() => ask({ of: 'run', due })}>Delete what is due now</Button>
        }
      >
        <AdminTitle>Retention</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="px-5 py-3 max-sm:px-4">
          <LinkSwitch label="What to show" name="tab" value={shown.tab} options={tabs} />
        </div>
        {shown.tab === 'days' && <Days report={shown.report} runs={shown.runs} />}
        {shown.tab === 'holds' && (
          <HoldList holds={shown.holds} place={place} onRelease={(hold) => ask({ of: 'release', hold })} />
        )}
        {shown.tab === 'erase' && <ErasePanel erasures={shown.erasures} actions={actions} />}
      </div>
      <Sheet open={placing} onOpenChange={setPlacing}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={opener.giveBack}>
          {placing && (
            <HoldSheet
              find={actions.findTargets}
              save={actions.placeHold}
              onClose={() => setPlacing(false)}
              onSaved={(label) => {
                setPlacing(false)
                toast(`${label} is on hold`)
                router.refresh()
              }}
            />
          )}
        </SheetContent>
      </Sheet>
      <AlertDialog open={question !== null} onOpenChange={(isOpen) => !isOpen && setQuestion(null)}>
        {question && (
          <AlertDialogContent onCloseAutoFocus={opener.giveBack}>
            <AlertDialogTitle>
              {question.of === 'run' ? 'Delete what is due now?' : `Release the hold on “${question.hold.label}”?`}
            </AlertDialogTitle>
            <AlertDialogDescription>
              {question.of === 'run'
                ? `${formatCount(question.due)} ${question.due === 1 ? 'record is' : 'records are'} older than the policy keeps them. The next daily run would delete them too. This cannot be undone.`
                : 'From then on it is deleted like everything else: by the policy’s days, by whoever may delete it, or by an erasure.'}
            </AlertDialogDescription>
            <AlertDialogFooter>
              <AlertDialogCancel />
              <AlertDialogAction
                onClick={() =>
                  void (question.of === 'run'
                    ? act(actions.runRetention({}), 'It is being deleted', 'Nothing was deleted')
                    : act(
                        actions.releaseHold({ id: question.hold.id }),
                        'The hold was released',
                        'The hold was not released',
                      ))
                }
              >
                {question.of === 'run' ? 'Delete' : 'Release hold'}
              </AlertDialogAction>
            </AlertDialogFooter>
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}

const partColumns: ReportColumn<RetentionPart>[] = [
  {
    id: 'kind',
    title: 'What',
    cell: ({ kind }) => (
      <>
        <span className="block font-medium">{kindWords[kind].name}</span>
        <span className="block text-[12.5px] text-muted-foreground">{kindWords[kind].note}</span>
      </>
    ),
  },
  { id: 'days', title: 'Kept', cell: ({ days }) => daysWords(days) },
  { id: 'due', title: 'Due now', numeric: true, cell: ({ due }) => formatCount(due) },
  { id: 'held', title: 'Of these held', numeric: true, cell: ({ held }) => formatCount(held) },
  {
    id: 'oldest',
    title: 'Oldest that is due',
    cell: ({ oldestDue }) => (oldestDue ? <When iso={oldestDue} /> : <span className="text-muted-foreground">—</span>),
  },
]

const Days = ({ report, runs }: { report: RetentionReport; runs: readonly RetentionRun[] }) => (
  <>
    <p className="px-5 pb-2 text-[13px] text-muted-foreground max-sm:px-4">
      What is older than these days is deleted once a day, but for what is on legal hold. The days are set{' '}
      <Link href={'/admin/policy' as Route} className="text-primary underline underline-offset-2">
        in the policy
      </Link>
      .
    </p>
    <ReportTable
      caption="What is kept, and for how long"
      columns={partColumns}
      rows={report.parts}
      rowId={({ kind }) => kind}
    />
    <h2 className="px-5 pt-6 pb-1 font-semibold text-[13.5px] max-sm:px-4">Last runs</h2>
    {runs.length === 0 ? (
      <EmptyState title="It has not run yet" className="py-8">
        The first run comes within a minute of the start of a worker, the next ones a day apart.
      </EmptyState>
    ) : (
      <ul className="pb-5">
        {runs.map((run) => (
          <li key={run.at} className="flex gap-4 border-b px-5 py-2 text-[13px] last:border-b-0 max-sm:px-4">
            <When iso={run.at} className="w-24 shrink-0 text-muted-foreground" />
            <span>{runWords(run.deleted)}</span>
          </li>
        ))}
      </ul>
    )}
  </>
)
