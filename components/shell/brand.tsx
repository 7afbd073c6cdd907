import { cn } from '#lib/shared/cn.ts'

/** The name with its mark; the figure is part of the drawing and is not read out. */
export const Brand = ({ className }: { className?: string }) => (
  <span className={cn('inline-flex items-baseline font-semibold font-serif text-[17px] leading-none', className)}>
    Footnote
    <sup aria-hidden className="relative top-[-7px] ml-px font-sans font-semibold text-[10px] text-primary">
      1
    </sup>
  </span>
)
