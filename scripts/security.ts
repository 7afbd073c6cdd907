/**
 * `npm run security -- [--json] [--report FILE]...`: the security checklist, line by line, each with the tests that prove it and whether
 * they hold. Runs those tests, the browser's last; with `--report` it reads JSON reports of Vitest or Playwright that are there
 * (`npm test` can leave them) and runs nothing. A check without a test, or whose test is gone, is not proved.
 * Exit status: 0 every M line is proved; 1 one is not; 2 wrong use.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Check, checklist } from './security-checklist.ts'

const root = join(import.meta.dirname, '..')

export type Result = { file: string; name: string; passed: boolean }
type Proof = { proof: string; passed: boolean; words: string }

/** `lib/x.test.ts: words` into the file and what its tests are called; without words every test of the file. */
const partsOf = (proof: string): { file: string; words: string } => {
  const [, file = '', words = ''] = /^(\S+?)(?:: (.*))?$/.exec(proof) ?? []
  return { file, words }
}

type VitestReport = {
  testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[]
}
type PlaywrightSuite = {
  title: string
  file?: string
  suites?: PlaywrightSuite[]
  specs?: { title: string; ok: boolean; file: string }[]
}
type PlaywrightReport = { suites: PlaywrightSuite[] }

const ofSuite = (suite: PlaywrightSuite, above: string): Result[] => [
  ...(suite.specs ?? []).map(({ title, ok, file }) => ({
    file: `e2e/${file}`,
    name: `${above} ${title}`.trim(),
    passed: ok,
  })),
  ...(suite.suites ?? []).flatMap((inner) => ofSuite(inner, `${above} ${inner.title}`.trim())),
]

/** The tests of a report, whichever of the two wrote it. */
export const resultsOf = (report: VitestReport | PlaywrightReport): Result[] =>
  'testResults' in report
    ? report.testResults.flatMap(({ name, assertionResults }) =>
        assertionResults
          .filter(({ status }) => status === 'passed' || status === 'failed')
          .map(({ fullName, status }) => ({
            file: name.startsWith(root) ? name.slice(root.length + 1) : name,
            name: fullName,
            passed: status === 'passed',
          })),
      )
    : report.suites.flatMap((suite) => ofSuite(suite, ''))

/** Whether a proof holds: at least one test of that name, and none of them failed. */
export const judge = (proof: string, results: readonly Result[]): Proof => {
  const { file, words } = partsOf(proof)
  const tests = results.filter((result) => result.file === file && result.name.includes(words))
  const failed = tests.filter(({ passed }) => !passed)
  if (tests.length === 0) return { proof, passed: false, words: 'no such test has run' }
  const counted = `${tests.length - failed.length} of ${tests.length} passed`
  return { proof, passed: failed.length === 0, words: failed[0] ? `${counted}; failed: ${failed[0].name}` : counted }
}

const runCommand = (command: string, args: string[], env: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(join(root, 'node_modules/.bin', command), args, {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'test', ...env },
      stdio: ['ignore', 2, 2],
    })
    child.on('error', () => resolve(1))
    child.on('exit', (code) => resolve(code ?? 1))
  })

const readReport = async (path: string): Promise<Result[]> =>
  resultsOf(JSON.parse(await readFile(path, 'utf8')) as VitestReport | PlaywrightReport)

/** The commands that a proof can be, by their names. */
const commands: Readonly<Record<string, [string, string[]]>> = {
  depcruise: [
    'depcruise',
    ['--config', '.dependency-cruiser.cjs', 'app', 'components', 'db', 'ingestion', 'lib', 'scripts', 'bench', 'e2e'],
  ],
}

/** Two hundred to each door and more; `npm test` sends fewer. */
const fuzzInputs = 20_000

const runAll = async (proofs: readonly string[]): Promise<Result[]> => {
  const files = [...new Set(proofs.filter((proof) => !proof.startsWith('check:')).map((proof) => partsOf(proof).file))]
  const browser = files.filter((file) => file.endsWith('.spec.ts'))
  const rest = files.filter((file) => !file.endsWith('.spec.ts'))
  const folder = await mkdtemp(join(tmpdir(), 'footnote-security-'))
  try {
    const [unit, e2e] = [join(folder, 'vitest.json'), join(folder, 'playwright.json')]
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${unit}`]
    await runCommand('vitest', ['run', ...reporters, ...rest], { FUZZ_INPUTS: String(fuzzInputs) })
    await runCommand('playwright', ['test', '--reporter=list,json', ...browser], { PLAYWRIGHT_JSON_OUTPUT_FILE: e2e })
    const read = await Promise.all([unit, e2e].map((path) => readReport(path).catch((): Result[] => [])))
    return read.flat()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const runChecks = async (proofs: readonly string[]): Promise<Result[]> => {
  const results: Result[] = []
  for (const proof of new Set(proofs.filter((one) => one.startsWith('check: ')))) {
    const name = proof.slice('check: '.length)
    const [command, args] = commands[name] ?? ['false', []]
    results.push({ file: 'check', name, passed: (await runCommand(command, args)) === 0 })
  }
  return results
}

const readArguments = () => {
  try {
    return parseArgs({
      options: { json: { type: 'boolean', default: false }, report: { type: 'string', multiple: true, default: [] } },
    }).values
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${words}\nusage: npm run security -- [--json] [--report FILE]...\n`)
    process.exit(2)
  }
}

const main = async (): Promise<void> => {
  const values = readArguments()
  const proofs = checklist.flatMap((one) => one.proofs)
  const reported = (await Promise.all(values.report.map(readReport))).flat()
  const results = [...(values.report.length > 0 ? reported : await runAll(proofs)), ...(await runChecks(proofs))]
  const lines = checklist.map((one: Check) => {
    const judged = one.proofs.map((proof) => judge(proof, results))
    const state = judged.length === 0 ? 'not proved' : judged.every(({ passed }) => passed) ? 'holds' : 'FAILS'
    return { ...one, state, proofs: judged }
  })
  const failing = lines.filter(({ must, state }) => must === 'M' && state !== 'holds')
  if (values.json) {
    const checks = lines.map(({ id, must, words, state, proofs: judged }) => ({
      id,
      must,
      words,
      test: judged.map(({ proof }) => proof),
      pass: state === 'holds',
      state,
    }))
    process.stdout.write(`${JSON.stringify({ checks })}\n`)
  } else
    for (const { id, must, words, state, proofs: judged } of lines) {
      process.stdout.write(`${state.padEnd(10)}  ${id.padEnd(14)} ${must}  ${words}\n`)
      for (const proof of judged)
        process.stdout.write(`${' '.repeat(12)}${proof.passed ? 'ok  ' : 'FAIL'} ${proof.proof} (${proof.words})\n`)
    }
  const musts = lines.filter(({ must }) => must === 'M').length
  process.stderr.write(`${musts - failing.length} of ${musts} M lines hold\n`)
  process.exitCode = failing.length === 0 ? 0 : 1
}

if (process.argv[1] === import.meta.filename) await main()
