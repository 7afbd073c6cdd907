/**
 * `npm run chaos [-- F01 F03] [--full] [--json]`: the faults of a provider, of finding and of taking in, one by one, through the whole
 * built product. For each a
 * table says what was expected, what was seen and whether the invariants held. Exit status: 0 all hold, 1 one does not, 2 wrong use.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Check, Fault } from './chaos-fault.ts'
import { faults as providerFaults } from './chaos-faults.ts'
import { invariantsOf } from './chaos-invariants.ts'
import { knowledgeFaults } from './chaos-knowledge.ts'
import { makeSeed, type OpenWorld, openWorld, type Remains, type WorldOptions } from './chaos-world.ts'

const faults = [...providerFaults, ...knowledgeFaults].sort((a, b) => a.id.localeCompare(b.id))

type Row = {
  id: string
  name: string
  expected: string
  seen: string
  invariants: string
  pass: boolean
  seconds: number
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const wrongUse = (words: string): never => {
  say(
    `${words}\nusage: npm run chaos [-- FAULT ...] [--full] [--json]; faults: ${faults.map(({ id }) => id).join(' ')}`,
  )
  process.exit(2)
}

const failedWords = (checks: readonly Check[]): string =>
  checks
    .filter(({ holds }) => !holds)
    .map(({ what, seen }) => `NOT ${what}: ${seen}`)
    .join('; ')

/** What did not hold comes first, in full; then what was seen of the rest. */
const seenWords = (checks: readonly Check[]): string =>
  [
    failedWords(checks),
    checks
      .filter(({ holds, seen }) => holds && seen)
      .map(({ seen }) => seen)
      .join('; '),
  ]
    .filter(Boolean)
    .join('; ')

const runFault = async (fault: Fault, seedDir: string, full: boolean): Promise<Row> => {
  const { id, name, expected } = fault
  const row = { id, name, expected }
  const startMs = performance.now()
  const broken = (error: unknown): Check => ({
    what: 'the fault could be tried',
    holds: false,
    seen: error instanceof Error ? `${error.name}: ${error.message.slice(0, 400)}` : String(error),
  })
  const remains: Remains[] = []
  const kept: Check[] = []
  let opened = 0
  let current: OpenWorld | undefined
  const endCurrent = async (): Promise<void> => {
    const ending = current
    current = undefined
    if (!ending) return
    try {
      const left = await ending.end()
      remains.push(left)
      kept.push(...invariantsOf(left))
    } catch (error) {
      kept.push(broken(error))
    }
  }
  const open = async (options: WorldOptions = {}): Promise<OpenWorld> => {
    await endCurrent()
    opened += 1
    current = await openWorld(seedDir, options)
    return current
  }
  const checks = await fault.run({ open, full }).catch((error: unknown) => [broken(error)])
  await endCurrent()
  if (fault.after && remains.length === opened) checks.push(...fault.after(remains))
  const good = kept.filter(({ holds }) => holds).length
  const all = [...checks, ...kept]
  return {
    ...row,
    seen: seenWords(checks),
    invariants: good === kept.length ? `${good} hold` : failedWords(kept),
    pass: all.length > 0 && all.every(({ holds }) => holds),
    seconds: Math.round((performance.now() - startMs) / 100) / 10,
  }
}

const printRow = (row: Row): void => {
  const lines = [
    `${row.id}  ${row.pass ? 'pass' : 'FAIL'}  ${row.name}  (${row.seconds} s)`,
    `       expected    ${row.expected}`,
    `       seen        ${row.seen}`,
    `       invariants  ${row.invariants}`,
  ]
  say(lines.join('\n'))
}

const { values, positionals } = (() => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, full: { type: 'boolean', default: false } },
    })
  } catch (error) {
    return wrongUse(error instanceof Error ? error.message : String(error))
  }
})()
const unknown = positionals.find((id) => !faults.some((fault) => fault.id === id))
if (unknown !== undefined) wrongUse(`there is no fault ${unknown}`)
if (!existsSync(join(import.meta.dirname, '../.next/BUILD_ID'))) wrongUse('there is no build: run npm run build first')

say('Preparing the demo that every fault begins with …')
const seed = await makeSeed()
const rows: Row[] = []
try {
  for (const fault of faults) {
    if (positionals.length > 0 && !positionals.includes(fault.id)) continue
    const row = await runFault(fault, seed.dataDir, values.full)
    rows.push(row)
    printRow(row)
  }
} finally {
  await seed.remove()
}
const failed = rows.filter(({ pass }) => !pass).length
say(`\n${rows.length - failed} passed, ${failed} failed`)
if (values.json) process.stdout.write(`${JSON.stringify({ faults: rows })}\n`)
process.exitCode = failed > 0 ? 1 : 0
