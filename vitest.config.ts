import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{app,components,lib,db,ingestion,scripts,bench,e2e}/**/*.test.{ts,tsx}'],
          exclude: ['**/*.db.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'db',
          include: ['{lib,db,ingestion,scripts}/**/*.db.test.ts'],
          globalSetup: ['./db/testing-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
    ],
    env: { LOG_LEVEL: 'silent' },
    // It imports Next.js in a way that only a bundler resolves.
    server: { deps: { inline: ['next-auth'] } },
  },
})
