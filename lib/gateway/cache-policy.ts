/**
 * When a near question may have a kept answer: only where it is certain enough that the answer is right.
 *
 * After vCache (arXiv 2502.03771): the probability that the answer is right is a logistic function of similarity, estimated for
 * each kept answer from what was seen with it and from a prior measured on labelled pairs of questions. The answer is given when the
 * lower confidence bound of that probability reaches 1 - `wrongHitsMax`; otherwise the cache abstains. So the bound is kept for
 * each hit by itself, not only on average, and an answer earns its hits by having been right.
 */

/** A near question that was asked, and whether its own answer rested on the same passages as the kept one. */
export type Observation = { similarity: number; same: boolean }

type Pair = readonly [number, number]
/** Symmetric: its two diagonal entries and the one beside them. */
type Information = readonly [first: number, beside: number, second: number]

export type Prior = {
  /** Whose cosines it was measured with; with others nothing is known and nothing is given. */
  encoder: string
  /** Taken from the cosine where questions differ in words that carry meaning. */
  rewording: number
  /** Log odds at `centre` and their rise for each .05 of similarity. */
  mean: Pair
  /** What `observationsOfPrior` labelled pairs tell about them. */
  information: Information
}

const centre = 0.95
const step = 0.05
/** What the prior counts for beside an answer's own observations; with more, an answer could not unlearn it. */
const observationsOfPrior = 200
/** Two bounds are taken, the better counts: so that both hold in 95 of 100 cases, one may fail in 4 and the other in 1. */
const deviations = 1.751
const riskOfOwn = 0.01
/** Below it nothing was measured. */
export const similarityMin = 0.8
/** A cosine of 1, with what rounding adds. */
const similarityMax = 1.001
const newtonSteps = 25

/** Made by `node bench/cache.ts DIR --fit` from 13,476 pairs of questions labelled same or not, of which one half was used. */
export const measuredPrior: Prior = {
  encoder: 'all-MiniLM-L6-v2@1d4f5f95',
  rewording: 0.05,
  mean: [2.6141, 0.7567],
  information: [30.17, -64.45, 177.8],
}

const features = (similarity: number): Pair => [1, (similarity - centre) / step]
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
const dot = (a: Pair, b: Pair): number => a[0] * b[0] + a[1] * b[1]

/** `information` times the answer is `target`. */
const solve = ([a, b, d]: Information, [x, y]: Pair): Pair => {
  const determinant = a * d - b * b
  return [(d * x - b * y) / determinant, (a * y - b * x) / determinant]
}

/** How near two questions are for the policy: their cosine, less where more than empty words differ. */
export const policySimilarity = (
  { cosine, sameWording }: { cosine: number; sameWording: boolean },
  prior: Prior = measuredPrior,
): number => (sameWording ? cosine : cosine - prior.rewording)

const learn = (
  observations: readonly Observation[],
  mean: Pair,
  information: Information,
): { mean: Pair; information: Information } => {
  let at = mean
  let known = information
  for (let turn = 0; turn < newtonSteps; turn += 1) {
    const off: Pair = [mean[0] - at[0], mean[1] - at[1]]
    let slope: Pair = [
      information[0] * off[0] + information[1] * off[1],
      information[1] * off[0] + information[2] * off[1],
    ]
    known = information
    for (const { similarity, same } of observations) {
      const x = features(similarity)
      const right = sigmoid(dot(at, x))
      const error = (same ? 1 : 0) - right
      const weight = right * (1 - right)
      slope = [slope[0] + error * x[0], slope[1] + error * x[1]]
      known = [known[0] + weight * x[0] * x[0], known[1] + weight * x[0] * x[1], known[2] + weight * x[1] * x[1]]
    }
    const change = solve(known, slope)
    // Half a step at most one unit long: Newton's own can leap over the top when few observations disagree with the prior.
    const length = Math.max(1, Math.hypot(...change))
    at = [at[0] + change[0] / length, at[1] + change[1] / length]
    if (Math.hypot(...change) < 1e-6) break
  }
  return { mean: at, information: known }
}

