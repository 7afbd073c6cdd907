'use client'
import { Kbd } from '#components/ui/kbd.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import { useLetterKeys } from './use-letter-keys.ts'

type Shown = { shown: string; words: string }

/** What every key does, and the switch for those of one letter. */
export const KeysSheet = ({
  open,
  groups,
  onClose,
}: {
  open: boolean
  groups: readonly { title: string; keys: readonly Shown[] }[]
  onClose: () => void
}) => {
  const letters = useLetterKeys()
  return (
    <Sheet open={open} onOpenChange={(next) => !next && onClose()}>
      <SheetContent side="right" aria-describedby={undefined}>
        <SheetTitle className="border-b px-5 py-3.5 text-[15px]">Keys</SheetTitle>
        <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
          <label className="mb-5 flex items-start gap-2 touch:min-h-11">
            <input
              type="checkbox"
              className="mt-0.5 size-4 shrink-0 accent-primary touch:size-5"
              checked={letters.on}
              onChange={({ target }) => letters.set(target.checked)}
            />
            <span>
              Keys of one letter
              <span className="block text-[12.5px] text-muted-foreground">
                {letters.on
                  ? 'A single letter does what stands beside it. Switch them off if you dictate, or press keys by mistake.'
                  : 'Off: letters, digits and ? do nothing by themselves. Everything has a button.'}
              </span>
            </span>
          </label>
          {groups.map(({ title, keys }) => (
            <section key={title} className="mb-5">
              <h3 className="mb-2 text-[12.5px] text-muted-foreground">{title}</h3>
              <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-2">
                {keys.map(({ shown, words }) => (
                  <div key={shown} className="contents">
                    <dt>
                      <Kbd>{shown}</Kbd>
                    </dt>
                    <dd>{words}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </SheetContent>
    </Sheet>
  )
}
