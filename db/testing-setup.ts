/** Once a test run: migrates an empty database and keeps its dump; a test file that starts from it saves the seconds of doing so itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openMemoryDatabase } from './open.ts'

declare module 'vitest' {
  interface ProvidedContext {
    migratedDump: string
  }
}

export default async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  if (process.env.TEST_ENGINE === 'postgres') {
    project.provide('migratedDump', '')
    return undefined
  }
  const folder = await mkdtemp(join(tmpdir(), 'footnote-test-'))
  const path = join(folder, 'migrated.tar')
  const { engine, close } = await openMemoryDatabase()
  if (engine.kind === 'pglite') await writeFile(path, await (await engine.pglite.dumpDataDir('none')).bytes())
  await close()
  project.provide('migratedDump', path)
  return () => rm(folder, { recursive: true })
}
