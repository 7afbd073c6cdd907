import { defineConfig } from '@playwright/test'
import { findChromium } from './e2e/chromium.ts'

/** Two servers are started before the tests (`e2e/global-setup.ts`): one with the built-in answerer, one with a provider of our own. */
export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  outputDir: 'test-results',
  globalSetup: './e2e/global-setup.ts',
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath: await findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage'] },
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    // Recording all takes a quarter more; of what failed, `playwright test FILE --trace on` records one.
    trace: 'off',
  },
})
