import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

const variants = {
  default: 'bg-muted text-muted-foreground',
  success: 'bg-success/12 text-success',
  warning: 'bg-warning/12 text-warning',
  destructive: 'bg-destructive/10 text-destructive',
  accent: 'bg-accent text-accent-foreground',
  outline: 'border border-border text-muted-foreground',
} as const

export type BadgeProps = ComponentProps<'span'> & { variant?: keyof typeof variants }

/** A state in a word or two; the colour only repeats what the words say. */
export const Badge = ({ className, variant = 'default', ...props }: BadgeProps) => (
  <span
    className={cn(
      'num inline-flex h-[21px] shrink-0 items-center gap-1.5 whitespace-nowrap rounded-full px-2 font-medium text-xs [&_svg]:size-3.5',
      variants[variant],
      className,
    )}
    {...props}
  />
)
