/** `npm start`: install, build when stale, then serve. `--dev` serves from the sources and skips the build. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { bootstrap, build, root, toolEnv } from './bootstrap.mjs'

const dev = process.argv.includes('--dev')
const node = await bootstrap()
if (!dev) {
  const failed = await build()
  if (failed) {
    process.stderr.write(`${failed}\nThe build failed.\n`)
    process.exit(1)
  }
}

// The database's start and documents make much garbage in little time: with small young generations and few malloc arenas the
// process gives that memory back instead of keeping it resident (a third of it, measured).
const lean = ['--max-semi-space-size=2']
const serve = spawn(node, [...lean, 'scripts/serve.ts', ...(dev ? ['--dev'] : [])], {
  cwd: root,
  env: { MALLOC_ARENA_MAX: '2', ...toolEnv() },
  // The channel tells the server when this process is gone, however it went.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => serve.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal))
// npm's shell dies of a signal without passing it on: its end is ours.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && serve.kill('SIGTERM'), 250).unref()
}
serve.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
