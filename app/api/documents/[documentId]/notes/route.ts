import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { notesOn, resolveNote } from '#lib/review/index.ts'

const params = z.strictObject({ documentId: z.uuid() })

/** What reviewers say of the document, for who looks after it. */
export const GET = route(
  { permission: 'chat.use', limit: 'read', params },
  async ({ viewer, params: { documentId } }) => ({
    notes: await notesOn(viewer, documentId),
  }),
)

/** Resolves one of them. */
export const POST = route(
  { permission: 'chat.use', limit: 'write', params, body: z.strictObject({ noteId: z.uuid() }), repetition: 'own' },
  async ({ viewer, params: { documentId }, body }) => {
    await resolveNote(viewer, body.noteId)
    return { notes: await notesOn(viewer, documentId) }
  },
)
