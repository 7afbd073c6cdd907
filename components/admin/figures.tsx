import type { Route } from 'next'
import Link from 'next/link'
import type { ReactNode } from 'react'

/** The few numbers a page is about, side by side. */
export const Figures = ({ label, children }: { label: string; children: ReactNode }) => (
  <dl aria-label={label} className="grid grid-cols-4 gap-px border-y bg-border max-lg:grid-cols-2">
    {children}
  </dl>
)

/** One number, what it is, and what to hold it against. `href` leads to what it counts. */
export const Figure = ({
  title,
  value,
  note,
  href,
}: {
  title: string
  value: string
  note?: ReactNode
  href?: Route | undefined
}) => (
  <div className="min-w-0 bg-background px-5 py-3.5 max-sm:px-4 max-sm:py-2.5">
    <dt className="text-[12.5px] text-muted-foreground">{title}</dt>
    <dd className="num break-words font-semibold text-[21px] leading-tight tracking-[-0.02em] max-sm:text-base">
      {href ? (
        <Link
          href={href}
          prefetch={false}
          className="underline decoration-input decoration-1 underline-offset-4 hover:decoration-current"
        >
          {value}
        </Link>
      ) : (
        value
      )}
    </dd>
    {note && <dd className="num mt-0.5 text-[12.5px] text-muted-foreground">{note}</dd>}
  </div>
)

/** A part of a report under its heading. */
export const ReportSection = ({
  title,
  note,
  actions,
  children,
}: {
  title: string
  note?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) => (
  <section className="border-b py-4 last:border-b-0">
    <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-2 px-5 max-sm:px-4">
      <h2 className="font-semibold text-[15px]">{title}</h2>
      {note && <p className="text-[12.5px] text-muted-foreground">{note}</p>}
      {actions && <div className="ml-auto min-w-0 max-sm:ml-0 max-sm:w-full">{actions}</div>}
    </div>
    {children}
  </section>
)

/** Why a part of a report is empty. */
export const NothingHere = ({ children }: { children: ReactNode }) => (
  <p className="px-5 py-2 text-[13px] text-muted-foreground max-sm:px-4">{children}</p>
)
