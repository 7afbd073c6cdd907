import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

export const fieldClasses =
  'w-full min-w-0 rounded-[7px] border border-input bg-card px-3 text-foreground placeholder:text-muted-foreground disabled:opacity-50 aria-invalid:border-destructive'

/** Text of 16 pixels on touch, or phones zoom in on focus. */
export const Input = ({ className, ...props }: ComponentProps<'input'>) => (
  <input className={cn(fieldClasses, 'h-8 touch:h-11 touch:text-base', className)} {...props} />
)

export const Label = ({ className, ...props }: ComponentProps<'label'>) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the control is named by whoever uses this
  <label className={cn('mb-1.5 block font-medium text-[13px]', className)} {...props} />
)
