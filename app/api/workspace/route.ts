import { z } from 'zod'
import { currentSession, route } from '#lib/auth/index.ts'
import { switchWorkspace } from '#lib/people.ts'
import { AppError } from '#lib/shared/errors.ts'

/** Moves the session that asks to another workspace of its person. */
export const POST = route(
  { permission: 'account.manage', limit: 'write', body: z.strictObject({ workspaceId: z.uuid() }) },
  async ({ viewer, body }) => {
    const session = await currentSession()
    // The command line has no session that could move.
    if (session?.viewer.userId !== viewer.userId) throw new AppError('unauthenticated')
    await switchWorkspace(viewer, body.workspaceId, session.sessionIdHash)
    return { workspaceId: body.workspaceId }
  },
)
