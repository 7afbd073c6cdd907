'use client'
import { Toaster as Sonner } from 'sonner'

export { toast } from 'sonner'

/** Short words about something that has happened; errors stay where they happened instead. */
export const Toaster = () => (
  <Sonner
    position="bottom-center"
    toastOptions={{
      unstyled: true,
      classNames: {
        toast:
          'flex w-full items-center gap-3 rounded-lg border bg-popover px-4 py-3 font-sans text-[13.5px] text-foreground shadow-float',
        title: 'font-medium',
        description: 'text-muted-foreground',
        actionButton: 'ml-auto shrink-0 rounded-md border border-input px-2.5 py-1 font-medium hover:bg-muted',
        closeButton: 'text-muted-foreground',
        error: 'text-destructive',
      },
    }}
  />
)
