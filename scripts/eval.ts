/**
 * Proof on labelled data: `npm run eval -- SUITE --data DIR [--json] [--fit] [--judge [--judge-sample N]]`. SUITE: `trust`:
 * DIR/groundedness (or DIR) holds BEGIN's and SciFact's judged claims, DIR/mtrag questions that a corpus does and does not answer.
 * `--fit` prints the coefficients of `lib/trust/fitted.ts` instead; `--judge` asks the model of the environment about N pairs of each
 * set, 100 unless given, too. What DIR does not hold is said and passed over. With `--json` the last line of standard output is one
 * object; progress goes to standard error. Exit status: 0 done, 1 something is not as asked, 2 wrong use.
 */
import './env-file.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { closeGateway } from '#lib/gateway/index.ts'
import { evaluateAnswerability } from './eval-answerable.ts'
import type { TrustReport } from './eval-metric.ts'
import { evaluateTrust } from './eval-trust.ts'

const suites = new Map([
  [
    'trust',
    [
      { folder: 'groundedness', evaluate: evaluateTrust },
      { folder: 'mtrag', evaluate: evaluateAnswerability },
    ],
  ],
])
const usage = `use: npm run eval -- ${[...suites.keys()].join('|')} --data DIR [--json] [--fit] [--judge [--judge-sample N]]`
const judgeSampleDefault = 100

const read = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        json: { type: 'boolean' },
        fit: { type: 'boolean' },
        judge: { type: 'boolean' },
        'judge-sample': { type: 'string' },
      },
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
  const sample = Number(given?.values['judge-sample'] ?? judgeSampleDefault)
  if (
    !given ||
    !suite ||
    data === undefined ||
    given.positionals.length > 2 ||
    !Number.isInteger(sample) ||
    sample < 1
  ) {
    console.error(usage)
    return 2
  }
  try {
    const metrics: TrustReport['metrics'] = {}
    const lines: string[] = []
    for (const { folder, evaluate } of suite) {
      const inside = join(data, folder)
      const part = await evaluate(existsSync(inside) ? inside : data, {
        fit: given.values.fit ?? false,
        judgeSample: given.values.judge ? sample : null,
        progress: (line) => process.stderr.write(`${line}\n`),
      })
      Object.assign(metrics, part.metrics)
      lines.push(...part.lines)
    }
    const failed = Object.entries(metrics).filter(([, { pass }]) => pass === false)
    console.log(lines.join('\n'))
    for (const [name, { value }] of failed) console.log(`not as asked: ${name} ${value.toFixed(3)}`)
    if (given.values.json) console.log(JSON.stringify({ suite: given.positionals[0], metrics }))
    return failed.length > 0 ? 1 : 0
  } finally {
    await closeGateway()
  }
}

process.exitCode = await run()
