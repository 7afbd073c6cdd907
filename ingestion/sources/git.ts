/**
 * The files of one branch of a Git repository, over HTTP and without signing in: the newest commit alone is fetched, and each file's
 * blob id says whether it changed. Packs are unpacked in a child process with bounded memory; the network stays here.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sourceKinds } from '#lib/shared/sources-contract.ts'
import { cageArguments, residentMb } from '../sandbox.ts'
import { type Connector, type SourceContext, SourceFailure } from './connector.ts'
import { highestFirst, isReadable } from './folder.ts'
import { createGlobFilter } from './glob.ts'

export type GitHttpAnswer = { status: number; statusText: string; headers: Record<string, string>; body: Uint8Array }
export type ToGitChild =
  | { type: 'open'; url: string; branch: string; folder: string }
  | { type: 'answer'; id: number; answer: GitHttpAnswer }
  | { type: 'refused'; id: number; words: string }
  | { type: 'read'; oid: string }
export type FromGitChild =
  | {
      type: 'request'
      id: number
      url: string
      method: string
      headers: Record<string, string>
      body: Uint8Array | null
    }
  | { type: 'listed'; files: [path: string, oid: string][] }
  | { type: 'blob'; oid: string; bytes: Uint8Array }
  | { type: 'failed'; code: string; status: number | null; words: string }

const bytesMax = 100 * 1_048_576
const totalMs = 600_000
const heapMb = 512
/** Buffers live outside the heap. */
const residentMbDefault = 1_024
const watchMs = 100

const failureOf = ({ code, status, words }: Extract<FromGitChild, { type: 'failed' }>): SourceFailure => {
  if (status === 401 || status === 403 || status === 404)
    return new SourceFailure('There is no repository at that address that is open to everybody.')
  if (code === 'NotFoundError') return new SourceFailure('The repository has no such branch.')
  if (code === 'incomplete') return new SourceFailure('What the server sent is incomplete. The next run tries again.')
  return new SourceFailure(`The repository cannot be read: ${words.slice(0, 300)}`)
}

type Repository = {
  files: [path: string, oid: string][]
  read(oid: string): Promise<Uint8Array>
}

/** Sends what the child asks for, within the rules of the run's own `fetch`. */
const answerTo = async (
  { url, method, headers, body }: Extract<FromGitChild, { type: 'request' }>,
  { fetch, signal }: SourceContext,
): Promise<GitHttpAnswer> => {
  const sent = body ? { body: new Uint8Array(body) } : {}
  const answer = await fetch(url, { method, headers, signal, ...sent })
  return {
    status: answer.status,
    statusText: answer.statusText,
    headers: Object.fromEntries(answer.headers),
    body: new Uint8Array(await answer.arrayBuffer()),
  }
}

const openRepository = async (
  child: ChildProcess,
  request: { url: string; branch: string; folder: string },
  context: SourceContext,
): Promise<Repository> => {
  const tell = (message: ToGitChild): void => void (child.connected && child.send(message))
  // One thing is asked at a time: the list, then one file after the other.
  let asked = Promise.withResolvers<FromGitChild>()
  let refusal: unknown
  const ask = async <Type extends FromGitChild['type']>(message: ToGitChild, type: Type) => {
    const waiting = Promise.withResolvers<FromGitChild>()
    asked = waiting
    tell(message)
    const reply = await waiting.promise
    if (reply.type === 'failed') throw refusal ?? failureOf(reply)
    if (reply.type !== type) throw new Error(`The child answered ${reply.type} for ${type}`)
    return reply as Extract<FromGitChild, { type: Type }>
  }
  child.on('message', (message: FromGitChild) => {
    if (message.type !== 'request') return asked.resolve(message)
    answerTo(message, context).then(
      (answer) => tell({ type: 'answer', id: message.id, answer }),
      (error: unknown) => {
        refusal = error
        tell({ type: 'refused', id: message.id, words: 'refused' })
      },
    )
  })
  child.on('error', (error) => asked.reject(error))
  child.on('close', () =>
    asked.reject(new SourceFailure('The repository is too large: reading it needed too much memory.')),
  )
  const { files } = await ask({ type: 'open', ...request }, 'listed')
  return { files, read: async (oid) => (await ask({ type: 'read', oid }, 'blob')).bytes }
}

const isLargeFilePointer = (bytes: Uint8Array): boolean =>
  bytes.byteLength < 400 && Buffer.from(bytes).toString('utf8').startsWith('version https://git-lfs.github.com/spec/')

const once = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (isLargeFilePointer(bytes)) throw new SourceFailure('The file is kept in Git LFS, which is not fetched.')
  yield bytes
}

/** `residentMbMax`: what the child may hold, heap and buffers together, before it is ended. */
export const createGitConnector = (residentMbMax = residentMbDefault): Connector<'git'> => ({
  ...sourceKinds.git,
  kind: 'git',
  bounds: { bytesMax, totalMs },
  list: async function* ({ url, branch, include, exclude }, context) {
    const isWanted = createGlobFilter({ include, exclude })
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'footnote-git-')))
    const child = fork(join(import.meta.dirname, 'git-child.ts'), [], {
      execArgv: [...(await cageArguments(folder, heapMb)), `--allow-fs-write=${folder}`],
      env: { NODE_ENV: 'production', NODE_OPTIONS: '' },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const stop = (): void => void child.kill('SIGKILL')
    const watch = setInterval(() => {
      if (child.pid) void residentMb(child.pid).then((megabytes) => megabytes > residentMbMax && stop())
    }, watchMs)
    context.signal.addEventListener('abort', stop, { once: true })
    try {
      const address = url.replace(/\/+$/, '')
      const repository = await openRepository(child, { url: address, branch, folder }, context)
      const blobs = new Map(repository.files.filter(([path]) => isReadable(path) && isWanted(path)))
      context.expect(blobs.size)
      for (const path of highestFirst([...blobs.keys()])) {
        const oid = blobs.get(path) ?? ''
        yield {
          uri: path,
          name: path.split('/').at(-1) ?? path,
          fingerprint: oid,
          fetch: async () => once(await repository.read(oid)),
        }
      }
    } finally {
      clearInterval(watch)
      context.signal.removeEventListener('abort', stop)
      stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  },
})

/** Every file of a readable type in the newest commit of a branch. */
export const git = createGitConnector()
