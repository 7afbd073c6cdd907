/**
 * Prepares the data that servers start with, by a first start from nothing; starts the servers for the tests and signs each role in
 * once. The tests find all of it through the environment.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from '@playwright/test'
import { demoEmail, roles } from '../lib/shared/viewer.ts'
import { startMockProvider } from './mock-provider.ts'
import { prepareDataDir, startServer, type TestServer } from './server.ts'

const signIn = async ({ url, dataDir, password }: TestServer): Promise<void> => {
  for (const role of roles) {
    const context = await request.newContext({ baseURL: url })
    const { csrfToken } = (await (await context.get('/api/auth/csrf')).json()) as { csrfToken: string }
    const form = { csrfToken, email: demoEmail(role), password: await password() }
    await context.post('/api/auth/callback/credentials', { form, maxRedirects: 0 })
    await context.storageState({ path: join(dataDir, `${role}.json`) })
    await context.dispose()
  }
}

export default async (): Promise<() => Promise<void>> => {
  const [mock, ...prepared] = await Promise.all([startMockProvider(), prepareDataDir('demo'), prepareDataDir('bare')])
  const provider = { OPENAI_BASE_URL: mock.url, OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'mock-1' }
  const servers = await Promise.all([startServer(), startServer({ env: provider })])
  const [builtIn, withProvider] = servers
  for (const server of servers) {
    await server.settled()
    await signIn(server)
  }
  Object.assign(process.env, {
    E2E_BUILT_IN_URL: builtIn.url,
    E2E_BUILT_IN_DIR: builtIn.dataDir,
    E2E_PROVIDER_URL: withProvider.url,
    E2E_PROVIDER_DIR: withProvider.dataDir,
    E2E_MOCK_URL: new URL(mock.url).origin,
  })
  return async () => {
    await Promise.all(servers.map((server) => server.remove()))
    await mock.close()
    await Promise.all(prepared.map((dataDir) => rm(dataDir, { recursive: true, force: true })))
  }
}
