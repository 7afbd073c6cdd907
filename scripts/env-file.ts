/** Import this first: settings in `.env` count for everything that is loaded after it. What the environment has already wins. */
import { existsSync } from 'node:fs'

if (existsSync('.env')) process.loadEnvFile('.env')
