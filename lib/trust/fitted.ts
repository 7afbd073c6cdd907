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
  coveredByWords: { bias: -2.52, weights: [2.79, 1.9, -1.22, -1.52, -2.86, -0.43, -0.1, -0.53, 1.32] },
  covered: { bias: -2.4, weights: [1.21, 1.23, -1.12, -1.59, -2.73, -0.39, 0.31, -0.83, 0.51, 5.31] },
  agrees: {
    bias: 1.38,
    weights: [
      -0.88, -0.27, -0.41, -0.25, -0.72, 0.12, -0.24, 0.14, 0.02, -0.19, 0.33, -0.82, -1.91, -0.62, 0.58, 0.01, -1.26,
      2.06,
    ],
  },
  answer: { bias: 0.55, weights: [0.86] },
}
