'use client'
import { HoverCard as Primitive } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'

export const HoverCard = Primitive.Root
export const HoverCardTrigger = Primitive.Trigger

export const HoverCardContent = ({ className, sideOffset = 6, ...props }: ComponentProps<typeof Primitive.Content>) => (
  <Primitive.Portal>
    <Primitive.Content
      sideOffset={sideOffset}
      collisionPadding={12}
      className={cn(
        'appear z-40 w-[min(380px,calc(100vw-24px))] overflow-hidden rounded-lg border bg-popover shadow-float',
        className,
      )}
      {...props}
    />
  </Primitive.Portal>
)
