'use client'
import { useCallback, useEffect, useRef, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import type { ReviewPerson } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'

type Asked = { value: readonly ReviewPerson[] } | { error: string }

/** Who may review an answer, asked when it is first needed; `ask` waits for it, and asks again where it failed. */
export const usePeople = (itemId: string, wanted: boolean, { listReviewers }: Pick<DeskActions, 'listReviewers'>) => {
  const [people, setPeople] = useState<readonly ReviewPerson[] | null>(null)
  const [error, setError] = useState<string | null>(null)
  const asking = useRef<Promise<Asked> | null>(null)
  const ask = useCallback((): Promise<Asked> => {
    asking.current ??= attempt(listReviewers({ itemId })).then((got) => {
      if ('value' in got) setPeople(got.value)
      else asking.current = null
      setError('error' in got ? got.error : null)
      return got
    })
    return asking.current
  }, [itemId, listReviewers])
  useEffect(() => {
    if (wanted) void ask()
  }, [wanted, ask])
  return { people, error, ask }
}
