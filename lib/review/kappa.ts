/** Agreement of two raters beyond chance, on an ordered scale. Pure. */

/**
 * Cohen's kappa with quadratic weights (Cohen, 1968) over pairs of scores 0 to `levels - 1`: two steps apart counts four times one
 * step. 1 is full agreement, 0 what chance would give, below 0 less than that. Null where chance cannot be told from agreement: no
 * pairs, or all scores the same.
 */
export const weightedKappa = (pairs: readonly (readonly [number, number])[], levels: number): number | null => {
  const count = pairs.length
  if (count === 0) return null
  const [one, other] = [0, 1].map((rater) => {
    const counts = Array<number>(levels).fill(0)
    for (const pair of pairs) {
      const score = pair[rater] ?? 0
      counts[score] = (counts[score] ?? 0) + 1
    }
    return counts
  }) as [number[], number[]]
  const observed = pairs.reduce((sum, [a, b]) => sum + (a - b) ** 2, 0) / count
  const expected = one.reduce(
    (sum, ofOne, a) => sum + other.reduce((inner, ofOther, b) => inner + ofOne * ofOther * (a - b) ** 2, 0),
    0,
  )
  return expected === 0 ? null : 1 - observed / (expected / count ** 2)
}
