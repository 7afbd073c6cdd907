import type { ComponentProps } from 'react'
import { cn } from '#lib/shared/cn.ts'
import { fieldClasses } from './input.tsx'

/** Grows with its text where the browser can; the caller bounds the height. */
export const Textarea = ({ className, ...props }: ComponentProps<'textarea'>) => (
  <textarea
    className={cn(fieldClasses, 'field-sizing-content min-h-16 resize-none py-2 touch:text-base', className)}
    {...props}
  />
)
