'use client'
import { Plus } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTransition } from 'react'
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
import { Sheet, SheetContent } from '#components/ui/sheet.tsx'
import type { AccessCollection, AccessGrant, WhatCanRead, WhoCanRead } from '#lib/shared/access-contract.ts'
import type { KeepingTarget } from '#lib/shared/keeping-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { DeletionQuestion } from './access-deletion.tsx'
import { CollectionList, PersonReads, Readers } from './access-lists.tsx'
import { type AccessActions, type AccessGroup, CollectionSheet, GrantSheet } from './access-sheets.tsx'
import { subjectWords } from './access-words.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { LinkSwitch } from './report-filters.tsx'
import { useReportLink } from './report-link.ts'
import { TargetFinder } from './retention-finder.tsx'
import { type Act, usePanels } from './use-panels.ts'

type Shown =
  | { tab: 'collections'; collections: readonly AccessCollection[] }
  | { tab: 'readers'; who: WhoCanRead; asked: string }
  /** Null: nobody was asked about yet, or they are gone. */
  | { tab: 'people'; what: WhatCanRead | null }

type Panel = { of: 'collection'; collection: AccessCollection | null } | { of: 'grant'; collection: AccessCollection }
/** Without a grant: whether the collection itself goes. */
type Question = { collection: AccessCollection; grant: AccessGrant | null }

const whomOf = ({ subject, name }: Pick<AccessGrant, 'subject' | 'name'>): string =>
  subject === 'workspace' ? subjectWords.workspace : shownName(name)

const tabs = [
  { value: 'collections', label: 'Collections' },
  { value: 'people', label: 'What a person can read' },
]

/** Who may read what: collections with their grants, and the answers to who can read this and what this person can read. */
export const AccessScreen = ({
  workspaceId,
  groups,
  shown,
  actions,
}: {
  workspaceId: string
  groups: readonly AccessGroup[]
  shown: Shown
  actions: AccessActions
}) => {
  const router = useRouter()
  const linkTo = useReportLink()
  const [, startTransition] = useTransition()
  const { panel, question, open, ask, close, closeQuestion, saved, act, giveBack } = usePanels<Panel, Question>()
  const choose = (person: KeepingTarget | null) => {
    if (person) startTransition(() => router.replace(linkTo({ tab: 'people', person: person.id }), { scroll: false }))
  }
  const make = (
    <Button variant="primary" onClick={() => open({ of: 'collection', collection: null })}>
      <Plus aria-hidden />
      Make collection
    </Button>
  )
  return (
    <>
      <AdminHeader actions={shown.tab === 'collections' && shown.collections.length > 0 && make}>
        <AdminTitle>Access</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="px-5 pt-3 max-sm:px-4">
          <LinkSwitch
            label="What to show"
            name="tab"
            value={shown.tab === 'people' ? 'people' : 'collections'}
            options={tabs}
            resets={['collection', 'document', 'person', 'q']}
          />
        </div>
        {shown.tab === 'collections' && (
          <CollectionList
            collections={shown.collections}
            make={make}
            acts={{
              rename: (collection) => open({ of: 'collection', collection }),
              give: (collection) => open({ of: 'grant', collection }),
              change: ({ id }, { subject, subjectId, name }, level) =>
                void act(
                  actions.giveGrant({ collectionId: id, subject, subjectId, level }),
                  `The access of ${whomOf({ subject, name })} was changed`,
                  'The grant was not changed',
                ),
              take: (collection, grant) => ask({ collection, grant }),
              remove: (collection) => ask({ collection, grant: null }),
            }}
          />
        )}
        {shown.tab === 'readers' && <Readers who={shown.who} asked={shown.asked} />}
        {shown.tab === 'people' && (
          <>
            <div className="border-b px-5 py-3.5 max-sm:px-4">
              <TargetFinder
                kind="person"
                label="Name or address"
                find={actions.findPeople}
                chosen={shown.what && { id: shown.what.person.id, label: shown.what.person.name, note: '' }}
                onChoose={choose}
              />
            </div>
            {shown.what && <PersonReads what={shown.what} />}
          </>
        )}
      </div>
      <Sheet open={panel !== null} onOpenChange={(isOpen) => !isOpen && close()}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={giveBack}>
          {panel?.of === 'collection' && (
            <CollectionSheet
              collection={panel.collection}
              actions={actions}
              onClose={close}
              onSaved={(name) => saved(`${shownName(name)} was saved`)}
            />
          )}
          {panel?.of === 'grant' && (
            <GrantSheet
              collection={panel.collection}
              workspaceId={workspaceId}
              groups={groups}
              actions={actions}
              onClose={close}
              onSaved={(whom) => saved(`${shownName(whom)} has access to ${shownName(panel.collection.name)}`)}
            />
          )}
        </SheetContent>
      </Sheet>
      <AlertDialog open={question !== null} onOpenChange={(isOpen) => !isOpen && closeQuestion()}>
        {question && (
          <AlertDialogContent onCloseAutoFocus={giveBack}>
            {question.grant ? (
              <TakeQuestion
                collection={question.collection}
                grant={question.grant}
                take={actions.takeGrant}
                act={act}
              />
            ) : (
              <DeletionQuestion collection={question.collection} actions={actions} act={act} />
            )}
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}

const TakeQuestion = ({
  collection,
  grant,
  take,
  act,
}: {
  collection: AccessCollection
  grant: AccessGrant
  take: AccessActions['takeGrant']
  act: Act
}) => {
  const whom = whomOf(grant)
  const from = shownName(collection.name)
  return (
    <>
      <AlertDialogTitle>
        Take away the access of “{whom}” to “{from}”?
      </AlertDialogTitle>
      <AlertDialogDescription>
        {collection.grants.length === 1
          ? 'It is the only one: nobody reads this collection then.'
          : 'Whoever reads it through nothing else no longer does, from the next question on. Old answers stay, without the words that they quoted from it.'}
      </AlertDialogDescription>
      <AlertDialogFooter>
        <AlertDialogCancel />
        <AlertDialogAction
          onClick={() =>
            void act(
              take({ grantId: grant.id }),
              `${whom} no longer has access to ${from}`,
              'The access was not taken away',
            )
          }
        >
          Take away
        </AlertDialogAction>
      </AlertDialogFooter>
    </>
  )
}
