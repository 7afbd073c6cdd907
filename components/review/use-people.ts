'use client'
import { useEffect, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import type { ReviewPerson } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'

/** Who may review an answer, asked when it is first needed. */
export const usePeople = (itemId: string, wanted: boolean, { listReviewers }: Pick<DeskActions, 'listReviewers'>) => {
  const [people, setPeople] = useState<readonly ReviewPerson[] | null>(null)
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    if (!wanted) return
    let gone = false
    void attempt(listReviewers({ itemId })).then((got) => {
      if (gone) return
      if ('value' in got) setPeople(got.value)
      else setError(got.error)
    })
    return () => {
      gone = true
    }
  }, [wanted, itemId, listReviewers])
  return { people, error }
}
