'use client'
import { Popover as Primitive } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

export const Popover = Primitive.Root
export const PopoverTrigger = Primitive.Trigger
/** Where it stands when something else opens it. */
export const PopoverAnchor = Primitive.Anchor

/** A small window for choosing, beside what opened it. Give it a name with `aria-label`: it is announced as a dialog. */
export const PopoverContent = ({
  className,
  align = 'start',
  sideOffset = 6,
  ...props
}: ComponentProps<typeof Primitive.Content>) => (
  <Primitive.Portal>
    <Primitive.Content
      align={align}
      sideOffset={sideOffset}
      collisionPadding={8}
      className={cn(
        'appear z-50 max-h-(--radix-popover-content-available-height) overflow-y-auto overscroll-contain rounded-lg border bg-popover p-3 text-[13px] shadow-float outline-none',
        className,
      )}
      {...props}
    />
  </Primitive.Portal>
)
