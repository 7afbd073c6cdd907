'use client'
import { X } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import type { ComponentProps, ReactNode } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { Button } from './button.tsx'

export const overlayClasses = 'appear fixed inset-0 z-50 bg-black/35 dark:bg-black/55'

export const Dialog = Primitive.Root
export const DialogTrigger = Primitive.Trigger
export const DialogClose = Primitive.Close

export const DialogContent = ({ className, children, ...props }: ComponentProps<typeof Primitive.Content>) => (
  <Primitive.Portal>
    <Primitive.Overlay className={overlayClasses} />
    <Primitive.Content
      className={cn(
        'appear fixed top-[12dvh] left-1/2 z-50 flex max-h-[76dvh] w-[calc(100vw-32px)] max-w-md -translate-x-1/2 flex-col gap-3 overflow-y-auto rounded-xl border bg-popover p-5 shadow-float',
        className,
      )}
      {...props}
    >
      {children}
      <Primitive.Close asChild>
        <Button variant="ghost" size="icon-sm" className="absolute top-3 right-3" aria-label="Close">
          <X />
        </Button>
      </Primitive.Close>
    </Primitive.Content>
  </Primitive.Portal>
)

export const DialogTitle = ({ className, ...props }: ComponentProps<typeof Primitive.Title>) => (
  <Primitive.Title className={cn('pr-8 font-semibold text-base', className)} {...props} />
)

export const DialogDescription = ({ className, ...props }: ComponentProps<typeof Primitive.Description>) => (
  <Primitive.Description className={cn('text-muted-foreground', className)} {...props} />
)

export const DialogFooter = ({ className, children }: { className?: string; children: ReactNode }) => (
  <div className={cn('mt-2 flex flex-wrap justify-end gap-2', className)}>{children}</div>
)
