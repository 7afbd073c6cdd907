/**
 * The only reader of `process.env`. Every variable is optional; a wrong value stops the start with all faults at once.
 * `.env.example` lists each with its default, and a test compares the two.
 */
import { resolve } from 'node:path'
import { z } from 'zod'

const blankIsUnset = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema)

/** `name=value,name=value`, values percent-encoded, as OpenTelemetry writes headers. A fault never repeats them: they hold keys. */
const headerList = z.string().transform((text, context) => {
  const headers: Record<string, string> = {}
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name, value] = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*=\s*([\x20-\x7e]*?)\s*$/.exec(pair) ?? []
    const decoded = value === undefined ? undefined : decode(value)
    if (name === undefined || decoded === undefined) {
      context.addIssue({
        code: 'custom',
        message: 'must be name=value pairs with commas between, values percent-encoded',
      })
      return z.NEVER
    }
    headers[name] = decoded
  }
  return headers
})

const decode = (value: string): string | undefined => {
  try {
    const text = decodeURIComponent(value)
    return /^[\x20-\x7e]*$/.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** Names of people come over this line and open accounts: in the clear only within this machine. */
const issuerAddress = z.url({ protocol: /^https?$/ }).refine(
  (url) => {
    const { protocol, hostname } = new URL(url)
    return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  },
  { message: 'must begin with https:// (http:// only for this machine)' },
)

/** `host:port`, `[::1]:port`, or the path of a socket. */
const scannerAddress = z.string().transform((text, context) => {
  if (text.startsWith('/')) return { path: text }
  const [, six, host = six, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? []
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) }
  context.addIssue({ code: 'custom', message: 'must be host:port, or the whole path of a socket' })
  return z.NEVER
})

const schema = z.object({
  PORT: blankIsUnset(z.coerce.number().int().min(0).max(65_535).default(3000)),
  HOST: blankIsUnset(z.string().default('127.0.0.1')),
  DATA_DIR: blankIsUnset(z.string().default('.data')),
  DATABASE_URL: blankIsUnset(z.url({ protocol: /^postgres(ql)?$/ }).optional()),
  AUTH_SECRET: blankIsUnset(z.string().min(32).optional()),
  AUTH_URL: blankIsUnset(z.url().optional()),
  OPENAI_API_KEY: blankIsUnset(z.string().optional()),
  OPENAI_BASE_URL: blankIsUnset(z.url().optional()),
  OPENAI_MODEL: blankIsUnset(z.string().optional()),
  ANTHROPIC_API_KEY: blankIsUnset(z.string().optional()),
  ANTHROPIC_MODEL: blankIsUnset(z.string().optional()),
  GOOGLE_GENERATIVE_AI_API_KEY: blankIsUnset(z.string().optional()),
  GOOGLE_MODEL: blankIsUnset(z.string().optional()),
  MODELS_DIR: blankIsUnset(z.string().default('models')),
  SOURCE_ROOTS: blankIsUnset(
    z
      .string()
      .default('')
      .transform((text) =>
        text
          .split(':')
          .map((path) => path.trim())
          .filter(Boolean)
          .map((path) => resolve(path)),
      ),
  ),
  CLAMD_ADDRESS: blankIsUnset(scannerAddress.optional()),
  HF_ENDPOINT: blankIsUnset(z.url({ protocol: /^https?$/ }).default('https://huggingface.co')),
  LOG_LEVEL: blankIsUnset(z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info')),
  METRICS_TOKEN: blankIsUnset(z.string().min(20).optional()),
  OTEL_EXPORTER_OTLP_ENDPOINT: blankIsUnset(z.url({ protocol: /^https?$/ }).optional()),
  OTEL_EXPORTER_OTLP_HEADERS: blankIsUnset(headerList.optional()),
  OTEL_SERVICE_NAME: blankIsUnset(z.string().max(200).default('footnote')),
  SMTP_URL: blankIsUnset(z.url({ protocol: /^smtps?$/ }).optional()),
  MAIL_FROM: blankIsUnset(z.string().min(3).max(300).optional()),
  DEMO: blankIsUnset(z.stringbool().optional()),
  TRUSTED_PROXIES: blankIsUnset(z.coerce.number().int().min(0).max(10).default(0)),
  OIDC_ISSUER: blankIsUnset(issuerAddress.optional()),
  OIDC_CLIENT_ID: blankIsUnset(z.string().max(500).optional()),
  OIDC_CLIENT_SECRET: blankIsUnset(z.string().max(2_000).optional()),
  OIDC_NAME: blankIsUnset(z.string().max(60).default('single sign-on')),
  OIDC_GROUPS_CLAIM: blankIsUnset(z.string().max(200).default('groups')),
})

const wholeSchema = schema.superRefine((values, context) => {
  const parts = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const
  if (parts.every((name) => values[name] === undefined)) return
  for (const name of parts)
    if (values[name] === undefined)
      context.addIssue({ code: 'custom', path: [name], message: `must be set: ${parts.join(', ')} go together` })
})

/** A sender that nobody chose would be one that mail servers refuse: the host of the mail server is the best guess there is. */
const mailOf = (url: string | undefined, from: string | undefined): { url: string; from: string } | null =>
  url ? { url, from: from ?? `Footnote <footnote@${new URL(url).hostname}>` } : null

const oidcOf = (values: z.output<typeof schema>) => {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = values
  if (!issuer || !clientId || !clientSecret) return null
  return { issuer, clientId, clientSecret, name: values.OIDC_NAME, groupsClaim: values.OIDC_GROUPS_CLAIM }
}

export type Env = ReturnType<typeof parseEnv>

/** Reads settings from `source`; throws one error that names every fault. */
export const parseEnv = (source: Record<string, string | undefined>) => {
  const parsed = wholeSchema.safeParse(source)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`).join('\n')
    throw new Error(`Settings that cannot be used:\n${faults}\nSee .env.example for what each one means.`)
  }
  const values = parsed.data
  return {
    port: values.PORT,
    host: values.HOST,
    dataDir: resolve(values.DATA_DIR),
    databaseUrl: values.DATABASE_URL,
    authSecret: values.AUTH_SECRET,
    authUrl: values.AUTH_URL,
    openai: { apiKey: values.OPENAI_API_KEY, baseUrl: values.OPENAI_BASE_URL, model: values.OPENAI_MODEL },
    anthropic: { apiKey: values.ANTHROPIC_API_KEY, model: values.ANTHROPIC_MODEL },
    google: { apiKey: values.GOOGLE_GENERATIVE_AI_API_KEY, model: values.GOOGLE_MODEL },
    modelsDir: resolve(values.MODELS_DIR),
    /** Folders of this machine that may be read as sources. */
    sourceRoots: values.SOURCE_ROOTS,
    /** The clamd server that every file is shown to before it is read; undefined: none. */
    clamdAddress: values.CLAMD_ADDRESS,
    /** The model hub that encoders are fetched from. */
    hubEndpoint: values.HF_ENDPOINT,
    logLevel: values.LOG_LEVEL,
    metricsToken: values.METRICS_TOKEN,
    /** Where traces are sent; without an endpoint nowhere. */
    otel: {
      endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      serviceName: values.OTEL_SERVICE_NAME,
    },
    /** How mail is sent; null: not at all. */
    mail: mailOf(values.SMTP_URL, values.MAIL_FROM),
    /** How many proxies of ours stand in front: so many entries of X-Forwarded-For are believed. */
    trustedProxies: values.TRUSTED_PROXIES,
    /** The OpenID provider that people may sign in with; null: none. */
    oidc: oidcOf(values),
    /** Demo accounts and documents: on by default where the database is ours, never by default on a server. */
    demo: values.DEMO ?? values.DATABASE_URL === undefined,
  }
}

export const settingNames = Object.keys(schema.shape)

let cached: Env | undefined

/** The process's settings, read once. */
export const env = (): Env => {
  cached ??= parseEnv(process.env)
  return cached
}
