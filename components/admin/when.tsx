'use client'
import { formatWhen } from '#lib/shared/format.ts'

/** A moment: relative up to a week, the exact time on hover. The server and the browser may stand in different time zones. */
export const When = ({ iso, className }: { iso: string; className?: string }) => (
  <time
    dateTime={iso}
    suppressHydrationWarning
    className={className}
    title={new Date(iso).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'medium' })}
  >
    {formatWhen(iso)}
  </time>
)
