import type { ReactNode } from 'react'

/** A part of the account page: what it is, and what it is for in a line. */
export const AccountSection = ({
  id,
  title,
  note,
  children,
}: {
  id: string
  title: string
  note?: ReactNode
  children: ReactNode
}) => (
  <section aria-labelledby={id} className="border-b px-5 py-5 last:border-b-0 max-sm:px-4">
    <div className="max-w-2xl">
      <h2 id={id} className="font-semibold">
        {title}
      </h2>
      {note && <p className="mt-0.5 text-[13px] text-muted-foreground">{note}</p>}
      <div className="mt-3">{children}</div>
    </div>
  </section>
)

/** What went wrong in a section, in words. */
export const SectionFault = ({ children }: { children: string | null }) => (
  <p role="alert" className="mt-2 text-[13px] text-destructive empty:hidden">
    {children}
  </p>
)
