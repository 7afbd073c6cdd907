import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { getVersionText } from '#lib/documents.ts'

export const GET = route(
  { permission: 'document.read', limit: 'read', params: z.strictObject({ versionId: z.uuid() }) },
  ({ viewer, params }) => getVersionText(viewer, params.versionId),
)
