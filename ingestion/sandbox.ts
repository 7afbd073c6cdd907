/**
 * The cage around parsers: one child process a file, with a bounded heap, a bounded wall clock, watched memory, no network, no
 * environment and no right to read anything but the program and the one file. A parser that hangs, swells or crashes ends its
 * process and nothing else; whoever called gets a reason a person can act on.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type IngestFailureCode, uploadBytesMax } from '#lib/shared/admin-contract.ts'
import type { Span } from '#lib/shared/text.ts'
import { textCharsMax } from './parse/builder.ts'
import type { Block, ParsedDocument, ParsedPage } from './parse/parsed-document.ts'
import type { RecognisedPage } from './parse/recognised.ts'

/** The file cannot be read, for a reason that lies in the file. */
export class ParseRefused extends Error {
  readonly code: IngestFailureCode
  constructor(code: IngestFailureCode, cause?: unknown) {
    super(code, { cause })
    this.name = 'ParseRefused'
    this.code = code
  }
}

export type ParseInput = {
  path: string
  name: string
  /** Pages of it that text recognition has read. */
  recognised?: readonly RecognisedPage[]
}
type ParseUsage = {
  /** The most memory that the child held at any time; 0 where there is no /proc. */
  peakMb: number
}
export type ParseOptions = {
  onProgress?: (done: number, total: number) => void
  /** Called once, whatever the outcome, before the promise settles. */
  onUsage?: (usage: ParseUsage) => void
  signal?: AbortSignal
  wallMs?: number
  heapMb?: number
}

/** A document on its way, in parts: a message of tens of megabytes would hold the event loop of whoever receives it. */
export type DocumentPart =
  | { type: 'text'; text: string }
  | { type: 'blocks'; blocks: Block[] }
  | { type: 'page'; page: ParsedPage }
  | { type: 'boxes'; boxes: ParsedPage['boxes'] }
  | { type: 'hidden'; hidden: Span[] }
  | { type: 'attachment'; attachment: NonNullable<ParsedDocument['attachments']>[number] }

/** What comes last, when all of the parts are there. */
export type DocumentRest = Omit<ParsedDocument, 'text' | 'blocks' | 'pages' | 'hidden' | 'attachments'>

export type ChildMessage =
  | { type: 'progress'; done: number; total: number }
  | { type: 'part'; part: DocumentPart }
  | { type: 'parsed'; rest: DocumentRest }
  | { type: 'refused'; code: IngestFailureCode; detail: string }

const wallMsDefault = 60_000
const heapMbDefault = 512
/** Buffers live outside the heap: the process as a whole is watched as well. */
const residentMbMax = 1_024
const watchMs = 100

const projectRoot = join(import.meta.dirname, '..')

/** Memory of a process in megabytes, now and at most so far; 0 where there is no /proc. */
const memoryOf = async (pid: number): Promise<{ residentMb: number; peakMb: number }> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const megabytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024
  return { residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
}

/** Resident memory of a process in megabytes; 0 where there is no /proc. */
export const residentMb = async (pid: number): Promise<number> => (await memoryOf(pid)).residentMb

/** Puts the parts of a document together. A child that sends more text than a document can hold is not believed. */
const createAssembly = () => {
  const texts: string[] = []
  const blocks: Block[] = []
  const pages: ParsedPage[] = []
  const hidden: Span[] = []
  const attachments: NonNullable<ParsedDocument['attachments']> = []
  let characters = 0
  return {
    add: (part: DocumentPart): void => {
      if (part.type === 'text') {
        characters += part.text.length
        if (characters > textCharsMax) throw new ParseRefused('too-much-text')
        texts.push(part.text)
      } else if (part.type === 'blocks') for (const block of part.blocks) blocks.push(block)
      else if (part.type === 'page') pages.push(part.page)
      else if (part.type === 'boxes') {
        const boxes = pages.at(-1)?.boxes
        for (const box of part.boxes) boxes?.push(box)
      } else if (part.type === 'hidden') for (const span of part.hidden) hidden.push(span)
      else attachments.push(part.attachment)
    },
    finish: (rest: DocumentRest): ParsedDocument => ({
      ...rest,
      text: texts.join(''),
      blocks,
      pages,
      ...(hidden.length > 0 ? { hidden } : {}),
      ...(attachments.length > 0 ? { attachments } : {}),
    }),
  }
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
  const { onProgress, onUsage, signal, wallMs = wallMsDefault, heapMb = heapMbDefault } = options
  signal?.throwIfAborted()
  if ((await stat(input.path)).size > uploadBytesMax) throw new ParseRefused('too-large')
  const child = await start(input.path, heapMb)
  const done = Promise.withResolvers<ParsedDocument>()
  let lastWords = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2_000)
  })
  const assembly = createAssembly()
  child.on('message', (message: ChildMessage) => {
    try {
      if (message.type === 'progress') onProgress?.(message.done, message.total)
      else if (message.type === 'part') assembly.add(message.part)
      else if (message.type === 'parsed') done.resolve(assembly.finish(message.rest))
      else done.reject(new ParseRefused(message.code, message.detail))
    } catch (error) {
      done.reject(error)
    }
  })
  child.on('error', (error) => done.reject(new ParseRefused('crashed', error)))
  // Not `exit`: the last message and the last words may still be on their way then.
  child.on('close', (code, killedBy) => {
    const outOfMemory = /heap out of memory|Allocation failed/i.test(lastWords)
    done.reject(new ParseRefused(outOfMemory ? 'memory' : 'crashed', `exit ${code ?? killedBy}: ${lastWords}`))
  })
  const clock = setTimeout(() => done.reject(new ParseRefused('timeout')), wallMs)
  let peakMb = 0
  const look = async (): Promise<void> => {
    if (!child.pid) return
    const memory = await memoryOf(child.pid)
    peakMb = Math.max(peakMb, memory.peakMb)
    if (memory.residentMb > residentMbMax) done.reject(new ParseRefused('memory'))
  }
  const watch = setInterval(() => void look(), watchMs)
  const onAbort = (): void => done.reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    child.send(input)
    return await done.promise
  } finally {
    // Before it is killed: afterwards nobody knows.
    if (onUsage) {
      await look()
      onUsage({ peakMb: Math.round(peakMb) })
    }
    clearTimeout(clock)
    clearInterval(watch)
    signal?.removeEventListener('abort', onAbort)
    child.kill('SIGKILL')
  }
}
