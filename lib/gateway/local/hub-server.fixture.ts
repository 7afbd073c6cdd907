/** A model hub of our own, for tests: folders in the hub's layout of addresses, with redirects and ranges; misbehaves on request. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** How the next requests for a file's bytes are answered. */
export type HubManners = {
  /** Cuts the connection after so many bytes of each answer. */
  breakAfterBytes?: number | undefined
  /** So many answers are refused with 503 first. */
  unavailable?: number
  /** So many answers have a byte changed. */
  damaged?: number
  /** Where the bytes are, instead of on the same server. */
  redirectTo?: string | undefined
  /** Answers a range with the whole file. */
  ignoresRanges?: boolean
  /** Says nothing of hashes and lengths, and knows no HEAD. */
  terse?: boolean
}

export type HubServer = {
  url: string
  manners: HubManners
  /** Requests for bytes: the file, and the place they were to begin at. */
  asked: { file: string; from: number }[]
  close(): Promise<void>
}

const breakAfterMs = 5

/** Serves `folder/REPOSITORY/FILE` at `/REPOSITORY/resolve/REVISION/FILE`. */
export const startHubServer = async (folder: string): Promise<HubServer> => {
  const manners: HubManners = {}
  const asked: HubServer['asked'] = []

  const send = (request: IncomingMessage, response: ServerResponse, file: string, whole: Buffer): void => {
    if (request.method === 'HEAD') return void response.writeHead(200, { 'content-length': whole.length }).end()
    const range = manners.ignoresRanges ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
    const from = Number(range ?? 0)
    asked.push({ file, from })
    if (manners.unavailable) {
      manners.unavailable -= 1
      return void response.writeHead(503).end()
    }
    if (from >= whole.length && from > 0)
      return void response.writeHead(416, { 'content-range': `bytes */${whole.length}` }).end()
    const bytes = Buffer.from(whole.subarray(from))
    if (manners.damaged) {
      manners.damaged -= 1
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    }
    response.writeHead(range === undefined ? 200 : 206, {
      ...(manners.terse ? {} : { 'content-length': bytes.length }),
      ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` }),
    })
    const { breakAfterBytes } = manners
    if (breakAfterBytes === undefined || breakAfterBytes >= bytes.length) return void response.end(bytes)
    // A moment later, so that what was sent arrives.
    response.write(bytes.subarray(0, breakAfterBytes), () => setTimeout(() => response.destroy(), breakAfterMs))
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/')
    const [, repository = '', stored, file = ''] = /^\/(.+?)\/(resolve\/[^/]+|stored)\/(.+)$/.exec(path) ?? []
    const whole = await readFile(join(folder, repository, file)).catch(() => null)
    if (!whole) return void response.writeHead(404).end('Entry not found')
    if (stored === 'stored') return send(request, response, file, whole)
    if (manners.terse && request.method === 'HEAD') return void response.writeHead(405).end()
    // As the hub does it: its own answer says what the file is and sends on to where the bytes are.
    const told = {
      'x-linked-etag': `"${createHash('sha256').update(whole).digest('hex')}"`,
      'x-linked-size': whole.length,
    }
    const location = manners.redirectTo ?? `/${repository}/stored/${file}`
    if (file.endsWith('.onnx') && !manners.terse && (request.method !== 'HEAD' || manners.redirectTo === undefined))
      return void response.writeHead(302, { ...told, location }).end()
    return send(request, response, file, whole)
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    manners,
    asked,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
