/** Imported first by a benchmark that stores files: they go to a folder of their own, never into the data of a person. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'footnote-bench-'))
Object.assign(process.env, { DATA_DIR: folder, DEMO: 'false', LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn' })
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
