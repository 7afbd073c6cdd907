'use client'
import { useCallback, useEffect, useState } from 'react'
import { DocumentNoteItem } from '#components/review/corrections-note.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { DocumentNoteRow } from '#lib/shared/review-contract.ts'

const unreachable = 'The notes could not be reached. Check the connection and try again.'

const ask = async (url: string, init: RequestInit): Promise<DocumentNoteRow[] | string> => {
  try {
    const response = await fetch(url, init)
    const body = (await response.json()) as { notes?: DocumentNoteRow[]; error?: { message: string } }
    return body.notes ?? body.error?.message ?? unreachable
  } catch {
    return unreachable
  }
}

/** What reviewers say of the document; nothing is shown where nobody said anything. */
export const DocumentNotes = ({ documentId }: { documentId: string }) => {
  const [notes, setNotes] = useState<readonly DocumentNoteRow[]>([])
  const [pending, setPending] = useState(false)
  const url = `/api/documents/${documentId}/notes`
  useEffect(() => {
    const abort = new AbortController()
    // Open: a document without its notes is still the document.
    void ask(url, { signal: abort.signal }).then((got) => {
      if (!abort.signal.aborted && typeof got !== 'string') setNotes(got)
    })
    return () => abort.abort()
  }, [url])
  const resolve = useCallback(
    async (noteId: string) => {
      setPending(true)
      const got = await ask(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ noteId }),
      })
      setPending(false)
      if (typeof got === 'string') toast.error(got)
      else setNotes(got)
    },
    [url],
  )
  if (notes.length === 0) return null
  return (
    <section aria-label="Notes of reviewers" className="mb-6">
      <h3 className="mb-2 font-medium text-[12.5px] text-muted-foreground tracking-normal">Notes of reviewers</h3>
      <ul className="flex flex-col gap-2">
        {notes.map((note) => (
          <DocumentNoteItem
            key={note.id}
            note={note}
            shown="beside its document"
            onResolve={pending ? null : () => void resolve(note.id)}
          />
        ))}
      </ul>
    </section>
  )
}
