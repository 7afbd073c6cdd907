'use client'
import { ChevronDown } from 'lucide-react'
import {
  DropdownMenu,
  DropdownMenuCheckboxItem,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'

export type ScopeCollection = { id: string; name: string; documents: number }

/** `Handbook, Policies`, or how many when the names would not fit; nothing chosen is everything. */
export const scopeInWords = (collections: readonly ScopeCollection[], chosen: readonly string[]): string => {
  const names = collections.filter(({ id }) => chosen.includes(id)).map(({ name }) => name)
  if (names.length === 0 || names.length === collections.length) return 'All documents'
  return names.length <= 2 ? names.join(', ') : `${names[0]} and ${names.length - 1} more`
}

/** Where the next question is searched for. */
export const ScopePicker = ({
  collections,
  chosen,
  onChange,
}: {
  collections: readonly ScopeCollection[]
  chosen: string[]
  onChange: (chosen: string[]) => void
}) => (
  <DropdownMenu>
    <DropdownMenuTrigger asChild>
      <button
        type="button"
        aria-label={`Search in: ${scopeInWords(collections, chosen)}`}
        className="inline-flex h-6 min-w-0 items-center gap-1 rounded-full bg-accent px-2.5 font-medium text-accent-foreground text-xs hover:bg-accent/70 touch:h-9"
      >
        <span className="truncate">{scopeInWords(collections, chosen)}</span>
        <ChevronDown className="size-3.5 shrink-0" />
      </button>
    </DropdownMenuTrigger>
    <DropdownMenuContent align="start" className="max-w-72">
      <DropdownMenuLabel>Search in</DropdownMenuLabel>
      {collections.map(({ id, name, documents }) => (
        <DropdownMenuCheckboxItem
          key={id}
          checked={chosen.includes(id)}
          // Several are chosen in one go.
          onSelect={(event) => event.preventDefault()}
          onCheckedChange={(on) => onChange(on ? [...chosen, id] : chosen.filter((one) => one !== id))}
        >
          <span className="min-w-0 flex-1 truncate">{name}</span>
          <span className="num text-muted-foreground text-xs">{documents}</span>
        </DropdownMenuCheckboxItem>
      ))}
      <DropdownMenuSeparator />
      <DropdownMenuItem disabled={chosen.length === 0} onSelect={() => onChange([])}>
        Search in all documents
      </DropdownMenuItem>
    </DropdownMenuContent>
  </DropdownMenu>
)
