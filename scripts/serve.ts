/**
 * The server: opens the database, seeds the demo, runs the worker (embedded mode) and serves Next.js on one port.
 *
 * Promises: a prepared database is served within five seconds; a busy port or a data directory with another owner ends the start
 * in words; SIGTERM and Ctrl-C finish open answers, then close the database; a second signal ends at once.
 */
import './env-file.ts'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import next from 'next'
import { database } from '#db/client.ts'
import { DirectoryInUse } from '#db/lock.ts'
import { hasOwner, issueToken } from '#db/queries/sign-in.ts'
import { startWorker } from '#ingestion/worker.ts'
import { drainGenerations, recoverAnswers } from '#lib/chat/index.ts'
import { env } from '#lib/env.ts'
import { endOnFault } from '#lib/faults.ts'
import { warmGateway } from '#lib/gateway/index.ts'
import { setReady } from '#lib/health.ts'
import { log } from '#lib/log.ts'
import { settleForwarding } from '#lib/shared/client-address.ts'
import { demoEmail, roles } from '#lib/shared/viewer.ts'
import { deleteAddress, demoPassword, renewLocalToken, setAddress, signingSecret } from './home.ts'
import { closeProduct, openProduct, type RunningWorker } from './product.ts'
import { seedDemo } from './seed.ts'

const drainMs = 25_000
const recoverEveryMs = 30_000
/** After a fault the process ends, whatever does not close by then. */
const faultGraceMs = 10_000
/** npm, the terminal and the launcher may each pass on one Ctrl-C: within this time they are the same one. */
const sameSignalMs = 1_000

// Whoever read what we say may be gone; the server stays.
process.stdout.on('error', () => undefined)

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Ends the start with words instead of a stack when the person can mend it. */
const explain = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null
  if (error instanceof DirectoryInUse) return error.message
  const code = 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return `Port ${env().port} on ${env().host} is in use. Stop what listens there, or choose another: PORT=3001 npm start`
  if (code === 'EACCES') return `No permission to listen on port ${env().port} or to write to ${env().dataDir}.`
  if (code === 'ECONNREFUSED' || code === 'CONNECT_TIMEOUT' || code === 'ENOTFOUND')
    return `The database of DATABASE_URL does not answer (${String(code)}). Start it, or unset DATABASE_URL to use the embedded one.`
  return null
}

const refuseNotReady = (response: ServerResponse): void => {
  const message = 'Footnote is starting or stopping. Try again in a few seconds.'
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '5', 'cache-control': 'no-store' })
  response.end(JSON.stringify({ error: { code: 'not-ready', message, retryable: true } }))
}

/** The way to the first owner, printed to whoever can read this process's output; null once there is an owner. */
const setupLink = async (address: string): Promise<string | null> => {
  const { db } = database()
  if (env().demo || (await hasOwner(db, env()))) return null
  const token = await db.transaction((tx) => issueToken(tx, { purpose: 'setup', userId: null }))
  return new URL(`/setup?token=${token}`, env().authUrl ?? address).href
}

const readyNotice = async (address: string): Promise<string> => {
  const { demo, databaseUrl, dataDir } = env()
  const seconds = (performance.now() / 1_000).toFixed(1)
  const lines = ['', `Footnote is ready at ${address} (${seconds} s)`, '']
  if (demo) {
    const words = {
      member: 'asks',
      reviewer: 'asks and reviews',
      admin: 'manages documents, people and models',
      owner: 'owns the workspace',
    }
    for (const role of roles) lines.push(`  ${demoEmail(role).padEnd(20)}  ${words[role]}`)
    lines.push(`  password for each:    ${await demoPassword(env())}`, '')
  }
  const setup = await setupLink(address)
  if (setup) lines.push('Nobody owns it yet. This link makes the first owner, once, within an hour:', `  ${setup}`, '')
  lines.push(
    databaseUrl ? 'Data is on the PostgreSQL server of DATABASE_URL.' : `Data is in ${dataDir}.`,
    'Stop with Ctrl-C.',
    '',
  )
  return lines.join('\n')
}

const start = async (dev: boolean): Promise<void> => {
  const settings = env()
  const embedded = settings.databaseUrl === undefined
  let worker: RunningWorker | undefined
  let ready = false
  let stopping: Promise<void> | undefined
  let firstSignalMs = 0

  // Next.js reads both when it loads; everything below may assume them.
  const secret = await signingSecret(settings)
  Object.assign(process.env, {
    AUTH_SECRET: secret,
    NODE_ENV: dev ? 'development' : 'production',
    NEXT_TELEMETRY_DISABLED: '1',
  })

  await openProduct()
  if (embedded) await renewLocalToken(settings)

  let handle: ReturnType<ReturnType<typeof next>['getRequestHandler']> | undefined
  const server = createServer((request, response) => {
    settleForwarding(request.headers, request.socket.remoteAddress, settings.trustedProxies)
    if (!handle) return refuseNotReady(response)
    handle(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'request failed')
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })

  const drain = async (): Promise<void> => {
    setReady(false)
    await deleteAddress(settings)
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    await drainGenerations(drainMs - 5_000)
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, ready ? 5_000 : 0).unref())])
    server.closeAllConnections()
    await closeProduct(worker)
  }
  const stop = (exitCode: number): Promise<void> => {
    stopping ??= drain().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        log.fatal({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
    return stopping
  }
  const onSignal = (): void => {
    if (stopping) {
      if (performance.now() - firstSignalMs > sameSignalMs) process.exit(130)
      return
    }
    firstSignalMs = performance.now()
    say('Stopping: open answers are finished first. Press Ctrl-C again to end at once.')
    void stop(0)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
  // The launcher is gone without a word: nobody would stop this process any more.
  if (process.send) {
    process.on('disconnect', onSignal)
    process.channel?.unref()
  }
  endOnFault(() => stop(1), drainMs + faultGraceMs)

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(settings.port, settings.host, resolve)
    })
    const { port } = server.address() as AddressInfo
    const shownHost = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(settings.host) ? 'localhost' : settings.host
    const address = `http://${shownHost}:${port}`

    await recoverAnswers(embedded)
    if (embedded) worker = await startWorker()
    if (settings.demo) await seedDemo()
    const app = next({ dev, port, hostname: settings.host, httpServer: server })
    await app.prepare()
    handle = app.getRequestHandler()
    setInterval(() => {
      recoverAnswers(false).catch((error: unknown) => log.warn({ err: error }, 'answers not recovered'))
    }, recoverEveryMs).unref()
    await setAddress(settings, address)
    setReady(true)
    ready = true
    void warmGateway()
    say(await readyNotice(address))
  } catch (error) {
    const words = explain(error)
    if (words) process.stderr.write(`${words}\n`)
    else log.fatal({ err: error }, 'the start failed')
    await stop(1)
  }
}

try {
  await start(process.argv.includes('--dev'))
} catch (error) {
  const words = explain(error) ?? (error instanceof Error ? error.message : String(error))
  process.stderr.write(`${words}\n`)
  process.exit(1)
}
