'use client'
import { Trash2 } from 'lucide-react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Button } from '#components/ui/button.tsx'
import { SheetTitle } from '#components/ui/sheet.tsx'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { shownName } from '#lib/shared/shown-name.ts'
import { documentsWords } from './access-words.ts'
import type { Collection } from './use-documents.ts'

/** The collections whose documents can be changed here, with what else may be done with each. */
export const CollectionsSheet = ({
  collections,
  documents,
  onDelete,
}: {
  collections: readonly Collection[]
  documents: readonly Pick<DocumentRow, 'collection'>[]
  onDelete: (collection: Collection) => void
}) => (
  <>
    <div className="border-b px-5 py-3.5 pr-12">
      <SheetTitle className="text-[15px]">Collections</SheetTitle>
      <p className="mt-1 text-[13px] text-muted-foreground">
        Those that you may add documents to. An admin says on the Access page who may do what in them.
      </p>
    </div>
    <ul aria-label="Collections" className="min-h-0 flex-1 overflow-y-auto">
      {collections.map((collection) => {
        const { id, name, mayDelete } = collection
        return (
          <li key={id} className="flex items-center gap-3 border-b px-5 py-3">
            <div className="min-w-0 flex-1">
              <ShownName name={name} className="break-words font-medium" />
              <p className="text-[12.5px] text-muted-foreground">
                {documentsWords(documents.filter((row) => row.collection.id === id).length)}
                {mayDelete ? ' · you may add, replace and delete' : ' · you may add and replace'}
              </p>
            </div>
            {mayDelete && (
              <Button
                size="sm"
                aria-label={`Delete the collection ${shownName(name)}`}
                onClick={() => onDelete(collection)}
              >
                <Trash2 />
                Delete
              </Button>
            )}
          </li>
        )
      })}
    </ul>
  </>
)
