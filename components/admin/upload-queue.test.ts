import { describe, expect, it } from 'vitest'
import { type DocumentRow, type UploadResult, uploadBytesMax } from '#lib/shared/admin-contract.ts'
import { checkFile, createUploadQueue, type SendFile } from './upload-queue.ts'

type Answer = Awaited<ReturnType<SendFile>>
const file = (name: string, text = 'words') => new File([text], name)
const arrived = { ok: true, value: { outcome: 'created', document: {} as DocumentRow } } satisfies Answer
const refused = (code: 'internal' | 'unsupported-type' | 'rate-limited', retryable = true): Answer => ({
  ok: false,
  error: { code, message: `words of ${code}`, retryable, ...(code === 'rate-limited' ? { retryAfterSeconds: 7 } : {}) },
})

/** The server end: every call waits until the test answers it. */
const openLine = () => {
  const calls: { name: string; answer: (answer: Answer) => Promise<void>; progress: (bytes: number) => void }[] = []
  const send: SendFile = (upload, { onProgress, signal }) => {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    signal.addEventListener('abort', () => resolve(refused('internal')))
    calls.push({
      name: upload.file.name,
      progress: onProgress,
      answer: async (answer) => {
        resolve(answer)
        await promise
        await Promise.resolve()
      },
    })
    return promise
  }
  return { calls, send }
}

describe('upload queue', () => {
  it('sends three at a time and the next as soon as one has arrived', async () => {
    const { calls, send } = openLine()
    const queue = createUploadQueue(send)
    const results: UploadResult[] = []
    queue.onArrival((result) => results.push(result))
    queue.add(
      ['1.md', '2.md', '3.md', '4.md'].map((name) => file(name)),
      { collection: 'General' },
      'General',
    )
    expect(calls.map(({ name }) => name)).toEqual(['1.md', '2.md', '3.md'])
    expect(queue.getUploads().map(({ state }) => state)).toEqual(['sending', 'sending', 'sending', 'waiting'])
    calls[1]?.progress(3)
    expect(queue.getUploads()[1]).toMatchObject({ sentBytes: 3 })
    await calls[1]?.answer(arrived)
    expect(calls.at(-1)?.name).toBe('4.md')
    expect(queue.getUploads().map(({ file: { name } }) => name)).toEqual(['1.md', '3.md', '4.md'])
    expect(results).toEqual([arrived.value])
  })

  it('keeps a file that failed with the reason in words, and sends it again when asked', async () => {
    const { calls, send } = openLine()
    const queue = createUploadQueue(send)
    queue.add([file('a.csv')], { collectionId: 'c' }, 'General')
    await calls[0]?.answer(refused('internal'))
    const [failed] = queue.getUploads()
    expect(failed).toMatchObject({ state: 'failed', failure: { act: 'words of internal', retryable: true } })
    queue.retry(failed?.key ?? '')
    expect(calls).toHaveLength(2)
    await calls[1]?.answer(arrived)
    expect(queue.getUploads()).toEqual([])
  })

  it('waits as long as the server asks before it goes on', async () => {
    const { calls, send } = openLine()
    const timers: [() => void, number][] = []
    const queue = createUploadQueue(send, (run, ms) => timers.push([run, ms]))
    queue.add([file('a.txt')], { collection: 'General' }, 'General')
    await calls[0]?.answer(refused('rate-limited'))
    expect(queue.getUploads()[0]).toMatchObject({ state: 'waiting' })
    expect(calls).toHaveLength(1)
    expect(timers.map(([, ms]) => ms)).toEqual([7_000])
    timers[0]?.[0]()
    expect(calls).toHaveLength(2)
  })

  it('ends an upload that is taken out and goes on with the others', async () => {
    const { calls, send } = openLine()
    const queue = createUploadQueue(send)
    queue.add(
      ['1.md', '2.md', '3.md', '4.md'].map((name) => file(name)),
      { collection: 'General' },
      'General',
    )
    queue.remove(queue.getUploads()[0]?.key ?? '')
    await Promise.resolve()
    await Promise.resolve()
    expect(queue.getUploads().map(({ file: { name }, state }) => [name, state])).toEqual([
      ['2.md', 'sending'],
      ['3.md', 'sending'],
      ['4.md', 'sending'],
    ])
    expect(calls).toHaveLength(4)
  })

  it('refuses what cannot be read without sending a byte, and skips what nobody meant to upload', () => {
    const { calls, send } = openLine()
    const queue = createUploadQueue(send)
    queue.add([file('film.mp4'), file('no extension'), file('.DS_Store')], { collection: 'General' }, 'General')
    expect(calls).toEqual([])
    expect(queue.getUploads().map(({ failure }) => failure?.reason)).toEqual([
      'This type of file is not read yet',
      'This type of file is not read yet',
    ])
  })

  it('takes a file of exactly the greatest size and none above', () => {
    expect(checkFile({ name: 'A.PDF', size: uploadBytesMax })).toBeNull()
    expect(checkFile({ name: 'A.PDF', size: uploadBytesMax + 1 })).toMatchObject({ reason: 'The file is too large' })
  })
})
