import { route } from '#lib/auth/index.ts'
import { noticesFor } from '#lib/incidents.ts'

/** What is switched off and concerns who asks. Every open page asks again and again: unchanged is a word. */
export const GET = route({ permission: 'chat.use', limit: 'read' }, async ({ viewer, request }) => {
  const { notices, tag } = await noticesFor(viewer)
  const headers = { etag: tag, 'cache-control': 'private, no-cache' }
  if (request.headers.get('if-none-match') === tag) return new Response(null, { status: 304, headers })
  return Response.json({ notices }, { headers })
})
