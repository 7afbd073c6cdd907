/**
 * The doors. Every page, server action and route is made by `page`, `action` or `route`: they authenticate, authorise, check the
 * shape and the rate, and turn every error into one public form. What is missing and what is forbidden answer alike.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Route } from 'next'
import { headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { z } from 'zod'
import { database } from '#db/client.ts'
import { revokeSessionsOf } from '#db/queries/people.ts'
import { audit } from '#lib/audit.ts'
import { env } from '#lib/env.ts'
import { type LimitName, spend } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { type ActionResult, AppError, publicError, toAppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { can, type Permission, type Role, roles, type Viewer } from '#lib/shared/viewer.ts'
import { localViewer } from './local-token.ts'
import { currentSession, signIn, signOut, TooManyTries } from './session.ts'

export { handlers } from './session.ts'

/** JSON bodies are small; files go through their own door and are counted there. */
const jsonBytesMax = 1_048_576

/** Who is looking, or null. For pages that are open to all; everything else uses `page`. */
export const currentViewer = async (): Promise<Viewer | null> => (await currentSession())?.viewer ?? null

/** For a page: the viewer, or a redirect to the sign-in page, or the same not-found as for what does not exist. */
export const page = async (permission: Permission): Promise<Viewer> => {
  const viewer = await currentViewer()
  if (!viewer) {
    const from = (await headers()).get('x-footnote-path') ?? '/'
    redirect(`/sign-in?from=${encodeURIComponent(from)}` as Route)
  }
  if (!can(viewer, permission)) notFound()
  return viewer
}

const logFailure = (error: AppError, context: Record<string, unknown>): void => {
  const level = error.status >= 500 ? 'error' : 'info'
  log[level](
    { ...context, ...error.context, code: error.code, err: error.status >= 500 ? (error.cause ?? error) : undefined },
    'request refused',
  )
}

const parseInput = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw new AppError('bad-request', { context: { issues: parsed.error.issues.length, path: first?.path.join('.') } })
}

/** A server action: a function of one input that never throws. Each is a public POST; Next.js checks its origin against the host. */
export const action =
  <Schema extends z.ZodType, Result>(
    schema: Schema,
    permission: Permission,
    run: (input: z.output<Schema>, viewer: Viewer) => Promise<Result>,
  ): ((input: z.input<Schema>) => Promise<ActionResult<Result>>) =>
  async (input) => {
    const requestId = newId()
    try {
      const viewer = await currentViewer()
      if (!viewer) throw new AppError('unauthenticated')
      if (!can(viewer, permission)) throw new AppError('forbidden')
      const parsed = parseInput(schema, input)
      await spend('write', viewer.userId)
      return { ok: true, value: await run(parsed, viewer) }
    } catch (thrown) {
      const error = toAppError(thrown)
      logFailure(error, { requestId, door: 'action' })
      return { ok: false, error: publicError(error, requestId) }
    }
  }

/** A state-changing request that rides on a cookie must come from our own pages (OWASP CSRF: verify the origin). */
const assertSameOrigin = (request: Request): void => {
  const origin = request.headers.get('origin')
  const host = request.headers.get('x-forwarded-host') ?? request.headers.get('host')
  const sameOrigin = origin !== null && URL.canParse(origin) && new URL(origin).host === host
  if (!sameOrigin) throw new AppError('foreign-origin')
}

const readJson = async (request: Request): Promise<unknown> => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let text = ''
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > jsonBytesMax) throw new AppError('bad-request', { context: { bytes } })
      text += decoder.decode(chunk, { stream: true })
    }
    return JSON.parse(text + decoder.decode())
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('bad-request', { cause: error })
  }
}

type RouteDoor<Params extends z.ZodType, Body extends z.ZodType> = {
  permission: Permission
  limit: LimitName
  /** The parts of the path, strict. */
  params?: Params
  /** A JSON body, strict; without it the body is left to the handler. */
  body?: Body
}
type RouteInput<Params extends z.ZodType, Body extends z.ZodType> = {
  viewer: Viewer
  params: z.output<Params>
  body: z.output<Body>
  request: Request
  requestId: string
}
const nothing = z.object({})

