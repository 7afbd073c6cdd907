/**
 * Proof on labelled data: `npm run eval -- SUITE [--data DIR] [--json] [--fit]`. SUITE: `trust` (DIR or DIR/groundedness holds BEGIN's and
 * SciFact's judged claims; `--fit` prints the coefficients of `lib/trust/fitted.ts` instead). What DIR does not hold is said and passed
 * over. With `--json` the last line of standard output is one object; progress goes to standard error. Exit status: 0 done, 1 a
 * check failed, 2 wrong use.
 */
import './env-file.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { closeGateway } from '#lib/gateway/index.ts'
import { evaluateTrust } from './eval-trust.ts'

const suites = new Map([['trust', { folder: 'groundedness', evaluate: evaluateTrust }]])
const usage = `use: npm run eval -- ${[...suites.keys()].join('|')} --data DIR [--json] [--fit]`

const read = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { data: { type: 'string' }, json: { type: 'boolean' }, fit: { type: 'boolean' } },
    })
  } catch {
    return null
  }
}

const run = async (): Promise<number> => {
  const given = read()
  const suite = suites.get(given?.positionals[0] ?? '')
  // A folder may also follow the suite's name.
  const data = given?.values.data ?? given?.positionals[1]
  if (!given || !suite || data === undefined || given.positionals.length > 2) {
    console.error(usage)
    return 2
  }
  const inside = join(data, suite.folder)
  try {
    const { metrics, lines } = await suite.evaluate(existsSync(inside) ? inside : data, {
      fit: given.values.fit ?? false,
      progress: (line) => process.stderr.write(`${line}\n`),
    })
    const failed = Object.entries(metrics).filter(([, { pass }]) => pass === false)
    console.log(lines.join('\n'))
    for (const [name, { value }] of failed) console.log(`below what is asked: ${name} ${value.toFixed(3)}`)
    if (given.values.json) console.log(JSON.stringify({ suite: given.positionals[0], metrics }))
    return failed.length > 0 ? 1 : 0
  } finally {
    await closeGateway()
  }
}

process.exitCode = await run()
