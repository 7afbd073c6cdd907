import { cn } from '#lib/shared/cn.ts'

/** A real count, never a guess: `label` says it in words for those who do not see the bar. */
export const Progress = ({
  value,
  max,
  label,
  className,
}: {
  value: number
  max: number
  label: string
  className?: string
}) => (
  <div
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={max}
    aria-valuenow={value}
    className={cn('h-[5px] w-36 overflow-hidden rounded-full bg-muted', className)}
  >
    <div
      className="h-full rounded-full bg-primary transition-[width] duration-180"
      style={{ width: `${max > 0 ? Math.min(100, (value / max) * 100) : 0}%` }}
    />
  </div>
)
