/** What every benchmark prints: the machine, the versions, the sizes, then a table. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'

const versionOf = (name: string): string => {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }
  return `${name} ${version}`
}

export const printMachine = (packages: readonly string[]): void => {
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${gigabytes} GB, Node ${process.version}`,
  )
  console.log(packages.map(versionOf).join(', '))
}

export type Row = Record<string, string | number>

/** The rows as an aligned table; with `--json` also as one object on the last line. */
export const printRows = (rows: readonly Row[]): void => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))]
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)))
  for (const line of cells)
    console.log(
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
    )
  if (process.argv.includes('--json')) console.log(JSON.stringify({ rows }))
}

export const residentMegabytes = (): number => Math.round(process.memoryUsage.rss() / 1e6)
