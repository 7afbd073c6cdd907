/**
 * Sources as admins handle them: add, change, run, pause, delete. Running is a job of the worker; here stands what may be asked of it,
 * and each change is one transaction with its audit line and its job.
 */

import type { z } from 'zod'
import { database, type Tx } from '#db/client.ts'
import { getOpenCollection } from '#db/queries/documents.ts'
import {
  deleteSource as deleteSourceRow,
  getSource,
  insertSource,
  pauseSource as pauseSourceRow,
  queueRemoval,
  queueSource,
  type StoredSource,
  updateSource,
} from '#db/queries/sources.ts'
import { listCollections } from '#db/reports/documents.ts'
import { listSources as listSourceRows } from '#db/reports/sources.ts'
import { type AuditEvent, audit } from './audit.ts'
import { ensureCollection } from './documents.ts'
import { env } from './env.ts'
import { enqueue } from './jobs.ts'
import { checkAddress, RefusedAddress } from './safe-fetch.ts'
import { AppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import {
  isSourceKind,
  portFault,
  readSourceConfig,
  refusalOfSource,
  type SourceData,
  type SourceKind,
  type sourceInputSchema,
} from './shared/sources-contract.ts'
import type { Viewer } from './shared/viewer.ts'
import { openSourceFolder, RefusedFolder } from './source-roots.ts'

type Input = z.output<typeof sourceInputSchema>

const nameCharsMax = 80
const everyMinutesMin = 15
const everyMinutesMax = 43_200

const refuse = (message: string): never => {
  throw new AppError('bad-request', { message })
}

const cleanName = (name: string): string => {
  const clean = name
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
  if (!clean) refuse('Type a name, to tell it from others.')
  if (clean.length > nameCharsMax) refuse(`Shorten the name to ${nameCharsMax} characters.`)
  return clean
}

/** The address as far as it can be checked without asking for names, the folder as it is now. Throws `bad-request`, in words. */
const checkPlace = async (config: Record<string, unknown>): Promise<void> => {
  try {
    if (typeof config.path === 'string') await openSourceFolder(config.path, env().sourceRoots)
    if (typeof config.url !== 'string') return
    const local = config.local === true
    const fault = portFault(checkAddress(config.url, { local }), local)
    if (fault) refuse(fault)
  } catch (error) {
    if (error instanceof RefusedFolder) refuse(error.message)
    if (error instanceof RefusedAddress) refuse(refusalOfSource(error.message))
    throw error
  }
}

const checkedConfig = async (kind: SourceKind, config: unknown): Promise<Record<string, unknown>> => {
  const read = readSourceConfig(kind, config)
  if ('fault' in read) return refuse(read.fault)
  await checkPlace(read.config)
  return read.config
}

const checkedSchedule = (everyMinutes: number | null): number | null => {
  if (everyMinutes === null) return null
  const fits = Number.isInteger(everyMinutes) && everyMinutes >= everyMinutesMin && everyMinutes <= everyMinutesMax
  return fits ? everyMinutes : refuse('Choose how often it runs: between every 15 minutes and every 30 days.')
}

const nameTaken = (): never => refuse('Another source has that name. Choose one that tells them apart.')

const startRun = async (tx: Tx, viewer: Viewer, sourceId: string, deletionsMax?: number): Promise<boolean> => {
  if (!(await queueSource(tx, viewer, sourceId))) return false
  await enqueue(tx, 'source.run', { sourceId, ...(deletionsMax === undefined ? {} : { deletionsMax }) })
  return true
}

/**
 * Adds a source and runs it, or changes one and runs it anew. Throws `bad-request` with words about what cannot be used, `not-found`.
 */
export const saveSource = async (viewer: Viewer, input: Input): Promise<{ id: string }> => {
  const name = cleanName(input.name)
  const everyMinutes = checkedSchedule(input.everyMinutes)
  const { db } = database()
  const { id } = input
  if (id !== null) {
    const kind = await db.transaction(async (tx) => (await getSource(tx, viewer, id))?.kind)
    if (kind === undefined || !isSourceKind(kind)) throw new AppError('not-found')
    const config = await checkedConfig(kind, input.config)
    await db.transaction(async (tx) => {
      if (!(await getSource(tx, viewer, id))) throw new AppError('not-found')
      if (!(await updateSource(tx, viewer, id, { name, config, everyMinutes }))) nameTaken()
      await audit(tx, { actor: viewer, event: 'source.changed', objectId: id, details: { name, config, everyMinutes } })
      await startRun(tx, viewer, id)
    })
    return { id }
  }
  const { kind } = input
  if (!isSourceKind(kind)) return refuse('Choose what kind of source it is.')
  const config = await checkedConfig(kind, input.config)
  const collectionId =
    'id' in input.collection ? input.collection.id : await ensureCollection(viewer, input.collection.name)
  if (!(await getOpenCollection(db, viewer, collectionId)))
    throw new AppError('not-found', { context: { collectionId } })
  const sourceId = newId()
  await db.transaction(async (tx) => {
    if (!(await insertSource(tx, viewer, { id: sourceId, kind, collectionId, name, config, everyMinutes }))) nameTaken()
    await audit(tx, { actor: viewer, event: 'source.created', objectId: sourceId, details: { kind, name, config } })
    await startRun(tx, viewer, sourceId)
  })
  return { id: sourceId }
}

/** A change of a source with its audit line. Throws `not-found`. */
const change = async (
  viewer: Viewer,
  id: string,
  event: AuditEvent,
  act: (tx: Tx, source: StoredSource) => Promise<Record<string, unknown>>,
): Promise<void> =>
  database().db.transaction(async (tx) => {
    const source = await getSource(tx, viewer, id)
    if (!source) throw new AppError('not-found')
    await audit(tx, { actor: viewer, event, objectId: id, details: { name: source.name, ...(await act(tx, source)) } })
  })

/**
 * Runs a source now; one that runs already goes on. `deletionsMax`: as many documents as the viewer has agreed to delete, although it
 * is more than half of the source's. Throws `not-found`.
 */
export const runSourceNow = (viewer: Viewer, id: string, deletionsMax?: number): Promise<void> =>
  change(viewer, id, 'source.run', async (tx) => {
    await startRun(tx, viewer, id, deletionsMax)
    return deletionsMax === undefined ? {} : { deletionsMax }
  })

/** Ends what runs and takes the schedule away; documents stay as they are. Throws `not-found`. */
export const pauseSource = (viewer: Viewer, id: string): Promise<void> =>
  change(viewer, id, 'source.paused', async (tx, { everyMinutes }) => {
    await pauseSourceRow(tx, viewer, id)
    return { everyMinutes }
  })

/** Deletes a source. Its documents stay as if they had been uploaded, or go with it, which a job does. Throws `not-found`. */
export const deleteSource = (viewer: Viewer, id: string, documents: 'keep' | 'delete'): Promise<void> =>
  change(viewer, id, 'source.deleted', async (tx) => {
    if (documents === 'keep') await deleteSourceRow(tx, viewer, id)
    else {
      await queueRemoval(tx, viewer, id, 'It is being deleted with its documents.')
      await enqueue(tx, 'source.run', { sourceId: id, remove: true })
    }
    return { documents }
  })

export const listSources = async (viewer: Viewer): Promise<SourceData> => {
  const { db } = database()
  const [sources, collections] = await Promise.all([listSourceRows(db, viewer), listCollections(db, viewer)])
  return { sources, collections: collections.map(({ id, name }) => ({ id, name })) }
}
