import type { ReactNode } from 'react'
import { cn } from '#lib/shared/cn.ts'

/** What is missing, why, and the one thing to do about it. */
export const EmptyState = ({
  title,
  children,
  action,
  className,
}: {
  title: string
  children?: ReactNode
  action?: ReactNode
  className?: string
}) => (
  <div className={cn('mx-auto flex max-w-md flex-col items-center gap-2 px-6 py-14 text-center', className)}>
    <h2 className="font-semibold text-[15px]">{title}</h2>
    {children && <div className="text-muted-foreground">{children}</div>}
    {action && <div className="mt-3 flex flex-wrap justify-center gap-2">{action}</div>}
  </div>
)
