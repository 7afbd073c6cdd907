import { expect, test } from '@playwright/test'
import { type DocumentState, freePort, newDataDir, spawnServer, startServer, type TestServer } from './server.ts'

test.describe.configure({ mode: 'serial', timeout: 180_000 })

/** Long enough that the server is killed in the middle of it. No two are the same file. */
const longText = (name: string): string =>
  Array.from(
    { length: 400 },
    (_, i) =>
      `## Section ${i}\n\nMachine ${i} of ${name} is checked every ${i + 1} days by team ${i % 7}. Its belt lasts ${i * 3} hours.\n`,
  ).join('\n')

const upload = async (server: TestServer, name: string): Promise<void> => {
  const form = new FormData()
  form.set('file', new Blob([longText(name)]), name)
  const response = await server.asLocal('/api/documents', { method: 'POST', body: form })
  expect(response.status).toBe(201)
}
const called = (rows: readonly DocumentState[], wanted: string) => rows.find(({ name }) => name === wanted)

test('a server killed while it reads a document ends with the same passages as one that was not', async () => {
  const env = { DEMO: '1' }
  const killed = await startServer({ env })
  await upload(killed, 'calm.md')
  const expected = called(await killed.settled(), 'calm.md')
  expect(expected?.stage).toBe('ready')
  await upload(killed, 'hard.md')
  await expect
    .poll(async () => called(await killed.documents(), 'hard.md')?.stage, { intervals: [20] })
    .toMatch(/parsing|chunking|embedding/)
  killed.signal('SIGKILL')
  await killed.ended

  const again = await startServer({ dataDir: killed.dataDir, env })
  const row = called(await again.settled(), 'hard.md')
  expect(row?.stage).toBe('ready')
  expect(row?.chunks).toBe(expected?.chunks)
  await again.remove()
})

test.describe('beside a server that runs', () => {
  let first: TestServer
  test.beforeAll(async () => {
    first = await startServer({ env: { DEMO: '0', LOG_LEVEL: 'debug' } })
  })
  test.afterAll(() => first.remove())

  /** Starts one that is to refuse; returns how it ended and its words. */
  const refused = async (env: Record<string, string>): Promise<{ code: unknown; words: string }> => {
    const second = spawnServer({ DEMO: '0', ...env })
    let words = ''
    second.stderr?.on('data', (chunk) => {
      words += chunk
    })
    return { code: await new Promise((resolve) => second.on('close', resolve)), words }
  }

  test('a second server on the same data refuses to start and says why', async () => {
    const { code, words } = await refused({ DATA_DIR: first.dataDir, PORT: String(await freePort()) })
    expect(code).toBe(1)
    expect(words).toContain(`is using ${first.dataDir}`)
    expect((await fetch(`${first.url}/api/health/ready`)).status).toBe(200)
  })

  test('a busy port is told in words and leaves the data free', async () => {
    const dataDir = await newDataDir()
    const { code, words } = await refused({ DATA_DIR: dataDir, PORT: new URL(first.url).port, HOST: '127.0.0.1' })
    expect(code).toBe(1)
    expect(words).toContain('is in use')
    await (await startServer({ dataDir, env: { DEMO: '0' } })).remove()
  })

  test('a server whose output nobody reads any more serves and stops as before', async () => {
    first.deafen()
    for (let i = 0; i < 3; i += 1) expect((await first.asLocal('/api/chats')).status).toBeGreaterThanOrEqual(400)
    expect((await fetch(`${first.url}/api/health/ready`)).status).toBe(200)
    first.signal('SIGTERM')
    expect(await first.ended).toBe(0)
  })
})

test('a stop in peace exits with 0, and the next start is ready within seconds', async () => {
  const first = await startServer()
  first.signal('SIGTERM')
  expect(await first.ended).toBe(0)
  const second = await startServer({ dataDir: first.dataDir })
  expect((await second.documents()).length).toBeGreaterThan(0)
  await second.remove()
})
