import { type ReactNode, useId } from 'react'

/** A group of fields that an admin sets together, with what they are for: beside them where the form is wide, else above. */
export const RuleSection = ({ title, note, children }: { title: string; note: ReactNode; children: ReactNode }) => {
  const id = useId()
  return (
    // How wide the form is counts, not the window: it may stand beside something else.
    <div className="@container border-b last:border-b-0">
      {/* A legend cannot be a cell of a grid, so the group is named by a heading. */}
      <fieldset
        aria-labelledby={id}
        className="grid min-w-0 gap-x-8 gap-y-3 px-5 py-5 @3xl:grid-cols-[220px_minmax(0,1fr)] max-sm:px-4"
      >
        <div className="min-w-0">
          <h3 id={id} className="font-semibold text-[13.5px]">
            {title}
          </h3>
          <p className="max-w-2xl pt-0.5 text-[12.5px] text-muted-foreground">{note}</p>
        </div>
        <div className="flex min-w-0 max-w-2xl flex-col gap-4">{children}</div>
      </fieldset>
    </div>
  )
}

/** Two fields beside each other where there is room. */
export const Pair = ({ children }: { children: ReactNode }) => (
  <div className="grid gap-x-6 gap-y-4 @md:grid-cols-2">{children}</div>
)
