'use client'
import { useEffect, useState } from 'react'
import {
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import type { CollectionDeletion } from '#lib/shared/access-contract.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { deletionWords, documentsWords } from './access-words.ts'
import { attempt } from './models-form.ts'
import type { Act } from './use-panels.ts'

export type DeletionActions = {
  planCollectionDeletion: (input: { collectionId: string }) => Promise<ActionResult<CollectionDeletion>>
  deleteCollection: (input: { collectionId: string; documents: number }) => Promise<ActionResult<null>>
}

/** What goes and what stays, or why nothing may; null while it is being counted. */
export const DeletionPlan = ({ plan }: { plan: CollectionDeletion | null }) => {
  if (!plan)
    return (
      <span role="status" aria-label="Counting what goes with it" className="flex flex-col gap-2">
        <Skeleton className="h-4" />
        <Skeleton className="h-4 w-2/3" />
      </span>
    )
  return plan.refusal === null ? deletionWords(plan) : <span className="text-warning">{plan.refusal}</span>
}

/** Asks before a collection goes, with what goes with it as it is now; what has been added since then stops it. */
export const DeletionQuestion = ({
  collection: { id, name },
  actions,
  act,
}: {
  collection: { id: string; name: string }
  actions: DeletionActions
  act: Act
}) => {
  const [plan, setPlan] = useState<CollectionDeletion | null>(null)
  const ask = actions.planCollectionDeletion
  useEffect(() => {
    let gone = false
    void attempt(ask({ collectionId: id })).then((asked) => {
      if (!gone) setPlan('value' in asked ? asked.value : { documents: 0, answers: 0, refusal: asked.error })
    })
    return () => {
      gone = true
    }
  }, [ask, id])
  const shown = shownName(name)
  const refused = plan !== null && plan.refusal !== null
  return (
    <>
      <AlertDialogTitle className="break-words">
        {refused ? `“${shown}” cannot be deleted` : `Delete the collection “${shown}”?`}
      </AlertDialogTitle>
      <AlertDialogDescription asChild>
        <div>
          <DeletionPlan plan={plan} />
        </div>
      </AlertDialogDescription>
      <AlertDialogFooter>
        <AlertDialogCancel>{refused ? 'Close' : 'Cancel'}</AlertDialogCancel>
        {!refused && (
          <AlertDialogAction
            disabled={!plan}
            onClick={() =>
              plan &&
              void act(
                actions.deleteCollection({ collectionId: id, documents: plan.documents }),
                `${shown} was deleted`,
                'The collection was not deleted',
              )
            }
          >
            {plan && plan.documents > 0 ? `Delete it and ${documentsWords(plan.documents)}` : 'Delete collection'}
          </AlertDialogAction>
        )}
      </AlertDialogFooter>
    </>
  )
}
