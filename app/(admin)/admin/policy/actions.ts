'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  applyDraft as applyStored,
  discardDraft as discardStored,
  previewPolicy,
  proposeDraft as proposeStored,
  rejectDraft as rejectStored,
  renewDraft as renewStored,
  rollBack as rollBackStored,
  saveDraft as saveStored,
  testRule,
} from '#lib/policy.ts'
import { answerRuleSchema } from '#lib/shared/policy-contract.ts'
import { draftInputSchema, reasonCharsMax } from '#lib/shared/policy-draft.ts'

const one = z.strictObject({ id: z.uuid() })
const reason = z.string().max(reasonCharsMax)

export const saveDraft = action(draftInputSchema, 'policy.manage', (input, viewer) => saveStored(viewer, input))

export const proposeDraft = action(one, 'policy.manage', async ({ id }, viewer) => {
  await proposeStored(viewer, id)
  return null
})

/** `seen`: when the draft that the person looked at was last changed. */
export const applyDraft = action(one.extend({ seen: z.iso.datetime() }), 'policy.manage', (draft, viewer) =>
  applyStored(viewer, draft),
)

export const rejectDraft = action(one.extend({ why: reason }), 'policy.manage', async ({ id, why }, viewer) => {
  await rejectStored(viewer, id, why)
  return null
})

export const discardDraft = action(one, 'policy.manage', async ({ id }, viewer) => {
  await discardStored(viewer, id)
  return null
})

export const renewDraft = action(one, 'policy.manage', async ({ id }, viewer) => {
  await renewStored(viewer, id)
  return null
})

export const rollBack = action(
  z.strictObject({ version: z.int32().min(0), reason }),
  'policy.manage',
  ({ version, reason }, viewer) => rollBackStored(viewer, version, reason),
)

/** A few answers at a time, so that whoever waits sees how far it is. It changes nothing. */
export const preview = action(
  z.strictObject({ content: draftInputSchema.shape.content, after: z.string().max(40).nullable() }),
  'policy.manage',
  ({ content, after }, viewer) => previewPolicy(viewer, content, { after }),
)

/** It changes nothing. */
export const tryRule = action(
  z.strictObject({ rule: answerRuleSchema, text: z.string().max(20_000) }),
  'policy.manage',
  async ({ rule, text }) => testRule(rule, text),
)
