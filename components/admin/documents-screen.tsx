'use client'
import { Library } from 'lucide-react'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
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
import { Input } from '#components/ui/input.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { type DeletionActions, DeletionQuestion } from './access-deletion.tsx'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { DocumentDetail, type HeldActions } from './document-detail.tsx'
import { ChosenFacets, DocumentFacets } from './document-facets.tsx'
import {
  countFacets,
  deletionWords,
  type FacetChoice,
  type FacetName,
  facetNames,
  formatList,
  formatSort,
  isInWork,
  parseList,
  parseSort,
  selectDocuments,
  tagsInUse,
} from './document-list.ts'
import { DocumentTable } from './document-table.tsx'
import { CollectionsSheet } from './documents-collections.tsx'
import { DropZone } from './drop-zone.tsx'
import { Select } from './select.tsx'
import { sendFile } from './send-file.ts'
import { createUploadQueue, type Upload, type UploadTarget } from './upload-queue.ts'
import { useAddress } from './use-address.ts'
import { type Collection, type DocumentData, useDocuments } from './use-documents.ts'
import { usePanels } from './use-panels.ts'
import { useWide } from './use-wide.ts'

/** From here on there is room for the detail beside the table. */
const detailBesidePx = 1_180

/** One for the tab: an upload goes on while another page is looked at. */
const queue = createUploadQueue(sendFile)
const noUploads: readonly Upload[] = []

const unreachable = 'Footnote could not be reached. Check the connection and try again.'
const defaultCollection = 'General'
const newCollection = 'new'

/** For where the table is a list of cards and has no headings to sort by. */
const sortChoices = [
  ['-changedAt', 'Last changed first'],
  ['name', 'By name'],
  ['state', 'By state'],
  ['collection', 'By collection'],
  ['-citedBy', 'Most cited first'],
] as const

export type DocumentActions = DeletionActions & {
  retryDocument: (input: { documentId: string }) => Promise<ActionResult<null>>
  deleteDocument: (input: { documentId: string }) => Promise<ActionResult<null>>
  describeDocument: (input: { documentId: string }) => Promise<ActionResult<null>>
  tagDocument: (input: { documentId: string; tags: string[] }) => Promise<ActionResult<string[]>>
  listHeldPassages: HeldActions['list']
  releasePassage: HeldActions['release']
}

type CollectionChoice = { chosen: string; name: string }

/** What is there to begin with: the default collection, else the first. */
const firstChoice = (collections: readonly Collection[]): CollectionChoice => ({
  chosen: (collections.find(({ name }) => name === defaultCollection) ?? collections[0])?.id ?? newCollection,
  name: '',
})

/** What was chosen, as far as it is still there. */
const standingChoice = (choice: CollectionChoice, collections: readonly Collection[]): CollectionChoice =>
  choice.chosen === newCollection || collections.some(({ id }) => id === choice.chosen)
    ? choice
    : { ...choice, chosen: collections[0]?.id ?? newCollection }

const targetOf = ({ chosen, name }: CollectionChoice, collections: readonly Collection[]) => {
  const known = collections.find(({ id }) => id === chosen)
  const called = known?.name ?? (name.trim() || defaultCollection)
  const target: UploadTarget = known ? { collectionId: known.id } : { collection: called }
  return { target, called }
}

type CollectionPickerProps = {
  collections: readonly Collection[]
  choice: CollectionChoice
  onChoice: (choice: CollectionChoice) => void
  mayMake: boolean
}

