import { getHealth } from '#lib/health.ts'

/** For load balancers: 503 while starting, stopping, or without a database. */
export const GET = async (): Promise<Response> => {
  const health = await getHealth()
  return Response.json(health, { status: health.ready ? 200 : 503, headers: { 'cache-control': 'no-store' } })
}