/** Chance of at most `wrong` wrong ones among `count`, when each is wrong with chance `rate`. */
const chanceOfAtMost = (wrong: number, count: number, rate: number): number => {
  let term = (1 - rate) ** count
  let sum = term
  for (let at = 1; at <= wrong; at += 1) {
    term *= ((count - at + 1) / at) * (rate / (1 - rate))
    sum += term
  }
  return sum
}

/** The share of wrong ones that `count` with `wrong` among them leaves possible at this risk (Clopper and Pearson, one-sided). */
export const wrongShareLimit = (wrong: number, count: number, risk: number): number => {
  if (wrong >= count) return 1
  let [low, high] = [wrong / count, 1]
  for (let turn = 0; turn < 40; turn += 1) {
    const middle = (low + high) / 2
    if (chanceOfAtMost(wrong, count, middle) > risk) low = middle
    else high = middle
  }
  return high
}

/**
 * The probability that the kept answer is right at this similarity, as far as it is certain: its lower 95 % bound. It is the better of
 * two: the curve's, which the prior begins and the answer's observations bend; and that of the observations alone which were no nearer
 * than this one, since an answer that was right farther away is right here.
 */
export const certaintyOf = (
  similarity: number,
  observations: readonly Observation[],
  prior: Prior = measuredPrior,
): number => {
  const isMeasured = (value: number): boolean => value >= similarityMin && value <= similarityMax
  // Outside what was measured, and for numbers that are none, nothing is certain.
  if (!isMeasured(similarity)) return 0
  const sound = observations.filter((one) => isMeasured(one.similarity))
  const { mean, information } = sound.length === 0 ? prior : learn(sound, prior.mean, prior.information)
  const x = features(similarity)
  // More similar is never less right; a slope that noise turned round is taken as none.
  const middle = mean[0] + Math.max(0, mean[1]) * x[1]
  const ofCurve = sigmoid(middle - deviations * Math.sqrt(dot(x, solve(information, x))))
  const farther = sound.filter((one) => one.similarity <= similarity)
  const ofOwn = 1 - wrongShareLimit(farther.filter(({ same }) => !same).length, farther.length, riskOfOwn)
  return Math.max(ofCurve, ofOwn)
}

/** A prior from labelled pairs: logistic regression over cosine and wording, its information scaled to what a prior counts for. */
export const fitPrior = (
  encoder: string,
  pairs: readonly { cosine: number; sameWording: boolean; same: boolean }[],
): Prior => {
  // The wording's weight is found by search over a grid: the likelihood of two numbers is best at each, and one loop is enough.
  const flat: Information = [1e-3, 0, 1e-3]
  let best: Prior | undefined
  let bestLikelihood = Number.NEGATIVE_INFINITY
  for (let rewording = 0; rewording <= 0.15; rewording += 0.005) {
    const rounded = Math.round(rewording * 1_000) / 1_000
    const seen = pairs.map(({ cosine, sameWording, same }) => ({
      similarity: sameWording ? cosine : cosine - rounded,
      same,
    }))
    // All pairs at each weight, or the likelihoods would not be of the same data.
    const { mean, information } = learn(seen, [0, 0], flat)
    const likelihood = seen.reduce((sum, { similarity, same }) => {
      const right = sigmoid(dot(mean, features(similarity)))
      return sum + Math.log(Math.max(same ? right : 1 - right, 1e-12))
    }, 0)
    if (likelihood <= bestLikelihood) continue
    bestLikelihood = likelihood
    const share = Math.min(1, observationsOfPrior / Math.max(1, seen.length))
    const [a, b, d] = information
    best = { encoder, rewording: rounded, mean, information: [a * share, b * share, d * share] }
  }
  if (!best) throw new Error('There are no pairs to fit a prior to')
  return best
}
