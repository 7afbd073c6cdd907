/**
 * Runs in the cage: fetches one commit of a repository and unpacks what it is asked for. A pack that unpacks to far more than its size
 * ends this process and nothing else. It has no network: what it wants to ask a server it asks its parent. It must never be imported
 * by anything else.
 */
import fs from 'node:fs'
import { addRemote, fetch, type GitHttpRequest, type GitHttpResponse, init, readBlob, TREE, walk } from 'isomorphic-git'
import type { FromGitChild, GitHttpAnswer, ToGitChild } from './git.ts'

const send = (message: FromGitChild): void => void process.send?.(message)

type Pending = { answered: (answer: GitHttpAnswer) => void; refused: (error: Error) => void }
const pending = new Map<number, Pending>()

const bytesOf = async (body: GitHttpRequest['body']): Promise<Uint8Array> => {
  const pieces: Uint8Array[] = []
  for await (const piece of body ?? []) pieces.push(piece)
  return Buffer.concat(pieces)
}

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** The parent as git's client of HTTP. */
const request = async ({ url, method = 'GET', headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> => {
  const id = pending.size
  const answered = Promise.withResolvers<GitHttpAnswer>()
  pending.set(id, { answered: answered.resolve, refused: answered.reject })
  send({ type: 'request', id, url, method, headers, body: body ? await bytesOf(body) : null })
  const { status, statusText, ...answer } = await answered.promise
  return {
    url,
    method,
    statusCode: status,
    statusMessage: statusText,
    headers: answer.headers,
    body: once(answer.body),
  }
}

/** Holds the pack and its index, which would be read anew for every file. */
const cache = {}

const symbolicLink = 0o120000

const listFiles = async (dir: string, ref: string): Promise<[path: string, oid: string][]> => {
  const files: [string, string][] = []
  await walk({
    fs,
    dir,
    cache,
    trees: [TREE({ ref })],
    map: async (path, [entry]) => {
      const type = await entry?.type()
      if (type === 'blob' && (await entry?.mode()) !== symbolicLink) files.push([path, (await entry?.oid()) ?? ''])
      // A repository inside this one is not fetched.
      return type === 'tree' ? true : null
    },
  })
  return files
}

let isFetched = false
const failed = (error: unknown): void => {
  const { code = '', data = {} } = error as { code?: string; data?: { statusCode?: number } }
  send({
    type: 'failed',
    code: isFetched ? 'incomplete' : code,
    status: data.statusCode ?? null,
    words: error instanceof Error ? error.message : '',
  })
}

let folder = ''
process.on('message', (message: ToGitChild) => {
  const act = async (): Promise<void> => {
    if (message.type === 'answer') pending.get(message.id)?.answered(message.answer)
    else if (message.type === 'refused') pending.get(message.id)?.refused(new Error(message.words))
    else if (message.type === 'open') {
      folder = message.folder
      const { url, branch } = message
      await init({ fs, dir: folder })
      await addRemote({ fs, dir: folder, remote: 'origin', url })
      const found = await fetch({
        fs,
        http: { request },
        dir: folder,
        cache,
        remote: 'origin',
        ...(branch ? { ref: branch } : {}),
        depth: 1,
        singleBranch: true,
        tags: false,
      })
      isFetched = true
      send({ type: 'listed', files: await listFiles(folder, found.fetchHead ?? 'HEAD') })
    } else {
      const { blob } = await readBlob({ fs, dir: folder, cache, oid: message.oid })
      send({ type: 'blob', oid: message.oid, bytes: blob })
    }
  }
  act().catch(failed)
})
// Nobody waits any more.
process.once('disconnect', () => process.exit())
