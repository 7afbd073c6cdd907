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

// A reader that went away must not end the process; the line is lost.
if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined)

export const log = pino(
  {
    level: env().logLevel,
    base: null,
    redact: { paths: secretPaths, censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  },
  // Not pino's own destination: when nobody reads standard error any more, that one tries for ever and the process stands still.
  { write: (line) => void process.stderr.write(line) },
)
