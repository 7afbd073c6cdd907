'use client'
import { X } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { Button } from './button.tsx'
import { overlayClasses } from './overlay.ts'

export const Sheet = Primitive.Root

const sides = {
  left: 'inset-y-0 left-0 w-[min(300px,86vw)] border-r [--slide-x:-16px]',
  right: 'inset-y-0 right-0 w-[min(452px,100vw)] border-l [--slide-x:16px]',
  bottom: 'inset-x-0 bottom-0 rounded-t-[16px] border-t [--slide-y:24px]',
} as const

/** A panel that slides over one edge. Give it a `SheetTitle`, hidden if need be: screen readers announce it. */
export const SheetContent = ({
  className,
  side = 'left',
  closeButton = true,
  overlay = true,
  children,
  ...props
}: ComponentProps<typeof Primitive.Content> & {
  side?: keyof typeof sides
  closeButton?: boolean
  overlay?: boolean
}) => (
  <Primitive.Portal>
    {overlay && <Primitive.Overlay className={overlayClasses} />}
    <Primitive.Content
      className={cn('slide-in fixed z-50 flex flex-col bg-card shadow-float', sides[side], className)}
      {...props}
    >
      {children}
      {closeButton && (
        <Primitive.Close asChild>
          <Button variant="ghost" size="icon-sm" className="absolute top-3 right-3" aria-label="Close">
            <X />
          </Button>
        </Primitive.Close>
      )}
    </Primitive.Content>
  </Primitive.Portal>
)

export const SheetTitle = ({ className, ...props }: ComponentProps<typeof Primitive.Title>) => (
  <Primitive.Title className={cn('font-semibold', className)} {...props} />
)
