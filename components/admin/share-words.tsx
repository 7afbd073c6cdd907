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
