/** Structured logs: one JSON object a line on standard error, secrets removed. Log events, ids and counts, never document or question text. */
import { pino } from 'pino'
import { env } from './env.ts'

const secretPaths = [
  'password',
  'passwordHash',
  'token',
  'secret',
  'apiKey',
  'authorization',
  'cookie',
  'databaseUrl',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

export const log = pino(
  {
    level: env().logLevel,
    base: null,
    redact: { paths: secretPaths, censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  },
  pino.destination({ dest: 2, sync: false }),
)
