/**
 * From a fresh clone to something that runs. Plain JavaScript without dependencies: this runs on the Node that the machine has
 * (20.9 or newer), before anything is installed. Node 24, which the product runs on, comes with `npm install`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')
const binaries = join(root, 'node_modules', '.bin')
const installStamp = join(root, 'node_modules', '.footnote-install')
const buildStamp = join(root, '.next', 'footnote-build')

/** Node with stable type stripping; what comes from npm is newer. */
const nodeMin = [22, 18]

export const say = (text) => process.stdout.write(`${text}\n`)

const isAtLeast = (version, [major, minor]) => {
  const [ownMajor = 0, ownMinor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

const fail = (text) => {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

/** The environment of everything we start: our own Node and tools first, no word sent to anybody. */
export const toolEnv = (extra = {}) => ({
  ...process.env,
  PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}`,
  NEXT_TELEMETRY_DISABLED: '1',
  ...extra,
})

/** Runs a command to its end and collects what it prints. */
export const run = (command, args, { env = {}, timeoutMs = 0, onOutput } = {}) =>
  new Promise((resolve) => {
    const startedMs = performance.now()
    const child = spawn(command, args, { cwd: root, env: toolEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk) => {
      output += chunk
      onOutput?.(String(chunk))
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const timer = timeoutMs && setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const end = (code) => {
      clearTimeout(timer)
      resolve({ code, output, seconds: (performance.now() - startedMs) / 1_000 })
    }
    child.on('error', (error) => {
      output += `${error.message}\n`
      end(127)
    })
    child.on('close', (code) => end(code ?? 1))
  })

const hashOf = (paths) => {
  const hash = createHash('sha256')
  for (const path of paths) {
    if (!existsSync(join(root, path))) continue
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

const stampIs = (path, value) => existsSync(path) && readFileSync(path, 'utf8') === value

const installHash = () =>
  `${process.platform}-${process.arch}-${hashOf(['package-lock.json', 'package.json', '.npmrc'])}`

/** Installs the locked packages when they are missing or the lock changed. Never `npm ci`: a lock made on one platform lacks the others' binaries. */
const install = async () => {
  if (stampIs(installStamp, installHash())) return
  say('Installing packages (about a minute the first time) …')
  const npm = process.env.npm_execpath
  const args = ['install', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, output, seconds } = npm
    ? await run(process.execPath, [npm, ...args])
    : await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args)
  if (code !== 0) fail(`${output}\nThe packages could not be installed. Is the npm registry within reach?`)
  writeFileSync(installStamp, installHash())
  say(`Installed in ${seconds.toFixed(0)} s.`)
}

/** The Node that everything runs on: the one from npm when it runs here, else the machine's own when it is new enough. */
export const nodeBinary = () => {
  const fromNpm = join(binaries, 'node')
  if (spawnSync(fromNpm, ['-v']).status === 0) return fromNpm
  if (isAtLeast(process.version, nodeMin)) return process.execPath
  return fail(
    `Footnote runs on Node ${nodeMin.join('.')} or newer. npm has none that runs on this machine, and its own is ${process.version}: install a newer Node.`,
  )
}

/** Checks the machine's Node and installs. Everything after it may assume packages and tools. */
export const bootstrap = async () => {
  if (!isAtLeast(process.version, [20, 9]))
    fail(`This is Node ${process.version}. Footnote needs 20.9 or newer to install itself.`)
  await install()
  return nodeBinary()
}

const listFiles = (folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const path = `${folder}/${entry.name}`
        return entry.isDirectory() ? listFiles(path) : [path]
      })
    : []

/** What the build depends on. Tests and the demo's documents do not end up in it. */
const sourceHash = () =>
  hashOf([
    ...['app', 'components', 'db', 'ingestion', 'lib', 'public']
      .flatMap(listFiles)
      .filter((path) => !/\.test\.tsx?$|^db\/(demo\/(?!.*\.ts$)|migrations\/)|^ingestion\/fixtures\//.test(path))
      .sort(),
    ...[
      'instrumentation.ts',
      'next.config.mjs',
      'package-lock.json',
      'postcss.config.mjs',
      'proxy.ts',
      'tsconfig.json',
    ],
  ])

/** Builds when the sources changed since the last build. Returns the failed build's output, or null. */
export const build = async () => {
  const hash = sourceHash()
  if (existsSync(join(root, '.next', 'BUILD_ID')) && stampIs(buildStamp, hash)) return null
  say('Building (half a minute; only when the sources changed) …')
  const { code, output, seconds } = await run('next', ['build'], { env: { NODE_ENV: 'production' } })
  if (code !== 0) return output
  writeFileSync(buildStamp, hash)
  say(`Built in ${seconds.toFixed(0)} s.`)
  return null
}
