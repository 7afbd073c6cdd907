import { defineConfig } from 'vitest/config'

/**
 * What the two engines could answer differently, and what only one connection can do to itself: these run on both where there is a
 * server, all other database tests on the server alone (`scripts/test.mjs`). The same ways through the product, every page, route and
 * action in them, are walked by the browser tests on the embedded engine; and `db/testing.ts` refuses on either engine what would
 * wait for the one connection.
 */
const onBothEngines = [
  // Everything that is written in SQL and can be asked by itself: types of results, plans, settings, rights, migrations.
  'db/**/*.db.test.ts',
  // Where our code asks which engine it has: the queue, locks and counters, vacuum, indexes, statistics.
  'lib/{jobs,limits,health,retention,erasure,backup,trace}.db.test.ts',
  'ingestion/{pipeline,embedding-index}.db.test.ts',
  'ingestion/graph/*.db.test.ts',
  // What is done in the background in long transactions, of which the embedded engine has one at a time.
  'ingestion/{describe,describe-batch,describe-changed,quarantine}.db.test.ts',
  'ingestion/sources/*.db.test.ts',
  'lib/gateway/{admit,batch,canary,meter}.db.test.ts',
  'lib/chat/{generation,review,summarise}.db.test.ts',
  'lib/review/{corrections,decide,queue}.db.test.ts',
  'lib/rag/retrieve.db.test.ts',
]

const databaseFiles =
  process.env.TEST_FILES === 'both-engines' ? onBothEngines : ['{lib,db,ingestion,scripts}/**/*.db.test.ts']

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
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'db',
          include: databaseFiles,
          globalSetup: ['./db/testing-setup.ts'],
          // The embedded engine is WebAssembly, and V8 has died while threads that share its code let go of it: processes there.
          pool: process.env.TEST_ENGINE === 'postgres' ? 'threads' : 'forks',
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
    ],
    // A file has a thread of its own; in one process they share what was compiled, above all the embedded engine.
    pool: 'threads',
    env: { LOG_LEVEL: 'silent' },
    // Hundreds of small files that nearly every test loads anew: made one of once.
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          include: [
            'drizzle-orm',
            'drizzle-orm/pg-core',
            ...['pglite', 'postgres-js'].flatMap((driver) => [
              `drizzle-orm/${driver}`,
              `drizzle-orm/${driver}/migrator`,
            ]),
          ],
        },
      },
    },
    // It imports Next.js in a way that only a bundler resolves.
    server: { deps: { inline: ['next-auth'] } },
  },
})