export const errorResponse = (thrown: unknown, requestId: string): Response => {
  const error = toAppError(thrown)
  logFailure(error, { requestId, door: 'route' })
  const body = publicError(error, requestId)
  return Response.json(
    { error: body },
    {
      status: error.status,
      headers: {
        'cache-control': 'private, no-store',
        'x-request-id': requestId,
        ...(body.retryAfterSeconds ? { 'retry-after': String(body.retryAfterSeconds) } : {}),
      },
    },
  )
}

/** A route handler: session cookie or local token, permission, origin, rate, shape, then `run`; its plain value becomes JSON. */
export const route =
  <Params extends z.ZodType = typeof nothing, Body extends z.ZodType = typeof nothing>(
    { permission, limit, params, body }: RouteDoor<Params, Body>,
    run: (input: RouteInput<Params, Body>) => Promise<Response | object>,
  ) =>
  async (request: Request, context: { params: Promise<unknown> }): Promise<Response> => {
    const requestId = newId()
    try {
      const local = await localViewer(request.headers)
      const viewer = local ?? (await currentViewer())
      if (!viewer) throw new AppError('unauthenticated')
      if (!can(viewer, permission)) throw new AppError('forbidden')
      if (!local && request.method !== 'GET') assertSameOrigin(request)
      await spend(limit, viewer.userId)
      const parts = (params ?? nothing).safeParse((await context.params) ?? {})
      if (!parts.success) throw new AppError('not-found')
      const parsedBody = body ? parseInput(body, await readJson(request)) : {}
      const result = await run({
        viewer,
        params: parts.data as z.output<Params>,
        body: parsedBody as z.output<Body>,
        request,
        requestId,
      })
      const response = result instanceof Response ? result : Response.json(result)
      if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'private, no-store')
      response.headers.set('x-request-id', requestId)
      return response
    } catch (thrown) {
      return errorResponse(thrown, requestId)
    }
  }

/** Signs in by e-mail and password; the same answer for an unknown address and a wrong password. */
export const signInWithPassword = async (credentials: {
  email: string
  password: string
}): Promise<ActionResult<null>> => {
  try {
    await signIn('credentials', { ...credentials, redirect: false })
    return { ok: true, value: null }
  } catch (thrown) {
    if (thrown instanceof TooManyTries)
      return { ok: false, error: publicError(new AppError('rate-limited', { retryAfterSeconds: 300 })) }
    if (thrown instanceof Error && 'type' in thrown && thrown.type === 'CredentialsSignin')
      return { ok: false, error: publicError(new AppError('wrong-credentials')) }
    const error = toAppError(thrown)
    logFailure(error, { door: 'sign-in' })
    return { ok: false, error: publicError(error) }
  }
}

/** Ends this session on the server and clears the cookie. */
export const signOutHere = async (): Promise<void> => {
  await signOut({ redirect: false })
}

/** Ends every session of the viewer, here and on other devices. */
export const signOutEverywhere = async (): Promise<void> => {
  const session = await currentSession()
  if (session) {
    const { viewer } = session
    await database().db.transaction(async (tx) => {
      const ended = await revokeSessionsOf(tx, viewer.userId)
      await audit(tx, { actor: viewer, event: 'session.revoked', objectId: viewer.userId, details: { ended } })
    })
  }
  await signOut({ redirect: false })
}

export type DemoAccounts = { password: string; accounts: { email: string; role: Role }[] }

/** The demo sign-ins to offer on the sign-in page; null unless this installation is a demo. */
export const demoAccounts = async (): Promise<DemoAccounts | null> => {
  if (!env().demo) return null
  const password = await readFile(join(env().dataDir, 'demo-password'), 'utf8').catch(() => null)
  return password
    ? { password: password.trim(), accounts: roles.map((role) => ({ email: `${role}@demo.local`, role })) }
    : null
}
