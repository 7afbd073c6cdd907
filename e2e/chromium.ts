/** The browser for the tests. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const runs = (path: string): boolean => spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0

/**
 * The path of a Chromium that runs here: the one from npm, a headless shell, which opens a page in two thirds of the time of a whole
 * browser; else one that is installed. Throws in words when there is none.
 */
export const findChromium = async (): Promise<string> => {
  const chosen = process.env.CHROMIUM_PATH
  if (chosen) return chosen
  const { default: chromium, inflate, setupLambdaEnvironment } = await import('@sparticuz/chromium')
  const path = await chromium.executablePath()
  if (runs(path)) return path
  const own = installed.find((one) => existsSync(one) && runs(one))
  if (own) return own
  // A machine without the libraries of a browser: the package has them too.
  const bin = join(import.meta.dirname, '../node_modules/@sparticuz/chromium/bin')
  await inflate(join(bin, 'al2023.tar.br'))
  setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'))
  if (runs(path)) return path
  throw new Error('No Chromium runs on this machine. Install one, or name it: CHROMIUM_PATH=/path/to/chromium')
}
