/** Whether this process can serve, part by part. Looks, never mends. */
import { database } from '#db/client.ts'
import { pingDatabase } from '#db/queries/health.ts'
import { rowSecurity } from '#db/visibility.ts'
import { encoderHealth } from '#lib/gateway/index.ts'
import { getQueueDepth } from '#lib/jobs.ts'

type Part = { ok: boolean; detail: string }
export type Health = { ready: boolean; parts: Record<'process' | 'database' | 'queue' | 'encoder' | 'access', Part> }

type Held = { footnoteReady?: boolean }
const held = globalThis as typeof globalThis & Held

/** Says that the process takes requests (or, while it stops, that it does not). */
export const setReady = (ready: boolean): void => {
  held.footnoteReady = ready
}

const part = async (look: () => Promise<string>): Promise<Part> => {
  try {
    return { ok: true, detail: await look() }
  } catch {
    return { ok: false, detail: 'does not answer' }
  }
}

/** Not in order where a server lacks the role behind which row-level security stands; it serves all the same. */
const accessPart = async (): Promise<Part> => {
  const looked = await part(async () => (await rowSecurity()).detail)
  const { on } = looked.ok ? await rowSecurity() : { on: false }
  return { ...looked, ok: looked.ok && (on || database().mode === 'embedded') }
}

/** Ready means: takes requests, and its database and queue answer. Without the encoder it serves, from words alone, and says so; so it does about how access is kept. */
export const getHealth = async (): Promise<Health> => {
  const [store, queue, encoder, access] = await Promise.all([
    part(async () => {
      await pingDatabase(database().db)
      return database().mode
    }),
    part(async () => {
      const { queued, active } = await getQueueDepth()
      return `${queued} waiting, ${active} in work`
    }),
    encoderHealth(),
    accessPart(),
  ])
  const running = held.footnoteReady ?? false
  return {
    ready: running && store.ok && queue.ok,
    parts: {
      process: { ok: running, detail: running ? 'takes requests' : 'starting or stopping' },
      database: store,
      queue,
      encoder: { ok: encoder.ok, detail: encoder.detail },
      access,
    },
  }
}
