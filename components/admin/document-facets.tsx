'use client'
import { ChevronDown, ListFilter, X } from 'lucide-react'
import { useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { CheckList } from '#components/ui/check-list.tsx'
import { Popover, PopoverContent, PopoverTrigger } from '#components/ui/popover.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import { type FacetChoice, type FacetName, type FacetValue, facetNames, facetWords } from './document-list.ts'

type DocumentFacetsProps = {
  facets: Record<FacetName, FacetValue[]>
  chosen: FacetChoice
  onChange: (facet: FacetName, chosen: string[]) => void
}

/** A facet with one value tells nothing apart; one that is chosen can always be taken back. A single tag still marks out a part. */
const offered = ({ facets, chosen }: Pick<DocumentFacetsProps, 'facets' | 'chosen'>): FacetName[] =>
  facetNames.filter(
    (facet) => chosen[facet].length > 0 || facets[facet].length > 1 || (facet === 'tag' && facets.tag.length > 0),
  )

const labelOf = (facets: DocumentFacetsProps['facets'], facet: FacetName, value: string): string =>
  facets[facet].find((one) => one.value === value)?.label ?? value

/** What to narrow the table by: a button each where there is room, one sheet with all of them where there is not. */
export const DocumentFacets = ({ facets, chosen, onChange }: DocumentFacetsProps) => {
  const [open, setOpen] = useState(false)
  const names = offered({ facets, chosen })
  const count = facetNames.reduce((sum, facet) => sum + chosen[facet].length, 0)
  const list = (facet: FacetName, alone: boolean) => (
    <CheckList
      key={facet}
      legend={facetWords[facet]}
      legendHidden={alone}
      choices={facets[facet]}
      chosen={chosen[facet]}
      onChange={(values) => onChange(facet, values)}
    />
  )
  if (names.length === 0) return null
  return (
    <>
      <div className="contents @max-2xl:hidden">
        {names.map((facet) => {
          const [first, ...more] = chosen[facet]
          const words =
            first === undefined ? '' : more.length > 0 ? `: ${more.length + 1}` : `: ${labelOf(facets, facet, first)}`
          return (
            <Popover key={facet}>
              <PopoverTrigger asChild>
                <Button className="max-w-52">
                  <span className="truncate">
                    {facetWords[facet]}
                    {words}
                  </span>
                  <ChevronDown />
                </Button>
              </PopoverTrigger>
              <PopoverContent aria-label={facetWords[facet]} className="w-60">
                {list(facet, true)}
              </PopoverContent>
            </Popover>
          )
        })}
      </div>
      <Button className="@2xl:hidden" onClick={() => setOpen(true)}>
        <ListFilter />
        Filters{count > 0 && ` (${count})`}
      </Button>
      <Sheet open={open} onOpenChange={setOpen}>
        <SheetContent side="bottom" aria-describedby={undefined} className="max-h-[85dvh]">
          <SheetTitle className="px-4 pt-4 pb-2">Filters</SheetTitle>
          <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-4 pb-[max(16px,env(safe-area-inset-bottom))] text-[13px]">
            {names.map((facet) => list(facet, false))}
          </div>
        </SheetContent>
      </Sheet>
    </>
  )
}

/** What is chosen, each to be taken back by itself. */
export const ChosenFacets = ({ facets, chosen, onChange }: DocumentFacetsProps) => {
  const all = facetNames.flatMap((facet) => chosen[facet].map((value) => ({ facet, value })))
  if (all.length === 0) return null
  return (
    <ul aria-label="Filters that are set" className="flex basis-full flex-wrap gap-1.5">
      {all.map(({ facet, value }) => {
        const words = `${facetWords[facet]}: ${labelOf(facets, facet, value)}`
        return (
          <li key={`${facet} ${value}`} className="min-w-0">
            <button
              type="button"
              aria-label={`Remove the filter ${words}`}
              className="inline-flex min-h-6 max-w-full items-center gap-1 rounded-full bg-accent px-2 font-medium text-accent-foreground text-xs hover:bg-accent/70 touch:min-h-9"
              onClick={() =>
                onChange(
                  facet,
                  chosen[facet].filter((one) => one !== value),
                )
              }
            >
              <span dir="auto" className="truncate">
                {words}
              </span>
              <X className="size-3 shrink-0" />
            </button>
          </li>
        )
      })}
    </ul>
  )
}
