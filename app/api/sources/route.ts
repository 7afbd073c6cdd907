import { route } from '#lib/auth/index.ts'
import { listSources } from '#lib/sources.ts'

export const GET = route({ permission: 'document.manage', limit: 'read' }, ({ viewer }) => listSources(viewer))
