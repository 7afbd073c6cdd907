import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const folders: string[] = []
const scratch = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'footnote-kill-'))
  folders.push(folder)
  return folder
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

const program = join(import.meta.dirname, 'fixtures/worker-process.ts')

/** Runs the program until it ends or `stopAt` comes true of what it says; then it is killed without a word. */
const run = (
  dataDir: string,
  args: string[],
  stopAt: (line: string) => boolean = () => false,
): Promise<{ last: string; killed: boolean }> =>
  new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [program, ...args], {
      env: { NODE_ENV: 'test', PATH: process.env.PATH, DATA_DIR: dataDir, LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let last = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) {
        last = line
        if (stopAt(line)) child.kill('SIGKILL')
      }
    })
    child.on('error', reject)
    child.on('exit', (_, signal) => resolve({ last, killed: signal === 'SIGKILL' }))
  })

it('a process killed while it reads leaves a document that the next one finishes, as a clean run would have', async () => {
  const file = join(await scratch(), 'long.md')
  const sections = Array.from(
    { length: 90 },
    (_, index) => `## Part ${index}\n\n${`Rule ${index} stands here. `.repeat(30)}`,
  )
  await writeFile(file, `# Rules\n\n${sections.join('\n\n')}\n`)

  const clean = await run(await scratch(), ['upload', file])
  expect(clean.last).toMatch(/^passages \d{2,} /)

  const dataDir = await scratch()
  const first = await run(dataDir, ['upload', file], (line) => /^embedding [1-9]/.test(line))
  expect(first.killed).toBe(true)
  const second = await run(dataDir, ['finish'])
  expect(second.last).toBe(clean.last)
}, 120_000)
