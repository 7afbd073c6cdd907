/** The browser for the tests: one that is installed, else the one from npm, which brings the system libraries it may miss. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const runs = (path: string): boolean => spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0

/** The path of a Chromium that runs here. Throws in words when there is none. */
export const findChromium = async (): Promise<string> => {
  const chosen = process.env.CHROMIUM_PATH
  if (chosen) return chosen
  const own = installed.find((path) => existsSync(path) && runs(path))
  if (own) return own
  const { default: chromium, inflate, setupLambdaEnvironment } = await import('@sparticuz/chromium')
  const path = await chromium.executablePath()
  if (runs(path)) return path
  // A machine without the libraries of a browser: the package has them too.
  const bin = join(import.meta.dirname, '../node_modules/@sparticuz/chromium/bin')
  await inflate(join(bin, 'al2023.tar.br'))
  setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'))
  if (runs(path)) return path
  throw new Error('No Chromium runs on this machine. Install one, or name it: CHROMIUM_PATH=/path/to/chromium')
}
