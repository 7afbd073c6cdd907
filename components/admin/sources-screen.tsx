'use client'
import { Plus } from 'lucide-react'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Sheet, SheetContent } from '#components/ui/sheet.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { SourceData, SourceForm, SourceInput, SourceRow } from '#lib/shared/sources-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { SourceItem } from './source-item.tsx'
import { SourceSheet } from './source-sheet.tsx'
import { documentsWords, isBusy } from './source-words.ts'
import { usePanels } from './use-panels.ts'
import { useSources } from './use-sources.ts'

type One = { id: string }
type SourceActions = {
  saveSource: (input: SourceInput) => Promise<ActionResult<One>>
  runSource: (input: One & { deletionsMax?: number }) => Promise<ActionResult<null>>
  pauseSource: (input: One) => Promise<ActionResult<null>>
  deleteSource: (input: One & { documents: 'keep' | 'delete' }) => Promise<ActionResult<null>>
}

type Question = { of: 'deletion' | 'gone'; source: SourceRow }

/** Where documents come from by themselves: what there is, how it went, and what is to be done. */
export const SourcesScreen = ({
  initial,
  forms,
  actions,
}: {
  initial: SourceData
  forms: readonly SourceForm[]
  actions: SourceActions
}) => {
  const { sources, collections, stale, reload } = useSources(initial)
  const { panel, question, open, ask, close, closeQuestion, saved, act, giveBack } = usePanels<
    { source: SourceRow | null },
    Question
  >(reload)
  const run = ({ id, name }: SourceRow, deletionsMax?: number) =>
    act(
      actions.runSource({ id, ...(deletionsMax === undefined ? {} : { deletionsMax }) }),
      null,
      `${name} was not started`,
    )
  const pause = ({ id, name }: SourceRow) =>
    act(actions.pauseSource({ id }), `${name} is paused: it runs only when asked`, `${name} was not paused`)
  const remove = ({ id, name }: SourceRow, documents: 'keep' | 'delete') =>
    act(
      actions.deleteSource({ id, documents }),
      documents === 'keep' ? `${name} was deleted, its documents stay` : null,
      `${name} was not deleted`,
    )

  const running = sources.filter(isBusy).length
  const failed = sources.filter(({ state }) => state === 'failed').length
  const add = (
    <Button variant="primary" onClick={() => open({ source: null })}>
      <Plus aria-hidden />
      Add source
    </Button>
  )
  return (
    <>
      <AdminHeader actions={sources.length > 0 && add}>
        <AdminTitle>Sources</AdminTitle>
        <p role="status" className="flex flex-wrap gap-1.5">
          {running > 0 && <Badge variant="accent">{formatCount(running)} running</Badge>}
          {failed > 0 && <Badge variant="destructive">{formatCount(failed)} failed</Badge>}
        </p>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {stale && (
          <p role="alert" className="mx-5 my-3 rounded-md border border-warning px-3 py-2 text-[13px] text-warning">
            {stale}
          </p>
        )}
        {sources.length === 0 ? (
          <EmptyState title="Documents that keep themselves up to date" action={add}>
            Name a website, a Git repository or a folder of the server. Footnote reads what is there and looks again as
            often as you say: what is new is added, what changed becomes a new version, and what is gone there is
            deleted here. Answers cite it like any other document.
          </EmptyState>
        ) : (
          <ul aria-label="Sources" className="py-1.5">
            {sources.map((source) => (
              <SourceItem
                key={source.id}
                source={source}
                form={forms.find(({ kind }) => kind === source.kind)}
                acts={{
                  run: (one) => void run(one),
                  pause: (one) => void pause(one),
                  change: (source) => open({ source }),
                  remove: (one) => ask({ of: 'deletion', source: one }),
                  confirm: (one) => ask({ of: 'gone', source: one }),
                }}
              />
            ))}
          </ul>
        )}
      </div>
      <Sheet open={panel !== null} onOpenChange={(isOpen) => !isOpen && close()}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={giveBack}>
          {panel && (
            <SourceSheet
              source={panel.source}
              forms={forms}
              collections={collections}
              save={actions.saveSource}
              onClose={close}
              onSaved={(name) => saved(`${name} was saved and runs`)}
            />
          )}
        </SheetContent>
      </Sheet>
      <AlertDialog open={question !== null} onOpenChange={(isOpen) => !isOpen && closeQuestion()}>
        {question && (
          <AlertDialogContent onCloseAutoFocus={giveBack}>
            {question.of === 'deletion' ? (
              <DeletionQuestion source={question.source} remove={remove} />
            ) : (
              <GoneQuestion source={question.source} run={run} />
            )}
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}

const DeletionQuestion = ({
  source,
  remove,
}: {
  source: SourceRow
  remove: (source: SourceRow, documents: 'keep' | 'delete') => Promise<void>
}) => (
  <>
    <AlertDialogTitle>Delete “{source.name}”?</AlertDialogTitle>
    <AlertDialogDescription>
      {source.documents === 0
        ? 'It has brought no documents. It is no longer looked at.'
        : `It is no longer looked at. It has brought ${documentsWords(source.documents)}: they can stay as if they had been uploaded, or be deleted with it, which cannot be undone.`}
    </AlertDialogDescription>
    <AlertDialogFooter>
      <AlertDialogCancel />
      {source.documents > 0 && (
        <AlertDialogAction variant="outline" onClick={() => void remove(source, 'keep')}>
          Delete, keep documents
        </AlertDialogAction>
      )}
      <AlertDialogAction onClick={() => void remove(source, source.documents > 0 ? 'delete' : 'keep')}>
        {source.documents > 0 ? `Delete with ${documentsWords(source.documents)}` : 'Delete source'}
      </AlertDialogAction>
    </AlertDialogFooter>
  </>
)

const GoneQuestion = ({
  source,
  run,
}: {
  source: SourceRow
  run: (source: SourceRow, deletionsMax: number) => Promise<void>
}) => {
  const gone = source.tally?.gone ?? 0
  return (
    <>
      <AlertDialogTitle>Delete {documentsWords(gone)}?</AlertDialogTitle>
      <AlertDialogDescription>
        “{source.name}” no longer has them. It runs once more, and deletes what is still gone, if it is no more than
        that. This cannot be undone.
      </AlertDialogDescription>
      <AlertDialogFooter>
        <AlertDialogCancel />
        <AlertDialogAction onClick={() => void run(source, gone)}>Delete {documentsWords(gone)}</AlertDialogAction>
      </AlertDialogFooter>
    </>
  )
}
