import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { retrieve } from '#lib/rag/index.ts'
import { questionCharsMax } from '#lib/shared/chat-contract.ts'

const body = z.strictObject({
  query: z.string().trim().min(1).max(questionCharsMax),
  legs: z.enum(['lexical', 'vector', 'hybrid', 'hybrid+rerank']).default('hybrid+rerank'),
  k: z.int().min(1).max(100).default(10),
})

/** Retrieval alone, over what the viewer may see: passages with their scores, and no model. */
export const POST = route(
  { permission: 'document.read', limit: 'question', scope: 'search', body },
  ({ viewer, body, request }) =>
    retrieve(body.query, viewer, {
      legs: body.legs,
      k: body.k,
      tokensMax: Number.MAX_SAFE_INTEGER,
      signal: request.signal,
    }),
)
