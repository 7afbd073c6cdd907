'use server'

import { z } from 'zod'
import {
  action,
  beginSecondStep as begin,
  changeOwnPassword,
  confirmBegunStep,
  createApiKey,
  endSecondStep as end,
  endOtherSessions as endOthers,
  endOwnSession,
  revokeOwnKey,
} from '#lib/auth/index.ts'
import { givenPasswordSchema, newKeySchema, passwordChangeSchema } from '#lib/shared/account-contract.ts'

const nothing = z.strictObject({})

export const changePassword = action(passwordChangeSchema, 'account.manage', (input, viewer) =>
  changeOwnPassword(viewer, input),
)

export const beginSecondStep = action(nothing, 'account.manage', (_, viewer) => begin(viewer))

/** What is no code at all is answered like a wrong one. */
export const confirmSecondStep = action(
  z.strictObject({ code: z.string().max(100) }),
  'account.manage',
  ({ code }, viewer) => confirmBegunStep(viewer, code),
)

export const endSecondStep = action(
  z.strictObject({ proof: givenPasswordSchema }),
  'account.manage',
  async ({ proof }, viewer) => {
    await end(viewer, proof)
    return null
  },
)

export const endSession = action(
  z.strictObject({ id: z.string().regex(/^[\da-f]{64}$/) }),
  'account.manage',
  async ({ id }, viewer) => {
    await endOwnSession(viewer, id)
    return null
  },
)

export const endOtherSessions = action(nothing, 'account.manage', (_, viewer) => endOthers(viewer))

export const createKey = action(newKeySchema, 'account.manage', (input, viewer) => createApiKey(viewer, input))

export const revokeKey = action(z.strictObject({ id: z.uuid() }), 'account.manage', async ({ id }, viewer) => {
  await revokeOwnKey(viewer, id)
  return null
})
