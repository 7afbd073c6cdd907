/** Multinomial logistic regression in plain TypeScript: what trains the small heads that come with the product. */

export type Sample = { features: Float32Array; label: number }

export type SoftmaxModel = { weights: Float32Array[]; bias: Float32Array }

export type TrainOptions = {
  classes: number
  /** Weight of half the squared weights beside the mean loss of a sample. */
  l2: number
  epochs: number
  seed: number
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The positions 0 to `count` - 1 in an order that depends on the random numbers only. */
export const shuffledPositions = (count: number, random: () => number): Int32Array => {
  const order = Int32Array.from({ length: count }, (_, at) => at)
  for (let at = count - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1))
    const kept = order[at] ?? 0
    order[at] = order[other] ?? 0
    order[other] = kept
  }
  return order
}

/** The product of two vectors: their cosine where both have length 1. */
export const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0)
  return sum
}

/** The probability of each class; they sum to 1. */
export const softmaxOf = ({ weights, bias }: SoftmaxModel, features: Float32Array): Float32Array => {
  const scores = Float32Array.from(weights, (row, label) => dot(row, features) + (bias[label] ?? 0))
  const highest = Math.max(...scores)
  let sum = 0
  for (let label = 0; label < scores.length; label += 1) {
    const raised = Math.exp((scores[label] ?? 0) - highest)
    scores[label] = raised
    sum += raised
  }
  return scores.map((raised) => raised / sum)
}

const batchSize = 32
const learningRate = 0.05
const firstMoment = 0.9
const secondMoment = 0.99

type Moments = { mean: Float32Array; square: Float32Array }

/** One step of Adam; the decay of the moments is corrected for their start at nothing. */
const step = (values: Float32Array, gradient: Float32Array, { mean, square }: Moments, rate: number, count: number) => {
  const meanScale = 1 / (1 - firstMoment ** count)
  const squareScale = 1 / (1 - secondMoment ** count)
  for (let at = 0; at < values.length; at += 1) {
    const slope = gradient[at] ?? 0
    const nextMean = firstMoment * (mean[at] ?? 0) + (1 - firstMoment) * slope
    const nextSquare = secondMoment * (square[at] ?? 0) + (1 - secondMoment) * slope * slope
    mean[at] = nextMean
    square[at] = nextSquare
    values[at] = (values[at] ?? 0) - (rate * nextMean * meanScale) / (Math.sqrt(nextSquare * squareScale) + 1e-8)
  }
}

/** Adam over small batches with a rate that falls to nothing: the same samples and options give the same model. */
export const trainSoftmax = (samples: readonly Sample[], { classes, l2, epochs, seed }: TrainOptions): SoftmaxModel => {
  const width = samples[0]?.features.length ?? 0
  const rows = () => Array.from({ length: classes }, () => new Float32Array(width))
  const moments = (length: number): Moments => ({ mean: new Float32Array(length), square: new Float32Array(length) })
  const model: SoftmaxModel = { weights: rows(), bias: new Float32Array(classes) }
  const slopes = rows()
  const biasSlope = new Float32Array(classes)
  const weightMoments = rows().map((row) => moments(row.length))
  const biasMoments = moments(classes)
  const random = seededRandom(seed)
  const stepsTotal = epochs * Math.ceil(samples.length / batchSize)
  let steps = 0
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const order = shuffledPositions(samples.length, random)
    for (let from = 0; from < order.length; from += batchSize) {
      const batch = order.subarray(from, from + batchSize)
      for (const [label, slope] of slopes.entries()) {
        const row = model.weights[label]
        if (row) for (let at = 0; at < width; at += 1) slope[at] = l2 * (row[at] ?? 0)
      }
      biasSlope.fill(0)
      for (const position of batch) {
        const sample = samples[position]
        if (!sample) continue
        const probabilities = softmaxOf(model, sample.features)
        for (const [label, slope] of slopes.entries()) {
          const error = ((probabilities[label] ?? 0) - (label === sample.label ? 1 : 0)) / batch.length
          // A class that is ruled out already moves nothing; most are, where there are many.
          if (Math.abs(error) < 1e-7) continue
          biasSlope[label] = (biasSlope[label] ?? 0) + error
          for (let at = 0; at < width; at += 1) slope[at] = (slope[at] ?? 0) + error * (sample.features[at] ?? 0)
        }
      }
      steps += 1
      const rate = learningRate * (1 - (steps - 1) / stepsTotal)
      for (const [label, slope] of slopes.entries()) {
        const row = model.weights[label]
        const rowMoments = weightMoments[label]
        if (row && rowMoments) step(row, slope, rowMoments, rate, steps)
      }
      step(model.bias, biasSlope, biasMoments, rate, steps)
    }
  }
  return model
}

/** The mean of each class's samples, scaled to length 1. */
export const meanDirections = (samples: readonly Sample[], classes: number): Float32Array[] => {
  const sums = Array.from({ length: classes }, () => new Float32Array(samples[0]?.features.length ?? 0))
  for (const { features, label } of samples)
    for (let at = 0; at < features.length; at += 1) {
      const sum = sums[label]
      if (sum) sum[at] = (sum[at] ?? 0) + (features[at] ?? 0)
    }
  return sums.map((sum) => {
    const length = Math.sqrt(dot(sum, sum)) || 1
    return sum.map((value) => value / length)
  })
}
