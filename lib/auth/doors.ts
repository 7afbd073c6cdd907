/**
 * The doors. Every page, server action and route is made by `page`, `action` or `route`: they authenticate, authorise, limit the rate,
 * check the shape, let a repetition do nothing twice, and turn every error into one public form. What is missing and what is forbidden
 * answer alike. Nobody's input is read before it is known whose it is.
 */
import type { Route } from 'next'
import { headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { z } from 'zod'
import { env } from '#lib/env.ts'
import { type LimitName, spend } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { withRequest } from '#lib/request-context.ts'
import { type ActionResult, AppError, publicError, toAppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { type ApiScope, can, type Permission, type Viewer } from '#lib/shared/viewer.ts'
import { clientAddress } from './address.ts'
import { keyViewer } from './api-keys.ts'
import { recordDenial } from './denials.ts'
import { parseInput, parseJson, readText } from './input.ts'
import { localViewer } from './local-token.ts'
import { once } from './once.ts'
import { assertSameOrigin } from './origin.ts'
import { currentSession } from './session.ts'

/** What an action or a route was made with. */
export type Door = {
  kind: 'action' | 'route'
  permission: Permission
  limit: LimitName
  /** What a program's key must be good for; null: no keys here. */
  scope: ApiScope | null
  params?: z.ZodType
  body?: z.ZodType
}

const made = new WeakMap<object, Door>()

/** The door behind an exported function; undefined for one that is none. */
export const doorOf = (exported: unknown): Door | undefined =>
  typeof exported === 'function' ? made.get(exported) : undefined

/** Who is looking, or null. For pages that are open to all; everything else uses `page`. */
export const currentViewer = async (): Promise<Viewer | null> => (await currentSession())?.viewer ?? null

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** The tab says which workspace it shows; what it sends must not land in another one that was chosen elsewhere meanwhile. */
const assertSameWorkspace = (sent: Headers, viewer: Viewer): void => {
  const shown = sent.get('x-footnote-workspace')
  if (shown !== null && shown !== viewer.workspaceId) throw new AppError('workspace-changed')
}

/** The requests that a point was taken for: layout, title and page of one request ask one after the other. */
const counted = new WeakSet<object>()

const spendOnPage = async (sent: object, viewer: Viewer): Promise<void> => {
  if (counted.has(sent)) return
  counted.add(sent)
  try {
    await spend('page', viewer.userId)
  } catch (thrown) {
    // Next.js keeps a digest that is there, and the page for errors finds its words by it.
    throw Object.assign(toAppError(thrown), { digest: toAppError(thrown).code })
  }
}

/** A page's address without what differs from object to object. */
const pageName = (path: string): string =>
  `page ${path
    .replace(/[?#].*$/s, '')
    .replace(/[\da-f]{8}-[\da-f-]{27}/gi, '[id]')
    .slice(0, 100)}`

/**
 * For a page: the viewer, or a redirect to the sign-in page, or the same not-found as for what does not exist. `mayEnter` asks what no
 * role says, such as whether there is a grant.
 */
export const page = async (
  permission: Permission,
  mayEnter?: (viewer: Viewer) => Promise<boolean>,
): Promise<Viewer> => {
  const [viewer, sent] = await Promise.all([currentViewer(), headers()])
  const path = sent.get('x-footnote-path') ?? '/'
  if (!viewer) redirect(`/sign-in?from=${encodeURIComponent(path)}` as Route)
  if (!can(viewer, permission) || (mayEnter && !(await mayEnter(viewer)))) {
    const requestId = newId()
    await withRequest({ requestId, address: clientAddress(sent) }, () =>
      recordDenial(viewer, pageName(path), new AppError('forbidden')),
    )
    notFound()
  }
  await spendOnPage(sent, viewer)
  return viewer
}

export const logFailure = (error: AppError, context: Record<string, unknown>): void => {
  const level = error.status >= 500 ? 'error' : 'info'
  log[level](
    { ...context, ...error.context, code: error.code, err: error.status >= 500 ? (error.cause ?? error) : undefined },
    'request refused',
  )
}

/** A server action: a function of one input that never throws. Each is a public POST that anybody may send anything to. */
export const action = <Schema extends z.ZodType, Result>(
  schema: Schema,
  permission: Permission,
  run: (input: z.output<Schema>, viewer: Viewer) => Promise<Result>,
): ((input: z.input<Schema>) => Promise<ActionResult<Result>>) => {
  const door = async (input: z.input<Schema>): Promise<ActionResult<Result>> => {
    const requestId = newId()
    const sent = await headers()
    return withRequest({ requestId, address: clientAddress(sent) }, async () => {
      let viewer: Viewer | null = null
      try {
        viewer = await currentViewer()
        if (!viewer) throw new AppError('unauthenticated')
        if (!can(viewer, permission)) throw new AppError('forbidden')
        assertSameOrigin(sent, env())
        assertSameWorkspace(sent, viewer)
        await spend('write', viewer.userId)
        return { ok: true, value: await run(parseInput(schema, input), viewer) }
      } catch (thrown) {
        const error = toAppError(thrown)
        // The name that the build gave it; a form that is sent without scripts has it in the body instead.
        const name = `action ${sent.get('next-action') ?? permission}`.slice(0, 100)
        logFailure(error, { requestId, door: name })
        if (viewer) await recordDenial(viewer, name, error)
        return { ok: false, error: publicError(error, requestId) }
      }
    })
  }
  made.set(door, { kind: 'action', permission, limit: 'write', scope: null, body: schema })
  return door
}

/** `scopes`: what a program's key is good for; null: whatever its person may do. */
type Asker = { viewer: Viewer; by: 'session' | 'local' | 'key'; scopes: readonly ApiScope[] | null }

/** The one place that says who sends a request to a route. Whoever shows a key is what the key says, whatever cookie is beside it. */
const askerOf = async (sent: Headers): Promise<Asker | null> => {
  if (/^Bearer fn_/i.test(sent.get('authorization') ?? '')) {
    const key = await keyViewer(sent)
    return key && { ...key, by: 'key' }
  }
  const local = await localViewer(sent)
  if (local) return { viewer: local, by: 'local', scopes: null }
  const viewer = await currentViewer()
  return viewer && { viewer, by: 'session', scopes: null }
}

type RouteDoor<Params extends z.ZodType, Body extends z.ZodType> = {
  permission: Permission
  limit: LimitName
  /** Open to programs whose key has it; without it no key opens this door. */
  scope?: ApiScope
  /** The parts of the path, strict. */
  params?: Params
  /** A JSON body, strict; without it the body is left to the handler. */
  body?: Body
  /** `own`: what is sent says itself whether it is a repetition (a message's id, a file's bytes); a key for it adds nothing. */
  repetition?: 'own'
}
type RouteInput<Params extends z.ZodType, Body extends z.ZodType> = {
  viewer: Viewer
  params: z.output<Params>
  body: z.output<Body>
  request: Request
  requestId: string
}
const nothing = z.object({})

export const errorResponse = (thrown: unknown, requestId: string, door = 'route'): Response => {
  const error = toAppError(thrown)
  logFailure(error, { requestId, door })
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

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** `POST /api/chat/[chatId]/stop`: as the file of the route is called, whatever the parts of the path are and however they are written. */
const routeName = (request: Request, parts: Record<string, unknown>): string => {
  const named = new Map(Object.entries(parts).map(([name, value]) => [decoded(String(value)), `[${name}]`]))
  const path = new URL(request.url).pathname.split('/').map((segment) => named.get(decoded(segment)) ?? segment)
  return `${request.method} ${path.join('/')}`.slice(0, 100)
}

const ready = (result: Response | object, requestId: string): Response => {
  const response = result instanceof Response ? result : Response.json(result)
  if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'private, no-store')
  response.headers.set('x-request-id', requestId)
  return response
}

/** A route handler: session cookie, key or local token, permission, origin, rate, shape, then `run`; its plain value becomes JSON. */
export const route = <Params extends z.ZodType = typeof nothing, Body extends z.ZodType = typeof nothing>(
  { permission, limit, scope, params, body, repetition }: RouteDoor<Params, Body>,
  run: (input: RouteInput<Params, Body>) => Promise<Response | object>,
) => {
  const enter = async (request: Request, parts: unknown, { viewer, by, scopes }: Asker, requestId: string) => {
    if (!can(viewer, permission)) throw new AppError('forbidden')
    if (scopes && !(scope && scopes.includes(scope))) throw new AppError('forbidden', { context: { scope } })
    // Only a browser sends its cookie along unasked.
    if (by === 'session' && !safeMethods.has(request.method)) assertSameOrigin(request.headers, env())
    assertSameWorkspace(request.headers, viewer)
    await spend(limit, viewer.userId)
    const path = (params ?? nothing).safeParse(parts)
    if (!path.success) throw new AppError('not-found')
    const text = body ? await readText(request) : ''
    const parsedBody = body ? parseInput(body, parseJson(text)) : {}
    const input = {
      viewer,
      params: path.data as z.output<Params>,
      body: parsedBody as z.output<Body>,
      request,
      requestId,
    }
    const work = async (): Promise<Response> => ready(await run(input), requestId)
    if (safeMethods.has(request.method) || repetition === 'own') return work()
    const { pathname, search } = new URL(request.url)
    const what = `${request.method} ${pathname}${search}\n${text}`
    return ready(await once(request.headers, viewer, what, work), requestId)
  }

  const door = async (request: Request, context: { params: Promise<unknown> }): Promise<Response> => {
    const requestId = newId()
    return withRequest({ requestId, address: clientAddress(request.headers) }, async () => {
      const parts = ((await context.params) ?? {}) as Record<string, unknown>
      const name = routeName(request, parts)
      let asker: Asker | null = null
      try {
        asker = await askerOf(request.headers)
        if (!asker) throw new AppError('unauthenticated')
        return await enter(request, parts, asker, requestId)
      } catch (thrown) {
        if (asker) await recordDenial(asker.viewer, name, toAppError(thrown), parts)
        return errorResponse(thrown, requestId, name)
      }
    })
  }
  made.set(door, {
    kind: 'route',
    permission,
    limit,
    scope: scope ?? null,
    ...(params ? { params } : {}),
    ...(body ? { body } : {}),
  })
  return door
}
