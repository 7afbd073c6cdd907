/**
 * `npm test`: everything that must hold, from a fresh clone. Two lanes run side by side (one reads and builds, one runs unit and
 * database tests), then the browser has the machine to itself. Closes with `N passed, N failed` and exits with 1 on any failure.
 * `check` runs only what reads the sources; `e2e` only the build and the browser.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap, build, run, say } from './bootstrap.mjs'
import { findPostgres } from './postgres.mjs'

const inCi = process.env.CI === 'true' || process.env.CI === '1'
const stillRunningMs = 30_000

const reports = mkdtempSync(join(tmpdir(), 'footnote-test-'))
process.on('exit', () => rmSync(reports, { recursive: true, force: true }))

const sum = { passed: 0, failed: 0 }
const lines = []
const running = new Map()
const startedMs = performance.now()

const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`

const report = (title, { passed, failed, output, note }, ms) => {
  sum.passed += passed
  sum.failed += failed
  const counts = `${passed} passed${failed ? `, ${failed} FAILED` : ''}`
  lines.push({ title, counts, ms, failed })
  say(
    `${failed ? 'FAIL' : ' ok '}  ${title.padEnd(34)} ${counts.padEnd(22)} ${seconds(ms)}${note ? `  (${note})` : ''}`,
  )
  if (failed) say(`\n${output.trim().slice(-12_000)}\n`)
}

/** Runs one step and reports it; a step that throws has failed. */
const step = async (title, work) => {
  const from = performance.now()
  running.set(title, from)
  const result = await work().catch((error) => ({ passed: 0, failed: 1, output: String(error?.stack ?? error) }))
  running.delete(title)
  report(title, result, performance.now() - from)
  return result.failed === 0
}

/** A command that is one check: it holds or it does not. */
const check = (title, command, args, options) =>
  step(title, async () => {
    const { code, output } = await run(command, args, options)
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output }
  })

const readReport = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** A test project of vitest. A file that cannot be loaded counts as one failed test, and so does a run without any test. */
const vitest = (title, project, env = {}) =>
  step(title, async () => {
    const path = join(reports, `${project}-${env.TEST_ENGINE ?? 'default'}.json`)
    const args = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${path}`]
    const { code, output } = await run('vitest', args, { env: { NODE_ENV: 'test', NO_COLOR: '1', ...env } })
    const result = readReport(path)
    const passed = result?.numPassedTests ?? 0
    const unloadable = result?.testResults?.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    )
    const failed = (result?.numFailedTests ?? 0) + (unloadable?.length ?? 0)
    return { passed, failed: failed || (code === 0 && passed > 0 ? 0 : 1), output }
  })

const playwright = () =>
  step('browser', async () => {
    const path = join(reports, 'browser.json')
    const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: path, NODE_ENV: 'test', NO_COLOR: '1' }
    const { code, output } = await run('playwright', ['test', '--reporter=list,json'], { env })
    const stats = readReport(path)?.stats
    const passed = (stats?.expected ?? 0) + (stats?.flaky ?? 0)
    const failed = stats?.unexpected ?? 0
    return {
      passed,
      failed: failed || (code === 0 && passed > 0 ? 0 : 1),
      output,
      note: stats?.flaky ? `${stats.flaky} only at a second try` : '',
    }
  })

const checks = async () => {
  await check('format and lint', 'biome', ['check', '--error-on-warnings', '.'])
  await step('types', async () => {
    // Writes the types of routes, which a fresh clone does not have yet.
    const routes = await run('next', ['typegen'])
    const { code, output } = routes.code === 0 ? await run('tsc', ['--noEmit']) : routes
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output }
  })
  const folders = ['app', 'components', 'lib', 'db', 'ingestion', 'scripts', 'bench', 'e2e']
  await check('import law', 'depcruise', ['--config', '.dependency-cruiser.cjs', ...folders])
  await check('dead code', 'knip', ['--no-progress'])
}

const production = () =>
  step('production build', async () => {
    const output = await build()
    return { passed: output === null ? 1 : 0, failed: output === null ? 0 : 1, output: output ?? '' }
  })

/**
 * The database tests: all of them on a server, and on the embedded engine those that the engines could answer differently
 * (`vitest.config.ts` has the list). Without a server all run on the embedded engine; there is no CI run without one.
 */
const databaseTests = async (server) => {
  const found = await server
  if (found.url) {
    await vitest('database (PostgreSQL)', 'db', { TEST_ENGINE: 'postgres', TEST_DATABASE_URL: found.url })
    found.stop()
    await vitest('database (embedded)', 'db', { TEST_ENGINE: 'pglite', TEST_FILES: 'both-engines' })
    return
  }
  if (inCi)
    await step('database (PostgreSQL)', async () => {
      throw new Error(`There is no PostgreSQL server to test on: ${found.missing}`)
    })
  else say(`  --  database (PostgreSQL): not run, ${found.missing.split('\n')[0]}. All run on the embedded engine.`)
  await vitest('database (embedded)', 'db', { TEST_ENGINE: 'pglite' })
}

const everything = async () => {
  const server = findPostgres((text) => say(`  ..  ${text}`))
  const tests = async () => {
    await vitest('unit', 'unit')
    await databaseTests(server)
  }
  let built = false
  const sources = async () => {
    await checks()
    built = await production()
  }
  await Promise.all([sources(), tests()])
  if (built) await playwright()
  else await step('browser', async () => Promise.reject(new Error('not run: the build failed')))
}

const parts = {
  all: everything,
  check: checks,
  e2e: async () => {
    if (await production()) await playwright()
  },
}

const part = parts[process.argv[2] ?? 'all']
if (!part) {
  process.stderr.write('usage: node scripts/test.mjs [check|e2e]\n')
  process.exit(2)
}
await bootstrap()
mkdirSync(reports, { recursive: true })
const ticker = setInterval(() => {
  const now = performance.now()
  const names = [...running].map(([title, from]) => `${title} (${seconds(now - from)})`)
  if (names.length > 0) say(`  ..  running: ${names.join(', ')}`)
}, stillRunningMs)
await part()
clearInterval(ticker)

const slowest = [...lines].sort((a, b) => b.ms - a.ms).slice(0, 5)
say(
  `\nSlowest: ${slowest.map(({ title, ms }) => `${title} ${seconds(ms)}`).join(', ')}. Together ${seconds(performance.now() - startedMs)}.`,
)
const broken = lines.filter(({ failed }) => failed)
if (broken.length > 0) say(`Failed: ${broken.map(({ title, counts }) => `${title} (${counts})`).join(', ')}.`)
say(`\n${sum.passed} passed, ${sum.failed} failed`)
process.exitCode = sum.failed > 0 ? 1 : 0
