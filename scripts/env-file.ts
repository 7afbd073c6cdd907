/**
 * Import this first: settings in `.env` count for everything that is loaded after it, and what the environment has already wins.
 * A setting without a value is the same as none, also for libraries that look for themselves.
 */
import { existsSync } from 'node:fs'
import { settingNames } from '#lib/env.ts'

if (existsSync('.env')) process.loadEnvFile('.env')
for (const name of settingNames) if (process.env[name] === '') delete process.env[name]
