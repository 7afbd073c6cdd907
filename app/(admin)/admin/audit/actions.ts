'use server'

import { z } from 'zod'
import { verifyOwnAudit } from '#lib/audit-log.ts'
import { action } from '#lib/auth/index.ts'

export const verifyAudit = action(z.strictObject({}), 'audit.read', (_, viewer) => verifyOwnAudit(viewer))
