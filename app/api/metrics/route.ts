import { createHash, timingSafeEqual } from 'node:crypto'
import { listBreakers, listEveryBreaker } from '#db/reports/operations.ts'
import { reader } from '#db/reports/reader.ts'
import { errorResponse, route } from '#lib/auth/index.ts'
import { env } from '#lib/env.ts'
import { getQueueDepth } from '#lib/jobs.ts'
import { spend } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { type Readings, renderMetrics } from '#lib/metrics.ts'
import { newId } from '#lib/shared/ids.ts'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const isPrometheus = (headers: Headers): boolean => {
  const { metricsToken } = env()
  const sent = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1]
  return Boolean(metricsToken && sent && timingSafeEqual(digest(sent), digest(metricsToken)))
}

const respond = async (breakers: Readings['breakers']): Promise<Response> => {
  // Fails open: a queue that does not answer must not hide everything else that is measured.
  const queued = await getQueueDepth().then(
    (depth) => depth.queued,
    (error: unknown) => {
      log.warn({ err: error }, 'queue depth not read')
      return null
    },
  )
  const { text, contentType } = await renderMetrics({ queued, breakers })
  return new Response(text, { headers: { 'content-type': contentType, 'cache-control': 'private, no-store' } })
}

const forAdmins = route({ permission: 'health.read', limit: 'read' }, async ({ viewer }) =>
  respond(await listBreakers(reader(), viewer)),
)

/** Prometheus comes with the token of the settings and sees every breaker; an admin sees those of the workspace. */
export const GET = async (request: Request, context: { params: Promise<unknown> }): Promise<Response> => {
  if (!isPrometheus(request.headers)) return forAdmins(request, context)
  try {
    await spend('read', 'metrics')
    return await respond(await listEveryBreaker(reader()))
  } catch (thrown) {
    return errorResponse(thrown, newId())
  }
}
