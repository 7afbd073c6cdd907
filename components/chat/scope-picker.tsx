'use client'
import { ChevronDown } from 'lucide-react'
import { Button } from '#components/ui/button.tsx'
import { CheckList } from '#components/ui/check-list.tsx'
import { Input } from '#components/ui/input.tsx'
import { Popover, PopoverContent, PopoverTrigger } from '#components/ui/popover.tsx'
import { narrows, type ScopeFacets } from '#lib/shared/chat-contract.ts'
import { languageName } from '#lib/shared/document-words.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import { type Scope, type ScopeCollection, scopeInWords, typeChoices, withPart } from './scope-words.ts'

export type { ScopeCollection } from './scope-words.ts'

const days = [
  { part: 'datedFrom', label: 'from' },
  { part: 'datedTo', label: 'to' },
] as const

type FacetFieldsProps = { facets: ScopeFacets; filter: DocumentFilter; onFilter: (filter: DocumentFilter) => void }

/** A kind with one value only tells no documents apart, so it is not offered unless it is chosen. */
const FacetFields = ({ facets, filter, onFilter }: FacetFieldsProps) => {
  const types = typeChoices(facets.mediaTypes)
  const mediaTypes = filter.mediaTypes ?? []
  const chosenTypes = types.filter((type) => type.mediaTypes.some((one) => mediaTypes.includes(one)))
  return (
    <>
      {(types.length > 1 || chosenTypes.length > 0) && (
        <CheckList
          legend="Type"
          choices={types}
          chosen={chosenTypes.map(({ value }) => value)}
          onChange={(chosen) => {
            const wanted = types.filter(({ value }) => chosen.includes(value)).flatMap((type) => type.mediaTypes)
            onFilter(withPart(filter, 'mediaTypes', wanted))
          }}
        />
      )}
      {(facets.languages.length > 1 || filter.languages) && (
        <CheckList
          legend="Language"
          choices={facets.languages.map(({ value, count }) => ({ value, count, label: languageName(value) }))}
          chosen={filter.languages ?? []}
          onChange={(chosen) => onFilter(withPart(filter, 'languages', chosen))}
        />
      )}
      {(facets.tags.length > 0 || filter.tags) && (
        <CheckList
          legend="Tags, all of them"
          choices={facets.tags.map(({ value, count }) => ({ value, count, label: value }))}
          chosen={filter.tags ?? []}
          onChange={(chosen) => onFilter(withPart(filter, 'tags', chosen))}
        />
      )}
      {(facets.dated.from || filter.datedFrom || filter.datedTo) && (
        <fieldset className="min-w-0">
          <legend className="mb-1 font-medium text-muted-foreground text-xs">Dated</legend>
          <div className="grid grid-cols-2 gap-2">
            {days.map(({ part, label }) => (
              <Input
                key={part}
                type="date"
                className="px-2"
                aria-label={`Dated ${label}`}
                min={facets.dated.from ?? undefined}
                max={facets.dated.to ?? undefined}
                value={filter[part] ?? ''}
                onChange={(event) => onFilter(withPart(filter, part, event.target.value))}
              />
            ))}
          </div>
        </fieldset>
      )}
    </>
  )
}

/** Whether there is anything to choose between. */
export const hasChoices = (collections: readonly ScopeCollection[], facets: ScopeFacets): boolean =>
  collections.length > 1 ||
  facets.languages.length > 1 ||
  facets.tags.length > 0 ||
  facets.dated.from !== null ||
  typeChoices(facets.mediaTypes).length > 1

type ScopePickerProps = {
  collections: readonly ScopeCollection[]
  chosen: string[]
  onChange: (chosen: string[]) => void
  /** What the search can be narrowed to beside its collections, where that is asked here. */
  facets?: ScopeFacets
  filter?: DocumentFilter
  onFilter?: (filter: DocumentFilter) => void
}

/** Where the next question is searched for. */
export const ScopePicker = ({ collections, chosen, onChange, facets, filter = {}, onFilter }: ScopePickerProps) => {
  const scope: Scope = { collectionIds: chosen, filter }
  return (
    <Popover>
      <PopoverTrigger asChild>
        <button
          type="button"
          aria-label={`Search in: ${scopeInWords(collections, scope)}`}
          className="inline-flex h-6 min-w-0 items-center gap-1 rounded-full bg-accent px-2.5 font-medium text-accent-foreground text-xs hover:bg-accent/70 touch:h-9"
        >
          <span className="truncate">{scopeInWords(collections, scope)}</span>
          <ChevronDown className="size-3.5 shrink-0" />
        </button>
      </PopoverTrigger>
      <PopoverContent aria-label="Search in" className="flex w-[min(300px,92vw)] flex-col gap-3">
        {collections.length > 1 && (
          <CheckList
            legend="Search in"
            choices={collections.map(({ id, name, documents }) => ({ value: id, label: name, count: documents }))}
            chosen={chosen}
            onChange={onChange}
          />
        )}
        {facets && onFilter && <FacetFields facets={facets} filter={filter} onFilter={onFilter} />}
        <Button
          size="sm"
          className="self-start"
          disabled={chosen.length === 0 && !narrows(filter)}
          onClick={() => {
            if (chosen.length > 0) onChange([])
            onFilter?.({})
          }}
        >
          Search in all documents
        </Button>
      </PopoverContent>
    </Popover>
  )
}
