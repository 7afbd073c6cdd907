/**
 * Shares the width of a table among its columns by the length of their texts. The square root keeps one long column
 * from starving the others; the floor is the longest single word, which must not be broken.
 */
export function shareColumns(rows: readonly string[][], width: number, measure: (text: string) => number): number[] {
  const count = rows[0]?.length ?? 0
  const columns = Array.from({ length: count }, (_, index) => rows.map((row) => row[index] ?? ''))
  const floors = columns.map((cells) => Math.max(...cells.flatMap((cell) => cell.split(' ')).map(measure)))
  const widest = columns.map((cells) => Math.max(...cells.map(measure)))
  const spare = width - floors.reduce((sum, floor) => sum + floor, 0)
  if (spare < 0) throw new Error('A table is too wide for the page')
  const weights = widest.map((value, index) => Math.sqrt(value * Math.max(value - (floors[index] ?? 0), 1)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return floors.map((floor, index) => floor + (spare * (weights[index] ?? 0)) / total)
}
