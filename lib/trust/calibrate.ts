/**
 * Numbers that mean what they say: fits of probabilities to what turned out to be right, and measures of how good they are. Pure: no
 * clock, no randomness, no effects.
 */

/** One thing that was said to be right with a probability, and whether it was. */
export type Outcome = {
  probability: number
  right: boolean
  /** How many answers it stands for; 1 unless given. */
  weight?: number
}

export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
/** Of a probability, kept away from 0 and 1, where it is infinite. */
export const logit = (probability: number): number => {
  const kept = Math.min(1 - 1e-4, Math.max(1e-4, probability))
  return Math.log(kept / (1 - kept))
}

export type Sample = { features: readonly number[]; right: boolean; weight?: number }
export type LogisticModel = { bias: number; weights: number[] }

/** Solves A x = b for a symmetric, positive definite A, by Cholesky. */
const solve = (matrix: readonly (readonly number[])[], vector: readonly number[]): number[] => {
  const size = vector.length
  const lower = Array.from({ length: size }, () => new Float64Array(size))
  const at = (row: number, column: number): number => lower[row]?.[column] ?? 0
  for (let row = 0; row < size; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]?.[column] ?? 0
      for (let k = 0; k < column; k++) sum -= at(row, k) * at(column, k)
      const line = lower[row]
      if (line) line[column] = row === column ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(column, column)
    }
  const half = new Float64Array(size)
  for (let row = 0; row < size; row++) {
    let sum = vector[row] ?? 0
    for (let k = 0; k < row; k++) sum -= at(row, k) * (half[k] ?? 0)
    half[row] = sum / at(row, row)
  }
  const solution = new Array<number>(size).fill(0)
  for (let row = size - 1; row >= 0; row--) {
    let sum = half[row] ?? 0
    for (let k = row + 1; k < size; k++) sum -= at(k, row) * (solution[k] ?? 0)
    solution[row] = sum / at(row, row)
  }
  return solution
}

const newtonSteps = 30

/**
 * Logistic regression by Newton's method. `l2` is the weight of half the squared coefficients beside the summed loss; it draws
 * towards `towards` (nothing, unless given), the bias only where `towards` is given.
 */
export const fitLogistic = (
  samples: readonly Sample[],
  { l2, towards }: { l2: number; towards?: LogisticModel },
): LogisticModel => {
  const width = (samples[0]?.features.length ?? towards?.weights.length ?? 0) + 1
  const home = [towards?.bias ?? 0, ...(towards?.weights ?? new Array<number>(width - 1).fill(0))]
  let current = [...home]
  const pull = home.map((_, at) => (at === 0 && !towards ? 1e-6 : l2))
  for (let step = 0; step < newtonSteps; step++) {
    const slope = current.map((value, at) => (pull[at] ?? 0) * (value - (home[at] ?? 0)))
    const curve = current.map((_, row) => current.map((__, column) => (row === column ? (pull[row] ?? 0) : 0)))
    for (const { features, right, weight = 1 } of samples) {
      const inputs = [1, ...features]
      const chance = sigmoid(inputs.reduce((sum, value, at) => sum + value * (current[at] ?? 0), 0))
      const error = weight * (chance - (right ? 1 : 0))
      const bend = weight * Math.max(chance * (1 - chance), 1e-9)
      for (let row = 0; row < width; row++) {
        slope[row] = (slope[row] ?? 0) + error * (inputs[row] ?? 0)
        const line = curve[row]
        if (line)
          for (let column = 0; column < width; column++)
            line[column] = (line[column] ?? 0) + bend * (inputs[row] ?? 0) * (inputs[column] ?? 0)
      }
    }
    const move = solve(curve, slope)
    // A step at most so long: far from the end Newton's may overshoot.
    const length = Math.hypot(...move)
    const scale = length > 4 ? 4 / length : 1
    current = current.map((value, at) => value - scale * (move[at] ?? 0))
    if (length < 1e-8) break
  }
  const [bias = 0, ...weights] = current
  return { bias, weights }
}

