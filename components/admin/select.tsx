import type { ComponentProps } from 'react'
import { fieldClasses } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'

/** The browser's own list: it works with every keyboard, screen reader and phone. */
export const Select = ({ className, ...props }: ComponentProps<'select'>) => (
  <select
    className={cn(fieldClasses, 'h-8 w-auto max-w-full pr-2 pl-2.5 touch:h-11 touch:text-base', className)}
    {...props}
  />
)
