'use client'
import { Plus, X } from 'lucide-react'
import { type KeyboardEvent, useId, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { type DocumentRow, tagCharsMax, tagsMax } from '#lib/shared/admin-contract.ts'

/** Suggestions that the browser's list shows at most. */
const suggestionsMax = 50

type TagEditorProps = {
  row: Pick<DocumentRow, 'tags' | 'extractedTags'>
  /** Tags that other documents have. */
  known: readonly string[]
  onTags: (tags: string[]) => void
}

/** Tags as people give them; what was taken from the text stands apart and becomes one of them by a press. */
export const TagEditor = ({ row, known, onTags }: TagEditorProps) => {
  const id = useId()
  const [text, setText] = useState('')
  const { tags } = row
  const has = (tag: string) => tags.some((one) => one.toLowerCase() === tag.toLowerCase())
  const full = tags.length >= tagsMax
  const extracted = row.extractedTags.filter((tag) => !has(tag))

  const add = (raw: string): void => {
    const added = raw
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one && !has(one))
    setText('')
    if (added.length > 0) onTags([...tags, ...added].slice(0, tagsMax))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.key !== 'Enter' && event.key !== ',') || event.nativeEvent.isComposing) return
    event.preventDefault()
    add(text)
  }

  return (
    <section aria-label="Tags" className="mb-6">
      <h3 className="mb-2 font-medium text-[12.5px] text-muted-foreground tracking-normal">Tags</h3>
      {tags.length > 0 && (
        <ul aria-label="Given tags" className="mb-2 flex flex-wrap gap-1.5">
          {tags.map((tag) => (
            <li key={tag} className="min-w-0">
              <Badge variant="accent" className="max-w-full pr-0.5 touch:h-9">
                <span dir="auto" className="truncate">
                  {tag}
                </span>
                <button
                  type="button"
                  aria-label={`Remove the tag ${tag}`}
                  className="-my-0.5 grid size-6 place-items-center rounded-full hover:bg-background/60 touch:size-9"
                  onClick={() => onTags(tags.filter((one) => one !== tag))}
                >
                  <X className="size-3" />
                </button>
              </Badge>
            </li>
          ))}
        </ul>
      )}
      <div className="flex gap-2">
        <Input
          aria-label="Add a tag"
          placeholder={full ? `${tagsMax} tags are given` : 'Add a tag'}
          className="max-w-60"
          list={`${id}-known`}
          maxLength={tagCharsMax}
          disabled={full}
          dir="auto"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <datalist id={`${id}-known`}>
          {known
            .filter((tag) => !has(tag))
            .slice(0, suggestionsMax)
            .map((tag) => (
              <option key={tag} value={tag} />
            ))}
        </datalist>
        <Button disabled={full || text.trim() === ''} onClick={() => add(text)}>
          Add
        </Button>
      </div>
      {extracted.length > 0 && (
        <div className="mt-2 flex flex-wrap items-center gap-1.5 text-[12.5px] text-muted-foreground">
          <span id={`${id}-found`}>From the text:</span>
          <ul aria-labelledby={`${id}-found`} className="contents">
            {extracted.map((tag) => (
              <li key={tag} className="min-w-0">
                <button
                  type="button"
                  disabled={full}
                  aria-label={`Give the tag ${tag}`}
                  className="inline-flex min-h-6 max-w-full items-center gap-1 rounded-full border border-dashed px-2 text-xs hover:bg-muted disabled:opacity-50 touch:min-h-9"
                  // An extracted tag may hold a comma; it is one tag all the same.
                  onClick={() => onTags([...tags, tag])}
                >
                  <Plus className="size-3 shrink-0" />
                  <span dir="auto" className="truncate">
                    {tag}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}
