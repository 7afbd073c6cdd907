/** What the account page can do; each answers in words and never throws. */
import type { NewKeyInput, SecondStepOffer } from '#lib/shared/account-contract.ts'
import type { ActionResult } from '#lib/shared/errors.ts'

type Empty = Record<string, never>

export type AccountActions = {
  changePassword: (input: { current: string; next: string }) => Promise<ActionResult<{ ended: number }>>
  beginSecondStep: (input: Empty) => Promise<ActionResult<SecondStepOffer>>
  confirmSecondStep: (input: { code: string }) => Promise<ActionResult<string[]>>
  endSecondStep: (input: { proof: string }) => Promise<ActionResult<null>>
  endSession: (input: { id: string }) => Promise<ActionResult<null>>
  endOtherSessions: (input: Empty) => Promise<ActionResult<number>>
  createKey: (input: NewKeyInput) => Promise<ActionResult<{ key: string }>>
  revokeKey: (input: { id: string }) => Promise<ActionResult<null>>
}
