'use client'
import { AlertDialog as Primitive } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { Button, type ButtonProps } from './button.tsx'
import { overlayClasses } from './overlay.ts'

/** For what cannot be undone: the focus starts on Cancel, and a click outside does nothing. */
export const AlertDialog = Primitive.Root

export const AlertDialogContent = ({ className, ...props }: ComponentProps<typeof Primitive.Content>) => (
  <Primitive.Portal>
    <Primitive.Overlay className={overlayClasses} />
    <Primitive.Content
      className={cn(
        'appear fixed top-[18dvh] left-1/2 z-50 flex w-[calc(100vw-32px)] max-w-md -translate-x-1/2 flex-col gap-3 rounded-xl border bg-popover p-5 shadow-float',
        className,
      )}
      {...props}
    />
  </Primitive.Portal>
)

export const AlertDialogTitle = ({ className, ...props }: ComponentProps<typeof Primitive.Title>) => (
  <Primitive.Title className={cn('font-semibold text-base', className)} {...props} />
)

export const AlertDialogDescription = ({ className, ...props }: ComponentProps<typeof Primitive.Description>) => (
  <Primitive.Description className={cn('text-muted-foreground', className)} {...props} />
)

export const AlertDialogFooter = ({ className, ...props }: ComponentProps<'div'>) => (
  <div className={cn('mt-2 flex flex-wrap justify-end gap-2', className)} {...props} />
)

export const AlertDialogCancel = ({ children = 'Cancel', ...props }: ButtonProps) => (
  <Primitive.Cancel asChild>
    <Button {...props}>{children}</Button>
  </Primitive.Cancel>
)

export const AlertDialogAction = ({ variant = 'destructive', ...props }: ButtonProps) => (
  <Primitive.Action asChild>
    <Button variant={variant} {...props} />
  </Primitive.Action>
)
