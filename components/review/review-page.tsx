import type { Route } from 'next'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { LinkSwitch } from '#components/admin/report-filters.tsx'
import { cn } from '#lib/shared/cn.ts'
import { type FigureDays, figureDays } from './desk-contract.ts'

/** Over how many days a page of review counts; the choice is in the address. */
export const DaysSwitch = ({ days }: { days: FigureDays }) => (
  <LinkSwitch
    label="Time"
    name="days"
    value={days}
    options={figureDays.map((value) => ({ value, label: `${value} days` }))}
    resets={[]}
  />
)

/** A page beside the queue: the way back to it, what can be done here, and the part that scrolls. */
export const ReviewPage = ({
  title,
  actions,
  children,
}: {
  title: string
  actions?: ReactNode
  children: ReactNode
}) => {
  // Beside actions there is no room for the way back on a phone; the menu has it.
  const wide = actions ? 'max-sm:hidden' : ''
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <AdminHeader actions={actions}>
        <AdminTitle>
          <Link href={'/review' as Route} className={cn('hover:underline', wide)}>
            Review
          </Link>
          <span className={cn('font-normal text-muted-foreground', wide)}> / </span>
          <span className={actions ? 'sm:font-normal sm:text-muted-foreground' : 'font-normal text-muted-foreground'}>
            {title}
          </span>
        </AdminTitle>
      </AdminHeader>
      <section
        aria-label={title}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto -outline-offset-2"
      >
        {children}
      </section>
    </div>
  )
}