export const applyLogistic = ({ bias, weights }: LogisticModel, features: readonly number[]): number =>
  sigmoid(features.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), bias))

export type ReliabilityBin = {
  from: number
  to: number
  count: number
  /** The sum of their weights. */
  weight: number
  /** Mean of what was said, and share of what was right; 0 in an empty bin. */
  said: number
  right: number
  /** Wilson's interval of `right`, 95 in 100. */
  low: number
  high: number
}

/** Bounds of a share that was seen `part` times in `whole`, for `z` standard deviations (Wilson, 1927). */
export const wilsonInterval = (part: number, whole: number, z = 1.96): { low: number; high: number } => {
  if (whole === 0) return { low: 0, high: 1 }
  const share = part / whole
  const spread = z ** 2 / whole
  const middle = (share + spread / 2) / (1 + spread)
  const half = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / whole + spread / (4 * whole))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

const weightOf = ({ weight = 1 }: Outcome): number => weight

/** What was said beside what was right, in bins of equal width. */
export const reliability = (outcomes: readonly Outcome[], bins = 10): ReliabilityBin[] =>
  Array.from({ length: bins }, (_, at) => {
    const inside = outcomes.filter(({ probability }) => Math.min(bins - 1, Math.floor(probability * bins)) === at)
    const count = inside.length
    const weight = inside.reduce((sum, one) => sum + weightOf(one), 0)
    const right = inside.reduce((sum, one) => sum + (one.right ? weightOf(one) : 0), 0)
    // As many equal ones as would be as uncertain (Kish, 1965); with equal weights their number.
    const squares = inside.reduce((sum, one) => sum + weightOf(one) ** 2, 0)
    const effective = squares === 0 ? 0 : weight ** 2 / squares
    return {
      from: at / bins,
      to: (at + 1) / bins,
      count,
      weight,
      said: weight === 0 ? 0 : inside.reduce((sum, one) => sum + weightOf(one) * one.probability, 0) / weight,
      right: weight === 0 ? 0 : right / weight,
      ...wilsonInterval(weight === 0 ? 0 : (right / weight) * effective, effective),
    }
  })

/** Expected calibration error: the distance between said and right, weighted by bin (Naeini et al., 2015). */
export const calibrationError = (outcomes: readonly Outcome[], bins = 10): number => {
  const all = reliability(outcomes, bins)
  const whole = all.reduce((sum, { weight }) => sum + weight, 0)
  return whole === 0
    ? 0
    : all.reduce((sum, { weight, said, right }) => sum + weight * Math.abs(said - right), 0) / whole
}

/** How badly probabilities foretell, on the mean: the logarithm of what was given to what came (Good, 1952). Proper, and no bins. */
export const logLoss = (outcomes: readonly Outcome[]): number => {
  const weight = outcomes.reduce((sum, one) => sum + weightOf(one), 0)
  const loss = outcomes.reduce((sum, one) => {
    const given = one.right ? one.probability : 1 - one.probability
    return sum - weightOf(one) * Math.log(Math.max(given, 1e-6))
  }, 0)
  return weight === 0 ? 0 : loss / weight
}

/** The chance that a right one scores higher than a wrong one; a tie is half. Null where there is only one kind. */
export const areaUnderCurve = (scored: readonly { score: number; right: boolean }[]): number | null => {
  const sorted = [...scored].sort((a, b) => a.score - b.score)
  const rights = sorted.filter(({ right }) => right).length
  const wrongs = sorted.length - rights
  if (rights === 0 || wrongs === 0) return null
  // By ranks, with the mean rank for ties (Mann and Whitney, 1947).
  let ranks = 0
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (to < sorted.length && sorted[to]?.score === sorted[from]?.score) to++
    const tied = sorted.slice(from, to).filter(({ right }) => right).length
    ranks += (tied * (from + 1 + to)) / 2
    from = to
  }
  return (ranks - (rights * (rights + 1)) / 2) / (rights * wrongs)
}