/** Where uploads go: a collection that is there, or for who may make one a new one by its name. */
const CollectionPicker = ({ collections, choice, onChoice, mayMake }: CollectionPickerProps) => (
  <div className="flex flex-wrap items-center gap-2 text-[13px]">
    <label htmlFor="upload-collection" className="text-muted-foreground">
      Into
    </label>
    <Select
      id="upload-collection"
      value={choice.chosen}
      onChange={(event) => onChoice({ ...choice, chosen: event.target.value })}
    >
      {collections.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
      {mayMake && <option value={newCollection}>New collection…</option>}
    </Select>
    {choice.chosen === newCollection && (
      <Input
        className="w-44"
        aria-label="Name of the new collection"
        placeholder={defaultCollection}
        maxLength={80}
        value={choice.name}
        onChange={(event) => onChoice({ ...choice, name: event.target.value })}
      />
    )}
  </div>
)

type DocumentsScreenProps = {
  initial: DocumentData
  /** The viewer administers the workspace: also makes collections, reads passages, releases held ones, has summaries made. */
  administers: boolean
  actions: DocumentActions
}

/**
 * Everything about documents on one screen: what is there, how far it is, what failed and why, and the way in. Whoever was given some
 * collections to look after finds these here, and what they may do with each.
 */
export const DocumentsScreen = ({ initial, administers, actions }: DocumentsScreenProps) => {
  const { documents, collections, stale, change, reload } = useDocuments(initial)
  const uploads = useSyncExternalStore(queue.subscribe, queue.getUploads, () => noUploads)
  const address = useAddress()
  const wide = useWide(detailBesidePx)
  const [alreadyThere, setAlreadyThere] = useState<ReadonlySet<string>>(new Set())
  const [deletingId, setDeletingId] = useState<string | null>(null)
  const [chosen, setChoice] = useState(() => firstChoice(initial.collections))
  const { panel, question, ...over } = usePanels<'collections', Collection>(async () => reload())

  const choice = standingChoice(chosen, collections)

  useEffect(
    () =>
      queue.onArrival(({ outcome, document }) => {
        change((rows) => [document, ...rows.filter(({ id }) => id !== document.id)])
        reload()
        if (outcome !== 'already-there') return
        setAlreadyThere((now) => new Set(now).add(document.id))
        toast(`“${document.name}” is already there`, {
          id: 'already-there',
          description: 'The file is the same as the one stored, so nothing was added.',
        })
      }),
    [change, reload],
  )

  const sending = uploads.some(({ state }) => state !== 'failed')
  useEffect(() => {
    if (!sending) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [sending])

  const text = address.get('q') ?? ''
  const sortParam = address.get('sort')
  const sort = parseSort(sortParam)
  // One text for all facets, so that what is worked out of them stays while the address says the same.
  const facetParams = JSON.stringify(facetNames.map((facet) => address.get(facet)))
  const chosenFacets = useMemo(() => {
    const params = JSON.parse(facetParams) as (string | null)[]
    return Object.fromEntries(facetNames.map((facet, at) => [facet, parseList(params[at] ?? null)])) as FacetChoice
  }, [facetParams])
  const rows = useMemo(
    () => selectDocuments(documents, { text, chosen: chosenFacets, sort: parseSort(sortParam) }),
    [documents, text, chosenFacets, sortParam],
  )
  const facets = useMemo(() => countFacets(documents, text, chosenFacets), [documents, text, chosenFacets])
  const knownTags = useMemo(() => tagsInUse(documents), [documents])
  const filtered = Boolean(text) || facetNames.some((facet) => chosenFacets[facet].length > 0)
  const selected = documents.find(({ id }) => id === address.get('document')) ?? null
  const deleting = documents.find(({ id }) => id === deletingId) ?? null
  const deletable = useMemo(
    () => new Set(collections.filter(({ mayDelete }) => mayDelete).map(({ id }) => id)),
    [collections],
  )
  const mayAdd = administers || collections.length > 0

  const { set } = address
  const chooseFacet = (facet: FacetName, values: string[]) => set({ [facet]: formatList(values) })
  const clearFilters = () => set({ q: null, ...Object.fromEntries(facetNames.map((facet) => [facet, null])) })
  // biome-ignore lint/correctness/useExhaustiveDependencies: `set` reads the address when it is called
  const open = useCallback((id: string) => set({ document: id }, 'push'), [])
  const close = () => set({ document: null })

  const retry = useCallback(
    async (id: string) => {
      change((all) =>
        all.map((row) => (row.id === id ? { ...row, stage: 'queued', failure: null, progress: null } : row)),
      )
      const result = await actions.retryDocument({ documentId: id }).catch(() => null)
      if (!result?.ok)
        toast.error('The document was not tried again', { description: result?.error.message ?? unreachable })
      reload()
    },
    [actions, change, reload],
  )

  const summarise = async (id: string) => {
    change((all) => all.map((row) => (row.id === id ? { ...row, describing: { done: 0, total: 1 } } : row)))
    const result = await actions.describeDocument({ documentId: id }).catch(() => null)
    if (!result?.ok)
      toast.error('The document was not summarised', { description: result?.error.message ?? unreachable })
    reload()
  }

  const tag = async (id: string, tags: string[]) => {
    change((all) => all.map((row) => (row.id === id ? { ...row, tags } : row)))
    const result = await actions.tagDocument({ documentId: id, tags }).catch(() => null)
    if (!result?.ok) toast.error('The tags were not changed', { description: result?.error.message ?? unreachable })
    reload()
  }

  const remove = async (id: string) => {
    if (selected?.id === id) close()
    change((all) => all.filter((row) => row.id !== id))
    const result = await actions.deleteDocument({ documentId: id }).catch(() => null)
    if (!result?.ok) toast.error('The document was not deleted', { description: result?.error.message ?? unreachable })
    reload()
  }

  const add = (files: File[]) => {
    const { target, called } = targetOf(choice, collections)
    queue.add(files, target, called)
  }

  const ready = documents.filter(({ stage }) => stage === 'ready').length
  const inWork = documents.filter(isInWork).length
  const failed = documents.filter(({ stage }) => stage === 'failed').length

  const held = useMemo(
    () => ({ list: actions.listHeldPassages, release: actions.releasePassage }),
    [actions.listHeldPassages, actions.releasePassage],
  )
  const detail = selected && {
    row: selected,
    parent: documents.find(({ id }) => id === selected.parentId) ?? null,
    knownTags,
    held: administers ? held : undefined,
    showsPassages: administers,
    onTags: (tags: string[]) => void tag(selected.id, tags),
    onOpen: open,
    onRetry: () => void retry(selected.id),
    onDelete: deletable.has(selected.collection.id) ? () => setDeletingId(selected.id) : undefined,
    onDescribe: administers ? () => void summarise(selected.id) : undefined,
  }

  return (
    <>
      <AdminHeader
        actions={
          collections.length > 0 && (
            <Button size="sm" onClick={() => over.open('collections')}>
              <Library />
              Collections
            </Button>
          )
        }
      >
        <AdminTitle>Documents</AdminTitle>
        <p role="status" className="flex flex-wrap gap-1.5">
          <Badge>{formatCount(ready)} ready</Badge>
          {inWork > 0 && <Badge variant="accent">{formatCount(inWork)} in work</Badge>}
          {failed > 0 && <Badge variant="destructive">{formatCount(failed)} failed</Badge>}
        </p>
      </AdminHeader>
      <div className="flex min-h-0 flex-1">
        <div className="@container min-h-0 min-w-0 flex-1 overflow-y-auto">
          {mayAdd && (
            <DropZone onFiles={add} className="mx-5 my-[18px] max-sm:mx-4 max-sm:my-4">
              <CollectionPicker collections={collections} choice={choice} onChoice={setChoice} mayMake={administers} />
            </DropZone>
          )}
          {stale && (
            <p role="alert" className="mx-5 my-3 rounded-md border border-warning px-3 py-2 text-[13px] text-warning">
              {stale}
            </p>
          )}
          {documents.length > 0 && (
            <search className="flex flex-wrap items-center gap-2 px-5 pb-2 max-sm:px-4">
              <Input
                type="search"
                className="w-52 max-sm:w-full"
                aria-label="Find documents by name"
                placeholder="Find by name"
                value={text}
                onChange={(event) => set({ q: event.target.value })}
              />
              <DocumentFacets facets={facets} chosen={chosenFacets} onChange={chooseFacet} />
              <Select
                aria-label="Order"
                className="@2xl:hidden max-sm:w-full"
                value={formatSort(sort)}
                onChange={(event) => set({ sort: event.target.value })}
              >
                {sortChoices.map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </Select>
              {filtered && (
                <>
                  <span className="num text-[13px] text-muted-foreground">
                    {formatCount(rows.length)} of {formatCount(documents.length)}
                  </span>
                  <Button variant="quiet" size="sm" onClick={() => clearFilters()}>
                    Clear filters
                  </Button>
                </>
              )}
              <ChosenFacets facets={facets} chosen={chosenFacets} onChange={chooseFacet} />
            </search>
          )}
          <DocumentTable
            rows={rows}
            uploads={uploads}
            selectedId={selected?.id ?? null}
            alreadyThere={alreadyThere}
            deletable={deletable}
            sort={sort}
            onSort={(next) => set({ sort: formatSort(next) })}
            onOpen={open}
            onRetry={retry}
            onDelete={setDeletingId}
            onRetryUpload={queue.retry}
            onRemoveUpload={queue.remove}
            empty={
              filtered ? (
                <EmptyState
                  title="No document is like that"
                  action={<Button onClick={() => clearFilters()}>Clear filters</Button>}
                >
                  {formatCount(documents.length)} {documents.length === 1 ? 'document does' : 'documents do'} not match.
                </EmptyState>
              ) : !mayAdd ? (
                <EmptyState title="No collection is yours to change">
                  Whoever administers the workspace can give you one to look after, on the Access page.
                </EmptyState>
              ) : (
                <EmptyState title="No documents yet">
                  Drop files above. Each is read, cut into passages and indexed; as soon as it says Ready, answers cite
                  it, passage by passage.
                </EmptyState>
              )
            }
          />
        </div>
        {detail && wide && (
          <aside
            aria-label="Document"
            className="flex w-[452px] shrink-0 flex-col border-l bg-card max-[1179px]:hidden"
          >
            <DocumentDetail {...detail} onClose={close} />
          </aside>
        )}
      </div>
      {!wide && (
        <Sheet open={detail !== null} onOpenChange={(isOpen) => !isOpen && close()}>
          <SheetContent side="right" aria-describedby={undefined}>
            <SheetTitle className="sr-only">Document</SheetTitle>
            {detail && <DocumentDetail {...detail} />}
          </SheetContent>
        </Sheet>
      )}
      <Sheet open={panel !== null} onOpenChange={(isOpen) => !isOpen && over.close()}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={over.giveBack}>
          <CollectionsSheet
            collections={collections}
            documents={documents}
            onDelete={(collection) => {
              over.close()
              over.ask(collection)
            }}
          />
        </SheetContent>
      </Sheet>
      <AlertDialog open={question !== null} onOpenChange={(isOpen) => !isOpen && over.closeQuestion()}>
        {question && (
          <AlertDialogContent onCloseAutoFocus={over.giveBack}>
            <DeletionQuestion collection={question} actions={actions} act={over.act} />
          </AlertDialogContent>
        )}
      </AlertDialog>
      <AlertDialog open={deleting !== null} onOpenChange={(isOpen) => !isOpen && setDeletingId(null)}>
        <AlertDialogContent>
          <AlertDialogTitle>Delete “{deleting?.name}”?</AlertDialogTitle>
          <AlertDialogDescription>
            {deletionWords(deleting?.citedBy ?? 0)} This cannot be undone.
          </AlertDialogDescription>
          <AlertDialogFooter>
            <AlertDialogCancel />
            <AlertDialogAction onClick={() => deleting && remove(deleting.id)}>Delete document</AlertDialogAction>
          </AlertDialogFooter>
        </AlertDialogContent>
      </AlertDialog>
    </>
  )
}
