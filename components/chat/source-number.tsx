import { cn } from '#lib/shared/cn.ts'

/** The number of a source as a small square; hollow when the passage does not carry the claim, struck when it is gone. */
export const sourceNumberClasses = (state: { active?: boolean; supported?: boolean; removed?: boolean }): string =>
  cn(
    'num inline-flex h-[17px] min-w-[17px] shrink-0 items-center justify-center rounded-[5px] px-1 font-sans font-semibold text-[10.5px] leading-none',
    state.removed
      ? 'bg-muted text-muted-foreground line-through'
      : state.supported === false
        ? 'bg-transparent text-warning inset-ring inset-ring-warning'
        : 'bg-accent text-accent-foreground',
    state.active && !state.removed && 'bg-primary text-primary-foreground inset-ring-0',
  )
