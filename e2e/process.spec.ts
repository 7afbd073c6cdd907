import { rm } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { type DocumentState, freePort, newDataDir, spawnServer, startServer } from './server.ts'

test.describe.configure({ mode: 'serial', timeout: 180_000 })

/** Long enough that the server is killed in the middle of it. */
const longText = Array.from(
  { length: 1_500 },
  (_, i) =>
    `## Section ${i}\n\nMachine ${i} is checked every ${i + 1} days by team ${i % 7}. Its belt lasts ${i * 3} hours.\n`,
).join('\n')

const uploadLong = async (server: Awaited<ReturnType<typeof startServer>>): Promise<void> => {
  const form = new FormData()
  form.set('file', new Blob([longText]), 'long.md')
  const response = await server.asLocal('/api/documents', { method: 'POST', body: form })
  expect(response.status).toBe(201)
}
const long = (rows: readonly DocumentState[]) => rows.find(({ name }) => name === 'long.md')

test('a server killed while it reads a document ends with the same passages as one that was not', async () => {
  const env = { DEMO: '1' }
  const calm = await startServer({ env })
  await calm.settled()
  await uploadLong(calm)
  const expected = long(await calm.settled())
  expect(expected?.stage).toBe('ready')
  await calm.remove()

  const dataDir = await newDataDir()
  const killed = await startServer({ dataDir, env })
  await killed.settled()
  await uploadLong(killed)
  await expect
    .poll(async () => long(await killed.documents())?.stage, { intervals: [20] })
    .toMatch(/parsing|chunking|embedding/)
  killed.signal('SIGKILL')
  await killed.ended

  const again = await startServer({ dataDir, env })
  const row = long(await again.settled())
  expect(row?.stage).toBe('ready')
  expect(row?.chunks).toBe(expected?.chunks)
  await again.remove()
})

test('a second server on the same data refuses to start and says why', async () => {
  const first = await startServer({ env: { DEMO: '0' } })
  const second = spawnServer({ DATA_DIR: first.dataDir, PORT: String(await freePort()), DEMO: '0' })
  let words = ''
  second.stderr?.on('data', (chunk) => {
    words += chunk
  })
  const code = await new Promise((resolve) => second.on('close', resolve))
  expect(code).toBe(1)
  expect(words).toContain(`is using ${first.dataDir}`)
  expect((await fetch(`${first.url}/api/health/ready`)).status).toBe(200)
  await first.remove()
})

test('a busy port is told in words and leaves the data free', async () => {
  const first = await startServer({ env: { DEMO: '0' } })
  const dataDir = await newDataDir()
  const second = spawnServer({ DATA_DIR: dataDir, PORT: new URL(first.url).port, HOST: '127.0.0.1', DEMO: '0' })
  let words = ''
  second.stderr?.on('data', (chunk) => {
    words += chunk
  })
  expect(await new Promise((resolve) => second.on('close', resolve))).toBe(1)
  expect(words).toContain('is in use')
  await first.remove()
  const third = await startServer({ dataDir, env: { DEMO: '0' } })
  await third.remove()
  await rm(dataDir, { recursive: true, force: true })
})

test('a server whose output nobody reads any more serves and stops as before', async () => {
  const server = await startServer({ env: { DEMO: '0', LOG_LEVEL: 'debug' } })
  server.deafen()
  for (let i = 0; i < 3; i += 1) expect((await server.asLocal('/api/chats')).status).toBeGreaterThanOrEqual(400)
  expect((await fetch(`${server.url}/api/health/ready`)).status).toBe(200)
  server.signal('SIGTERM')
  expect(await server.ended).toBe(0)
  await server.remove()
})

test('a stop in peace exits with 0, and the next start is ready within seconds', async () => {
  const dataDir = await newDataDir()
  const first = await startServer({ dataDir })
  await first.settled()
  first.signal('SIGTERM')
  expect(await first.ended).toBe(0)
  const second = await startServer({ dataDir })
  expect((await second.documents()).length).toBeGreaterThan(0)
  await second.remove()
})