export type RiskPoint = {
  /** Held are those whose probability is below it. */
  threshold: number
  /** Of the wrong ones, the share that is held; of the right ones, the share that is held with them. */
  wrongHeld: number
  rightHeld: number
  /** Of those shown, the share that is wrong, and the share of all that is shown. */
  risk: number
  coverage: number
}

/** What a threshold of holding costs and catches. */
export const riskCoverage = (outcomes: readonly Outcome[], thresholds: readonly number[]): RiskPoint[] => {
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
  const [right, wrong] = [outcomes.filter((one) => one.right), outcomes.filter((one) => !one.right)]
  return thresholds.map((threshold) => {
    const held = (of: readonly Outcome[]): number => of.filter(({ probability }) => probability < threshold).length
    const [wrongHeld, rightHeld] = [held(wrong), held(right)]
    const shown = outcomes.length - wrongHeld - rightHeld
    return {
      threshold,
      wrongHeld: share(wrongHeld, wrong.length),
      rightHeld: share(rightHeld, right.length),
      risk: share(wrong.length - wrongHeld, shown),
      coverage: share(shown, outcomes.length),
    }
  })
}

/** How confidences are bent so that they meet what reviewers decided: sigmoid(bias + slope * logit(confidence)). */
export type Recalibration = { bias: number; slope: number; decisions: number }
export const unchanged: Recalibration = { bias: 0, slope: 1, decisions: 0 }

/** An answer's confidence as it left the check, before any recalibration, and whether people found it right. */
export type Decision = {
  confidence: number
  wasRight: boolean
  /** How many it stands for, where some were likelier to be looked at than others; 1 unless given. */
  weight?: number
}

/** Decisions that weigh as much as the wish to leave things as they are. */
const decisionsWorth = 25
/** Twice as sure, or half as sure, at most: reviewers see a sample, and mostly of doubtful answers. */
const slopeRange = [0.25, 4] as const

/**
 * Platt scaling (1999) of `base` over people's decisions, drawn back to `base` as long as they are few. With targets smoothed as
 * Platt has them, so that a hundred rights do not make a certainty. Decisions that are no probabilities are left out.
 */
export const recalibrate = (base: Recalibration, decisions: readonly Decision[]): Recalibration => {
  const usable = decisions.filter(({ confidence, weight = 1 }) => confidence >= 0 && confidence <= 1 && weight >= 0)
  const sumOf = (some: readonly Decision[]): number => some.reduce((sum, { weight = 1 }) => sum + weight, 0)
  const rights = sumOf(usable.filter(({ wasRight }) => wasRight))
  const [high, low] = [(rights + 1) / (rights + 2), 1 / (sumOf(usable) - rights + 2)]
  // A target between is a right one and a wrong one, each with its share.
  const samples = usable.flatMap(({ confidence, wasRight, weight = 1 }): Sample[] => {
    const target = wasRight ? high : low
    const features = [logit(confidence)]
    return [
      { features, right: true, weight: weight * target },
      { features, right: false, weight: weight * (1 - target) },
    ]
  })
  if (samples.length === 0) return base
  const { bias, weights } = fitLogistic(samples, {
    // A decision in the middle bends by a quarter.
    l2: decisionsWorth / 4,
    towards: { bias: base.bias, weights: [base.slope] },
  })
  const slope = Math.min(slopeRange[1], Math.max(slopeRange[0], weights[0] ?? base.slope))
  return { bias, slope, decisions: usable.length }
}

/** A confidence as people's decisions bend it. */
export const recalibrated = ({ bias, slope, decisions }: Recalibration, confidence: number): number =>
  decisions === 0 && bias === 0 && slope === 1 ? confidence : sigmoid(bias + slope * logit(confidence))
