import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ScannerAway, type ScanOptions, scanStream } from './clamd.ts'
import { eicar, type Manner, startClamd, type TestClamd } from './fixtures/clamd.ts'

let clamd: TestClamd
beforeEach(async () => {
  clamd = await startClamd()
})
afterEach(() => clamd.close())

const never = new AbortController().signal

async function* piecesOf(pieces: Iterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece)
}
const scan = (pieces: Iterable<string | Uint8Array>, options: Partial<ScanOptions> = {}) =>
  scanStream(clamd.address, piecesOf(pieces), { signal: never, ...options })

describe('a clean stream', () => {
  it('passes, and has come byte for byte, empty pieces in it or not', async () => {
    const pieces = [randomBytes(300_000), Buffer.alloc(0), randomBytes(1), randomBytes(65_536)]
    expect(await scan(pieces)).toEqual({ kind: 'clean' })
    expect(clamd.received.map((bytes) => bytes.equals(Buffer.concat(pieces)))).toEqual([true])
  })

  it('passes when it is empty', async () => expect(await scan([])).toEqual({ kind: 'clean' }))
})

it('a virus is found by its name, wherever the stream is cut', async () => {
  const found = { kind: 'found', virus: 'Eicar-Test-Signature' }
  expect(await scan([eicar])).toEqual(found)
  expect(await scan(['words before ', eicar.slice(0, 20), eicar.slice(20), ' and after'])).toEqual(found)
})

it.each<Manner>(['takes-little', 'looks-into-little'])(
  'a stream that the scanner %s of was not scanned',
  async (manner) => {
    clamd.manner = manner
    expect(await scan(Array.from({ length: 20 }, () => randomBytes(60_000)))).toEqual({ kind: 'too-large' })
  },
)

describe('nothing passes without the word of the scanner', () => {
  it.each<[Manner, string]>([
    ['hangs-up', 'scanner'],
    ['is-broken', 'allocate memory'],
  ])('one that %s', async (manner, words) => {
    clamd.manner = manner
    const scanned = scan(Array.from({ length: 20 }, () => randomBytes(60_000)))
    await expect(scanned).rejects.toThrow(ScannerAway)
    await expect(scanned).rejects.toThrow(words)
  })

  it('one that speaks before it has got all', async () => {
    clamd.manner = 'answers-early'
    const endless = (function* () {
      for (;;) yield 'more'
    })()
    await expect(scan(endless)).rejects.toThrow('answered: stream: OK')
  })

  it('one that is not there', async () => {
    const { address } = clamd
    await clamd.close()
    await expect(scanStream(address, piecesOf(['x']), { signal: never })).rejects.toThrow(ScannerAway)
    clamd = await startClamd()
  })

  it('one that takes too long', async () => {
    clamd.manner = 'says-nothing'
    await expect(scan(['x'], { totalMs: 50 })).rejects.toThrow('did not answer in time')
  })
})

it('a scanner that does not read is sent no more than fits on the way, and what is read is closed', async () => {
  clamd.manner = 'stands-still'
  let takenBytes = 0
  let isClosed = false
  const endless = (async function* () {
    try {
      for (;;) {
        takenBytes += 1_048_576
        yield Buffer.alloc(1_048_576)
      }
    } finally {
      isClosed = true
    }
  })()
  await expect(scanStream(clamd.address, endless, { signal: never, totalMs: 300 })).rejects.toThrow(ScannerAway)
  expect(takenBytes).toBeLessThan(32 * 1_048_576)
  expect(isClosed).toBe(true)
})

it('a fault of the file is its own, not the scanner’s', async () => {
  const broken = (async function* () {
    yield Buffer.from('half')
    throw new Error('the disk')
  })()
  await expect(scanStream(clamd.address, broken, { signal: never })).rejects.toThrow('the disk')
})

it('a worker that stops waits for no scanner', async () => {
  clamd.manner = 'says-nothing'
  const stop = new AbortController()
  const scanned = scan(['x'], { signal: stop.signal })
  stop.abort(new Error('stopping'))
  await expect(scanned).rejects.toThrow('stopping')
})
