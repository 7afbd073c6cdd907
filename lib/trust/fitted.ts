/**
 * The coefficients of the checks, as `npm run eval -- trust --data DIR --fit` prints them from judged replies and claims (BEGIN,
 * SciFact). They stand here so that a check needs no data and the same answer always gets the same confidence.
 */
import type { LogisticModel } from './calibrate.ts'

export type Fitted = {
  /** Whether what a sentence says is in the passages, without and with an encoder. */
  coveredByWords: LogisticModel
  covered: LogisticModel
  /** Whether it points the same way as they. */
  agrees: LogisticModel
  /** From the scores of an answer's sentences to a chance. */
  answer: LogisticModel
}

export const fitted: Fitted = {
  coveredByWords: {
    bias: -2.09,
    weights: [2.72, 0.49, -0.64, -1.3, -2.53, -0.41, -0.14, -0.11, 1.08],
  },
  covered: {
    bias: -2.13,
    weights: [1.2, 0.11, -0.51, -1.36, -2.39, -0.4, 0.22, -0.44, 0.36, 4.8],
  },
  agrees: {
    bias: 1.38,
    weights: [
      -0.88, -0.27, -0.41, -0.25, -0.72, 0.12, -0.24, 0.14, 0.02, -0.19, 0.33, -0.82, -1.91, -0.62, 0.58, 0.01, -1.26,
      2.06,
    ],
  },
  answer: { bias: 0.72, weights: [0.89] },
}
