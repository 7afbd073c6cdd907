import type { CalibrationReport } from '#lib/shared/review-contract.ts'

const side = 240
const edge = 30
const at = (value: number): number => edge + value * side
const up = (value: number): number => edge / 2 + (1 - value) * side

/** What was said from left to right, what was right upwards; on the diagonal both are the same. The table below has the numbers. */
export const ReliabilityDiagram = ({ bins }: { bins: CalibrationReport['bins'] }) => {
  const seen = bins.filter(({ count }) => count > 0)
  const most = Math.max(1, ...seen.map(({ count }) => count))
  return (
    <figure className="px-5 pb-3 max-sm:px-4">
      <svg
        viewBox={`0 0 ${side + edge * 1.5} ${side + edge * 1.5}`}
        role="img"
        aria-label="Share found right, by the confidence that was said; the numbers are in the table below"
        className="w-full max-w-[340px] text-[10px]"
      >
        <rect x={at(0)} y={up(1)} width={side} height={side} className="fill-none stroke-border" />
        <line
          x1={at(0)}
          y1={up(0)}
          x2={at(1)}
          y2={up(1)}
          className="stroke-muted-foreground/60"
          strokeDasharray="4 4"
        />
        {[0, 0.5, 1].map((tick) => (
          <g key={tick} className="fill-muted-foreground">
            <text x={at(tick)} y={up(0) + 14} textAnchor="middle">
              {tick * 100} %
            </text>
            <text x={at(0) - 4} y={up(tick) + 3} textAnchor="end">
              {tick * 100}
            </text>
          </g>
        ))}
        {seen.map(({ from, count, said, right, low, high }) => (
          <g key={from}>
            <line
              x1={at(said)}
              y1={up(low)}
              x2={at(said)}
              y2={up(high)}
              className="stroke-primary/50"
              strokeWidth={2}
            />
            {/* Its area grows with how many decisions it stands for. */}
            <circle cx={at(said)} cy={up(right)} r={3 + 5 * Math.sqrt(count / most)} className="fill-primary" />
          </g>
        ))}
      </svg>
      <figcaption className="text-[12.5px] text-muted-foreground">
        Said (across) and found right (upwards). Bars: where the true share is, with 95 % certainty.
      </figcaption>
    </figure>
  )
}
