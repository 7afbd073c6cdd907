'use client'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import type { PublicError } from '#lib/shared/errors.ts'
import { isInWork, keepUnchanged } from './document-list.ts'

/** One that the viewer may add to; `mayDelete`: also delete from, and delete. */
export type Collection = { id: string; name: string; mayDelete: boolean }
export type DocumentData = { documents: DocumentRow[]; collections: Collection[] }

/** What is left to who may change nothing any more. */
const nothing: DocumentData = { documents: [], collections: [] }

const busyPollMs = 1_000
const idlePollMs = 15_000

export type LiveDocuments = DocumentData & {
  /** Why the rows may be old, in words; null while they are fresh. */
  stale: string | null
  /** Shows a change at once; the next answer of the server says how it really is. */
  change(edit: (rows: readonly DocumentRow[]) => DocumentRow[]): void
  /** Asks the server now; an answer that was already on its way is not taken. */
  reload(): void
}

/** The documents as the server knows them: asked every second while anything is in work, now and then otherwise, never while hidden. */
export const useDocuments = (initial: DocumentData): LiveDocuments => {
  const [data, setData] = useState(initial)
  const [stale, setStale] = useState<string | null>(null)
  const [asked, setAsked] = useState(0)
  const busy = useRef(false)
  useEffect(() => {
    busy.current = data.documents.some((row) => isInWork(row) || row.describing !== null)
  }, [data.documents])

  // `asked` starts the loop anew and drops the answer that was under way.
  useEffect(() => {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = () => {
      timer = setTimeout(poll, busy.current ? busyPollMs : idlePollMs)
    }
    const poll = async () => {
      if (document.hidden) return
      try {
        const response = await fetch('/api/documents', { signal: abort.signal })
        const body = (await response.json()) as Partial<DocumentData> & { error?: PublicError }
        if (abort.signal.aborted) return
        const { documents, collections } = body
        if (documents && collections) {
          setData((before) => ({ documents: keepUnchanged(before.documents, documents), collections }))
          setStale(null)
        } else {
          // Access was taken away: what was to be seen by it goes too.
          if (body.error?.code === 'not-found') setData(nothing)
          setStale(body.error?.message ?? 'The list could not be read. Trying again.')
        }
      } catch {
        if (abort.signal.aborted) return
        setStale('Footnote cannot be reached, so this list may be old. Trying again.')
      }
      next()
    }
    const onVisible = () => {
      clearTimeout(timer)
      if (!document.hidden) void poll()
    }
    document.addEventListener('visibilitychange', onVisible)
    if (asked > 0) void poll()
    else next()
    return () => {
      abort.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onVisible)
    }
  }, [asked])

  const change = useCallback<LiveDocuments['change']>(
    (edit) => setData((before) => ({ ...before, documents: edit(before.documents) })),
    [],
  )
  const reload = useCallback(() => setAsked((count) => count + 1), [])
  return { ...data, stale, change, reload }
}
