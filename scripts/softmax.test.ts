import { describe, expect, it } from 'vitest'
import {
  dot,
  meanDirections,
  type Sample,
  seededRandom,
  shuffledPositions,
  softmaxOf,
  trainSoftmax,
} from './softmax.ts'

const random = seededRandom(7)
/** Three clouds around the corners of a triangle. */
const samples: Sample[] = Array.from({ length: 300 }, (_, at) => {
  const label = at % 3
  const angle = (2 * Math.PI * label) / 3
  return {
    features: Float32Array.of(Math.cos(angle) + random() * 0.4 - 0.2, Math.sin(angle) + random() * 0.4 - 0.2),
    label,
  }
})
const options = { classes: 3, l2: 0.001, epochs: 10, seed: 1 }

describe('trainSoftmax', () => {
  it('learns classes that lie apart', () => {
    const model = trainSoftmax(samples, options)
    const right = samples.filter(({ features, label }) => {
      const probabilities = softmaxOf(model, features)
      return probabilities.indexOf(Math.max(...probabilities)) === label
    })
    expect(right.length).toBe(samples.length)
  })

  it('gives the same model for the same samples and seed', () => {
    expect(trainSoftmax(samples, options)).toEqual(trainSoftmax(samples, options))
    expect(trainSoftmax(samples, { ...options, seed: 2 })).not.toEqual(trainSoftmax(samples, options))
  })

  it('keeps weights smaller the more they are held back', () => {
    const length = (l2: number): number =>
      trainSoftmax(samples, { ...options, l2 }).weights.reduce((sum, row) => sum + dot(row, row), 0)
    expect(length(0.1)).toBeLessThan(length(0.001))
  })
})

it('probabilities sum to 1, also where scores are huge', () => {
  const model = { weights: [Float32Array.of(1_000), Float32Array.of(-1_000)], bias: new Float32Array(2) }
  const probabilities = softmaxOf(model, Float32Array.of(1))
  expect(probabilities[0]).toBe(1)
  expect(probabilities[1]).toBe(0)
})

it('mean directions have length 1 and point to their class', () => {
  const [first] = meanDirections(samples, 3)
  expect(first && dot(first, first)).toBeCloseTo(1)
  expect(first?.[0]).toBeGreaterThan(0.95)
})

it('a shuffle keeps every position once', () => {
  const order = shuffledPositions(50, seededRandom(3))
  expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at))
  expect([...order]).not.toEqual([...order].toSorted((a, b) => a - b))
})
