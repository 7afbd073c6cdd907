/** Measures of a ranking against judged documents. Grades above zero are relevant. */

export type Grades = ReadonlyMap<string, number>

/** Normalised discounted cumulative gain with linear gains, as trec_eval and BEIR count it (Järvelin and Kekäläinen, 2002). */
export const ndcg = (ranked: readonly string[], grades: Grades, depth: number): number => {
  const gain = (all: readonly number[]): number =>
    all.slice(0, depth).reduce((sum, grade, index) => sum + grade / Math.log2(index + 2), 0)
  const ideal = gain([...grades.values()].filter((grade) => grade > 0).sort((a, b) => b - a))
  return ideal === 0 ? 0 : gain(ranked.map((id) => Math.max(0, grades.get(id) ?? 0))) / ideal
}

export const recall = (ranked: readonly string[], grades: Grades, depth: number): number => {
  const relevant = [...grades].filter(([, grade]) => grade > 0)
  if (relevant.length === 0) return 0
  const found = new Set(ranked.slice(0, depth))
  return relevant.filter(([id]) => found.has(id)).length / relevant.length
}

/** The reciprocal of the first relevant rank within `depth`; 0 when there is none. */
export const reciprocalRank = (ranked: readonly string[], grades: Grades, depth: number): number => {
  const at = ranked.slice(0, depth).findIndex((id) => (grades.get(id) ?? 0) > 0)
  return at < 0 ? 0 : 1 / (at + 1)
}

/** The value below which `share` of the values lie, by the nearest rank. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
