/**
 * Structured logs: one JSON object a line on standard error, with the ids of request and trace. Log events, ids and counts, never
 * document or question text. What comes along all the same is taken out here: secrets by name, by shape and by value, what hangs on
 * errors of drivers and vendors, and characters that would begin a line or steer a terminal.
 */
import { type LoggerOptions, pino } from 'pino'
import { env } from './env.ts'
import { currentRequest } from './request-context.ts'
import { scrub } from './shared/scrub.ts'

const secretCharsMin = 8

const passwordOf = (url: string | undefined): string[] => {
  if (!url || !URL.canParse(url)) return []
  const { password } = new URL(url)
  return [password, decode(password)]
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What this installation was started with and nobody may read, longest first: one may hold another. */
const ownSecrets = (): string[] => {
  const { authSecret, databaseUrl, metricsToken, openai, anthropic, google, otel, mail, oidc } = env()
  const all = [
    ...[authSecret, databaseUrl, metricsToken, openai.apiKey, anthropic.apiKey, google.apiKey, oidc?.clientSecret],
    ...[mail?.url, ...passwordOf(mail?.url), ...passwordOf(databaseUrl), ...Object.values(otel.headers)],
  ]
  return [...new Set(all)]
    .filter((secret): secret is string => secret !== undefined && secret.length >= secretCharsMin)
    .sort((a, b) => b.length - a.length)
}

/** A logger to `write`, which gets whole lines; for the process's own log and for tests of it. */
export const createLog = (
  write: (line: string) => void,
  {
    level = env().logLevel,
    secrets = ownSecrets(),
  }: { level?: LoggerOptions['level']; secrets?: readonly string[] } = {},
) =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: () => {
        const request = currentRequest()
        if (!request) return {}
        const { requestId, traceId } = request
        return traceId ? { requestId, traceId } : { requestId }
      },
      formatters: { log: (line) => scrub(line, secrets) as Record<string, unknown> },
      // What is an error is not one any more when it comes here.
      serializers: { err: (error: unknown) => error },
      hooks: {
        logMethod(given, method) {
          // Without words of its own a line would repeat those of its error, unread.
          const [first, ...rest] = given as unknown[]
          const line = first instanceof Error ? { err: first } : first
          if (typeof line === 'string') return method.apply(this, [String(scrub(line, secrets))])
          const words = typeof rest[0] === 'string' ? String(scrub(rest[0], secrets)) : 'no words'
          return method.apply(this, [line, words] as unknown as Parameters<typeof method>)
        },
      },
    },
    { write },
  )

// A reader that went away must not end the process; the line is lost.
if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined)

// Not pino's own destination: when nobody reads standard error any more, that one tries for ever and the process stands still.
export const log = createLog((line) => void process.stderr.write(line))
