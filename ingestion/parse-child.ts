/** Runs in the cage: reads one file, parses it, sends the result and ends. It must never be imported by anything else. */
import dns from 'node:dns'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { kindOf } from './detect.ts'
import { parse } from './parse/index.ts'
import { Refusal } from './parse/refusal.ts'
import type { ChildMessage, ParseInput } from './sandbox.ts'

const refuseNetwork = (): never => {
  throw new Error('A parser has no network')
}
// Node's permissions do not cover the network everywhere: its doors are shut by hand before a parser is loaded.
net.Socket.prototype.connect = refuseNetwork as typeof net.Socket.prototype.connect
dns.lookup = refuseNetwork as unknown as typeof dns.lookup
globalThis.fetch = refuseNetwork

const send = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve())
  })

// Nobody waits any more.
process.once('disconnect', () => process.exit())

process.once('message', async ({ path, name }: ParseInput) => {
  try {
    const bytes = await readFile(path)
    const kind = await kindOf(bytes, name)
    const document = await parse(kind, bytes, (done, total) => void send({ type: 'progress', done, total }))
    await send({ type: 'parsed', document })
  } catch (error) {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    await send({
      type: 'refused',
      code: error instanceof Refusal ? error.code : 'damaged',
      detail: detail.slice(0, 500),
    })
  }
  process.disconnect()
})
