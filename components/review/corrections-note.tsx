'use client'
import { Check } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { When } from '#components/admin/when.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import type { DocumentNoteRow } from '#lib/shared/review-contract.ts'

/** What a reviewer says of a document, with the words in it that they mean. */
export const DocumentNoteItem = ({
  note,
  shown,
  onResolve,
}: {
  note: DocumentNoteRow
  /** Beside its document the name of that is left out. */
  shown: 'with its document' | 'beside its document'
  /** Null while something is under way. */
  onResolve: (() => void) | null
}) => {
  const { resolved } = note
  const beside = shown === 'beside its document'
  return (
    <li className={beside ? 'rounded-md border px-3 py-2' : 'border-b px-5 py-3 last:border-b-0 max-sm:px-4'}>
      <div className="flex items-start gap-3">
        <div className="min-w-0 flex-1">
          {!beside && (
            <Link
              href={`/admin/documents?document=${note.documentId}` as Route}
              prefetch={false}
              className="break-words font-medium hover:underline"
            >
              {note.document}
            </Link>
          )}
          <p dir="auto" className="whitespace-pre-wrap break-words text-[13.5px]">
            {note.text}
          </p>
          {note.quote && (
            <blockquote
              dir="auto"
              className="my-1 line-clamp-3 max-w-[80ch] break-words bg-source px-2 py-1 font-serif text-[14px]"
            >
              {note.quote}
            </blockquote>
          )}
          <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-[12.5px] text-muted-foreground">
            {resolved ? (
              <Badge>
                <Check aria-hidden />
                Resolved{resolved.by ? ` by ${resolved.by}` : ''}
              </Badge>
            ) : (
              <Badge variant="warning">Open</Badge>
            )}
            <span>
              {note.by ?? 'Somebody who has left'}, <When iso={note.createdAt} />
            </span>
            {note.changedSince && <span>The document has changed since.</span>}
          </p>
        </div>
        {note.mayResolve && (
          <Button size="sm" aria-disabled={onResolve === null} onClick={() => onResolve?.()}>
            Resolve
            <span className="sr-only"> the note “{note.text.slice(0, 60)}”</span>
          </Button>
        )}
      </div>
    </li>
  )
}
