/** What proofs on labelled data share: a figure with its interval and whether it is as asked, and how figures are printed. */
import { areaUnderCurve, wilsonInterval } from '#lib/trust/calibrate.ts'

export type Metric = {
  value: number
  /** What 95 in 100 samples of this size would hold, as of items that have nothing to do with each other; null: not known. */
  low: number | null
  high: number | null
  baseline: number | null
  /** Null where nothing is asked of it. */
  pass: boolean | null
}
/** A metric with its interval. */
export type Measured = Metric & { low: number; high: number }
export type TrustReport = { metrics: Record<string, Metric>; lines: string[] }

export type TrustCall = {
  /** Coefficients are printed instead. */
  fit: boolean
  /** Items of each set that a model is asked about; null: none is. */
  judgeSample: number | null
  progress: (line: string) => void
}

export type Scored = { score: number; right: boolean }

export const aucOf = (scored: readonly Scored[]): number => areaUnderCurve(scored) ?? 0

/** Of an area under the curve from so many of both kinds (Hanley and McNeil, 1982). */
export const aucInterval = (auc: number, rights: number, wrongs: number): { low: number; high: number } => {
  const [one, two] = [auc / (2 - auc), (2 * auc ** 2) / (1 + auc)]
  const variance =
    (auc * (1 - auc) + (rights - 1) * (one - auc ** 2) + (wrongs - 1) * (two - auc ** 2)) / (rights * wrongs)
  const half = 1.96 * Math.sqrt(Math.max(0, variance))
  return { low: Math.max(0, auc - half), high: Math.min(1, auc + half) }
}

export const aucMetric = (
  scored: readonly Scored[],
  { baseline = null, pass = null }: Partial<Pick<Metric, 'baseline' | 'pass'>> = {},
): Measured => {
  const rights = scored.filter(({ right }) => right).length
  const value = aucOf(scored)
  return { value, ...aucInterval(value, rights, scored.length - rights), baseline, pass }
}

/** Of a share that was seen in `whole` things. */
export const shareMetric = (value: number, whole: number, baseline: number | null = null): Measured => ({
  value,
  ...wilsonInterval(value * whole, whole),
  baseline,
  pass: null,
})

export const shown = (value: number): string => value.toFixed(3).replace(/^0/, '')
export const column = (value: string | number, width: number): string =>
  (typeof value === 'number' ? shown(value) : value).padStart(width)
/** Said of what is asked. */
export const verdictOf = (pass: boolean): string => (pass ? 'yes' : 'NO')
