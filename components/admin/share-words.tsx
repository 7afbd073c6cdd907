import { formatCount } from '#lib/shared/format.ts'
import type { Share } from '#lib/shared/label-contract.ts'

const percent = (share: number): string => {
  const of100 = share * 100
  return of100 > 0 && of100 < 10 ? of100.toFixed(1) : of100.toFixed(0)
}

/** A share with its interval and what it is a share of: `4.2 % (1.1 to 9.8), 3 of 72`. */
export const ShareWords = ({ part, whole, low, high }: Share) =>
  whole === 0 ? (
    '—'
  ) : (
    <>
      <span className="font-medium">{percent(part / whole)} %</span>{' '}
      <span className="whitespace-nowrap text-muted-foreground text-xs">
        ({percent(low)} to {percent(high)}), {formatCount(part)} of {formatCount(whole)}
      </span>
    </>
  )

const barPx = 96
const radiusPx = 3

/** The same as a mark within its interval on a line from 0 to `most`, the words beside it, so that rows can be compared at a look. */
export const ShareChart = ({ most, ...share }: Share & { most: number }) => {
  const { part, whole, low, high } = share
  if (whole === 0) return '—'
  const at = (value: number): number => radiusPx + (most === 0 ? 0 : value / most) * (barPx - 2 * radiusPx)
  return (
    <span className="inline-flex flex-col items-end">
      <span className="font-medium">{percent(part / whole)} %</span>
      <svg aria-hidden width={barPx} height={2 * radiusPx + 4} className="my-0.5 overflow-visible">
        <line x1={at(0)} x2={at(most)} y1={radiusPx + 2} y2={radiusPx + 2} className="stroke-border" />
        <line
          x1={at(low)}
          x2={at(high)}
          y1={radiusPx + 2}
          y2={radiusPx + 2}
          strokeWidth={4}
          strokeLinecap="round"
          className="stroke-primary/30"
        />
        <circle cx={at(part / whole)} cy={radiusPx + 2} r={radiusPx} className="fill-primary" />
      </svg>
      <span className="whitespace-nowrap text-muted-foreground text-xs">
        {percent(low)} to {percent(high)}, {formatCount(part)} of {formatCount(whole)}
      </span>
    </span>
  )
}
