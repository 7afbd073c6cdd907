'use server'

import { action } from '#lib/auth/index.ts'
import { findTargets as findStored, liftSwitch as liftStored, throwSwitch as throwStored } from '#lib/incidents.ts'
import { findTargetsSchema, liftSchema, throwSchema } from '#lib/shared/incidents-contract.ts'

export const throwSwitch = action(throwSchema, 'incident.manage', (input, viewer) => throwStored(viewer, input))

export const liftSwitch = action(liftSchema, 'incident.manage', async ({ id, reason }, viewer) => {
  await liftStored(viewer, id, reason)
  return null
})

export const findTargets = action(findTargetsSchema, 'incident.manage', (input, viewer) => findStored(viewer, input))
