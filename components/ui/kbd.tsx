import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

export const Kbd = ({ className, ...props }: ComponentProps<'kbd'>) => (
  <kbd
    className={cn(
      'inline-flex h-[17px] min-w-[17px] items-center justify-center rounded-sm border bg-card px-1 font-mono text-[11px] text-muted-foreground leading-none',
      className,
    )}
    {...props}
  />
)
