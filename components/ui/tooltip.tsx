'use client'
import { Tooltip as Primitive } from 'radix-ui'
import type { ComponentProps, ReactNode } from 'react'
import { cn } from '#lib/shared/cn.ts'

export const TooltipProvider = ({ children }: { children: ReactNode }) => (
  <Primitive.Provider delayDuration={400} skipDelayDuration={200}>
    {children}
  </Primitive.Provider>
)

/** Says what an icon does. The control still needs its own name: a tooltip is not read on touch. */
export const Tooltip = ({
  content,
  children,
  side = 'top',
  className,
}: {
  content: ReactNode
  children: ReactNode
  side?: ComponentProps<typeof Primitive.Content>['side']
  className?: string
}) => (
  <Primitive.Root>
    <Primitive.Trigger asChild>{children}</Primitive.Trigger>
    <Primitive.Portal>
      <Primitive.Content
        side={side}
        sideOffset={5}
        collisionPadding={8}
        className={cn('appear z-50 max-w-72 rounded-md bg-foreground px-2 py-1 text-background text-xs', className)}
      >
        {content}
      </Primitive.Content>
    </Primitive.Portal>
  </Primitive.Root>
)
