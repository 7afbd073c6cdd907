import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

/** Holds the place of what is coming, in its size. */
export const Skeleton = ({ className, ...props }: ComponentProps<'div'>) => (
  <div aria-hidden className={cn('animate-pulse rounded-md bg-muted', className)} {...props} />
)
