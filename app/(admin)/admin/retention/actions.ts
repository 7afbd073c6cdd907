'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import { planErasure as planStored, requestErasure as requestStored } from '#lib/erasure.ts'
import { findTargets as findStored, placeHold as placeStored, releaseHold as releaseStored } from '#lib/legal-holds.ts'
import { queueRetentionNow } from '#lib/retention.ts'
import {
  erasureRequestSchema,
  erasureTargetSchema,
  holdInputSchema,
  targetSearchSchema,
} from '#lib/shared/keeping-contract.ts'

export const findTargets = action(targetSearchSchema, 'record.manage', (input, viewer) => findStored(viewer, input))

export const runRetention = action(z.strictObject({}), 'record.manage', async (_, viewer) => {
  await queueRetentionNow(viewer)
  return null
})

export const placeHold = action(holdInputSchema, 'record.manage', (input, viewer) => placeStored(viewer, input))

export const releaseHold = action(z.strictObject({ id: z.uuid() }), 'record.manage', async ({ id }, viewer) => {
  await releaseStored(viewer, id)
  return null
})

export const planErasure = action(erasureTargetSchema, 'record.manage', (target, viewer) => planStored(viewer, target))

export const requestErasure = action(erasureRequestSchema, 'record.manage', ({ confirmation, ...target }, viewer) =>
  requestStored(viewer, target, confirmation),
)
