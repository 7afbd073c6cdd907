'use client'
import { Kbd } from '#components/ui/kbd.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'

type Shown = { shown: string; words: string }

/** What every key does. */
export const KeysSheet = ({
  open,
  groups,
  onClose,
}: {
  open: boolean
  groups: readonly { title: string; keys: readonly Shown[] }[]
  onClose: () => void
}) => (
  <Sheet open={open} onOpenChange={(next) => !next && onClose()}>
    <SheetContent side="right" aria-describedby={undefined}>
      <SheetTitle className="border-b px-5 py-3.5 text-[15px]">Keys</SheetTitle>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
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
