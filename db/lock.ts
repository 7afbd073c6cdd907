/**
 * One process may own an embedded database: two that write the same directory lose rows without an error. The lock is a file
 * with the owner's pid, taken exclusively; a dead owner's lock is taken over, a live one's never.
 */
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

export class DirectoryInUse extends Error {
  readonly pid: number
  constructor(dataDir: string, pid: number) {
    super(
      `Another process (pid ${pid}) is using ${dataDir}. The embedded database has one owner: stop that process, ` +
        'choose another DATA_DIR, or set DATABASE_URL to a PostgreSQL server to run several.',
    )
    this.name = 'DirectoryInUse'
    this.pid = pid
  }
}

/** Start time in clock ticks since boot from /proc, so that a pid used again by another program is not taken for the owner; '' elsewhere. */
const startTime = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The pid of the live owner of `dataDir`, or null. */
export const directoryOwner = async (dataDir: string): Promise<number | null> => {
  const content = await readFile(join(dataDir, 'owner.lock'), 'utf8').catch(() => '')
  const [pidText = '', started = ''] = content.split('\n')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null
  return (await startTime(pid)) === started ? pid : null
}

/** Takes the lock and returns its release; throws `DirectoryInUse` when a live process has it. */
export const lockDirectory = async (dataDir: string): Promise<() => Promise<void>> => {
  const path = join(dataDir, 'owner.lock')
  // Two rounds: the second after a dead owner's file was removed. Losing both means somebody else won.
  for (let round = 0; round < 2; round += 1) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(`${process.pid}\n${await startTime(process.pid)}`)
      await file.close()
      return () => rm(path, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      const owner = await directoryOwner(dataDir)
      if (owner !== null) throw new DirectoryInUse(dataDir, owner)
      await rm(path, { force: true })
    }
  }
  throw new DirectoryInUse(dataDir, (await directoryOwner(dataDir)) ?? 0)
}
