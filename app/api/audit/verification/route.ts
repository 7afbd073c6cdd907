import { z } from 'zod'
import { checkOwnAudit } from '#lib/audit-log.ts'
import { route } from '#lib/auth/index.ts'
import { AppError } from '#lib/shared/errors.ts'

const headSchema = z
  .string()
  .regex(/^\d{1,15}:[0-9a-f]{64}$/)
  .transform((text) => ({ place: Number(text.split(':')[0]), hash: text.split(':')[1] ?? '' }))
  .nullable()

/** The chain of the workspace walked; `head` is one that was kept elsewhere, as `PLACE:HASH`. */
export const GET = route({ permission: 'audit.read', limit: 'write' }, async ({ viewer, request }) => {
  const head = headSchema.safeParse(new URL(request.url).searchParams.get('head'))
  if (!head.success) throw new AppError('bad-request')
  return checkOwnAudit(viewer, head.data)
})
