/**
 * The cage around parsers: one child process a file, with a bounded heap, a bounded wall clock, watched memory, no network, no
 * environment and no right to read anything but the program and the one file. A parser that hangs, swells or crashes ends its
 * process and nothing else; whoever called gets a reason a person can act on.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type IngestFailureCode, uploadBytesMax } from '#lib/shared/admin-contract.ts'
import type { ParsedDocument } from './parse/parsed-document.ts'

/** The file cannot be read, for a reason that lies in the file. */
export class ParseRefused extends Error {
  readonly code: IngestFailureCode
  constructor(code: IngestFailureCode, cause?: unknown) {
    super(code, { cause })
    this.name = 'ParseRefused'
    this.code = code
  }
}

export type ParseInput = { path: string; name: string }
export type ParseOptions = {
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
  wallMs?: number
  heapMb?: number
}

export type ChildMessage =
  | { type: 'progress'; done: number; total: number }
  | { type: 'parsed'; document: ParsedDocument }
  | { type: 'refused'; code: IngestFailureCode; detail: string }

const wallMsDefault = 60_000
const heapMbDefault = 512
/** Buffers live outside the heap: the process as a whole is watched as well. */
const residentMbMax = 1_024
const watchMs = 100

const projectRoot = join(import.meta.dirname, '..')

/** Resident memory of a process in megabytes; 0 where there is no /proc. */
const residentMb = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024
}

/** Node's arguments for a process that may read the program and the one file, and nothing else. */
export const cageArguments = async (path: string, heapMb: number): Promise<string[]> => {
  const modules = await realpath(join(projectRoot, 'node_modules'))
  // Not the project's root: the data directory with its secrets and everybody's files may lie in it.
  const readable = [
    import.meta.dirname,
    join(projectRoot, 'package.json'),
    join(projectRoot, 'node_modules'),
    modules,
    path,
  ]
  return [
    `--max-old-space-size=${heapMb}`,
    '--permission',
    ...readable.map((one) => `--allow-fs-read=${one}`),
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ]
}

const start = async (path: string, heapMb: number): Promise<ChildProcess> =>
  fork(join(import.meta.dirname, 'parse-child.ts'), [], {
    execArgv: await cageArguments(path, heapMb),
    env: { NODE_ENV: 'production', NODE_OPTIONS: '' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })

/** Parses a file in a child process. Throws `ParseRefused` for what lies in the file, the signal's reason when it is aborted. */
export const parseFile = async (input: ParseInput, options: ParseOptions = {}): Promise<ParsedDocument> => {
  const { onProgress, signal, wallMs = wallMsDefault, heapMb = heapMbDefault } = options
  signal?.throwIfAborted()
  if ((await stat(input.path)).size > uploadBytesMax) throw new ParseRefused('too-large')
  const child = await start(input.path, heapMb)
  const done = Promise.withResolvers<ParsedDocument>()
  let lastWords = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2_000)
  })
  child.on('message', (message: ChildMessage) => {
    if (message.type === 'progress') onProgress?.(message.done, message.total)
    else if (message.type === 'parsed') done.resolve(message.document)
    else done.reject(new ParseRefused(message.code, message.detail))
  })
  child.on('error', (error) => done.reject(new ParseRefused('crashed', error)))
  // Not `exit`: the last message and the last words may still be on their way then.
  child.on('close', (code, killedBy) => {
    const outOfMemory = /heap out of memory|Allocation failed/i.test(lastWords)
    done.reject(new ParseRefused(outOfMemory ? 'memory' : 'crashed', `exit ${code ?? killedBy}: ${lastWords}`))
  })
  const clock = setTimeout(() => done.reject(new ParseRefused('timeout')), wallMs)
  const watch = setInterval(() => {
    if (child.pid)
      void residentMb(child.pid).then((megabytes) => {
        if (megabytes > residentMbMax) done.reject(new ParseRefused('memory'))
      })
  }, watchMs)
  const onAbort = (): void => done.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    child.send(input)
    return await done.promise
  } finally {
    clearTimeout(clock)
    clearInterval(watch)
    signal?.removeEventListener('abort', onAbort)
    child.kill('SIGKILL')
  }
}
