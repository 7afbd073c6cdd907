import { Slot } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

const variants = {
  primary: 'border-primary bg-primary text-primary-foreground hover:bg-primary/90',
  outline: 'border-input bg-card text-foreground hover:bg-muted',
  ghost: 'border-transparent text-foreground hover:bg-muted',
  quiet: 'border-transparent text-muted-foreground hover:bg-muted hover:text-foreground',
  destructive: 'border-input bg-card text-destructive hover:bg-destructive/10',
} as const

const sizes = {
  md: 'h-8 gap-1.5 px-3 touch:h-11',
  sm: 'h-7 gap-1.5 px-2 text-[13px] touch:h-9',
  lg: 'h-10 gap-2 px-4 touch:h-11',
  icon: 'size-8 touch:size-11',
  'icon-sm': 'size-7 touch:size-9',
} as const

export type ButtonProps = ComponentProps<'button'> & {
  variant?: keyof typeof variants
  size?: keyof typeof sizes
  asChild?: boolean
}

/** A verb with an object. `type` is `button` unless said otherwise, so that none submits a form by accident. */
export const Button = ({ className, variant = 'outline', size = 'md', asChild, type, ...props }: ButtonProps) => {
  const classes = cn(
    'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-[7px] border font-medium transition-colors duration-120',
    'disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50',
    "[&_svg:not([class*='size-'])]:size-4 [&_svg]:shrink-0 [&_svg]:stroke-[1.75]",
    variants[variant],
    sizes[size],
    className,
  )
  if (asChild) return <Slot.Root className={classes} {...props} />
  return <button type={type ?? 'button'} className={classes} {...props} />
}
