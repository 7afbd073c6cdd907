import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDatabase } from '#db/testing.ts'
import { newId } from '#lib/shared/ids.ts'
import { closeQueue, enqueue, type JobPayload, openQueue, work } from './jobs.ts'

const test = withDatabase()

describe('jobs', () => {
  beforeAll(() => openQueue())
  afterAll(() => closeQueue(0))

  // First on purpose: on one connection, a queue that looks anything up beside the transaction would wait for itself.
  it('takes the very first job inside a transaction', async () => {
    await test.current().db.transaction((tx) => enqueue(tx, 'document.given-up', { versionId: newId() }))
  })

  it('runs what a committed transaction enqueued and nothing of one that rolled back', async () => {
    const done: string[] = []
    const kept = newId()
    const lost = newId()
    const arrived = Promise.withResolvers<void>()
    await work('document.ingest', async ({ versionId }) => {
      done.push(versionId)
      if (versionId === kept) arrived.resolve()
    })
    await test
      .current()
      .db.transaction(async (tx) => {
        await enqueue(tx, 'document.ingest', { versionId: lost })
        throw new Error('changed my mind')
      })
      .catch(() => undefined)
    await test.current().db.transaction((tx) => enqueue(tx, 'document.ingest', { versionId: kept }))
    await arrived.promise
    expect(done).toEqual([kept])
  })

  it('a job that is given up is told with all that it carried', async () => {
    const carried: JobPayload<'document.ingest'> = { versionId: newId(), scans: 3 }
    const told = Promise.withResolvers<string>()
    await work('document.given-up', async ({ versionId }) => {
      if (versionId === carried.versionId) told.resolve(versionId)
    })
    await test.current().db.transaction((tx) => enqueue(tx, 'document.given-up', carried))
    expect(await told.promise).toBe(carried.versionId)
  })
})
