/** Once a test run: migrates an empty database; a test file that starts from a copy of it saves the seconds of doing so itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { newId } from '#lib/shared/ids.ts'
import { openMemoryDatabase, openServerDatabase } from './open.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The dump of the embedded engine; empty when the tests run on a server. */
    migratedDump: string
    /** The name of the database on the server; empty when the tests run on the embedded engine. */
    migratedTemplate: string
  }
}

type TearDown = () => Promise<void>

const prepareServer = async (project: TestProject, adminUrl: string): Promise<TearDown> => {
  const name = `footnote_template_${newId().replaceAll('-', '')}`
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create database ${name}`)
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  // A database with a connection cannot be copied.
  await (await openServerDatabase(url.href)).close()
  project.provide('migratedDump', '')
  project.provide('migratedTemplate', name)
  return async () => {
    await admin.unsafe(`drop database ${name} with (force)`)
    await admin.end()
  }
}

const prepareEmbedded = async (project: TestProject): Promise<TearDown> => {
  const folder = await mkdtemp(join(tmpdir(), 'footnote-test-'))
  const path = join(folder, 'migrated.tar')
  const { engine, close } = await openMemoryDatabase()
  if (engine.kind === 'pglite') await writeFile(path, await (await engine.pglite.dumpDataDir('none')).bytes())
  await close()
  project.provide('migratedDump', path)
  project.provide('migratedTemplate', '')
  return () => rm(folder, { recursive: true })
}

export default (project: TestProject): Promise<TearDown> => {
  if (process.env.TEST_ENGINE !== 'postgres') return prepareEmbedded(project)
  const adminUrl = process.env.TEST_DATABASE_URL
  if (!adminUrl) throw new Error('TEST_ENGINE=postgres needs TEST_DATABASE_URL')
  return prepareServer(project, adminUrl)
}
