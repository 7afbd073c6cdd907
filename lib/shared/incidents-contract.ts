/** Incident switches as pages and programs see them. */
import { z } from 'zod'
import { type SwitchKind, switchKinds } from './records-contract.ts'

export const reasonCharsMax = 300

/** What the switch of a kind is called in a list of choices. */
export const switchKindWords = {
  generation: 'All answers',
  provider: 'A provider',
  model: 'A model',
  collection: 'A collection',
  person: 'A person',
  document: 'A document',
} as const satisfies Record<SwitchKind, string>

/** What happens when it is thrown, in one sentence. */
export const switchEffects = {
  generation:
    'Nobody gets an answer, not from the built-in answerer either, and answers that are being written stop. Searching goes on.',
  provider: 'None of its models is asked, and answers that it is writing stop. Other models answer in its place.',
  model: 'It is not asked, and answers that it is writing stop. Other models answer in its place.',
  collection:
    'Nobody finds or opens its documents, answers that are being written from them stop, and kept answers that cite them are not given.',
  person:
    'They are out of this workspace at once, with their keys, and answers that are being written for them stop. Their membership stays.',
  document:
    'Nobody finds or opens it, answers that are being written from it stop, and kept answers that cite it are not given.',
} as const satisfies Record<SwitchKind, string>

export const throwSchema = z.strictObject({
  kind: z.enum(switchKinds),
  /** The workspace itself for `generation`, whatever is sent. */
  targetId: z.string().max(300).default(''),
  reason: z.string().trim().min(1).max(reasonCharsMax),
})
export type ThrowInput = z.output<typeof throwSchema>

export const liftSchema = z.strictObject({ id: z.uuid(), reason: z.string().trim().min(1).max(reasonCharsMax) })

export const findTargetsSchema = z.strictObject({
  kind: z.enum(switchKinds).exclude(['generation']),
  q: z.string().trim().max(200).default(''),
})
export type FindTargets = z.output<typeof findTargetsSchema>

/** Something that can be switched off; `note` tells it from others of its name. */
export type SwitchTarget = { id: string; label: string; note: string }

/** A switch as the admins' page shows it. The label is null for a document that who looks may not read. */
export type SwitchRow = {
  id: string
  kind: SwitchKind
  label: string | null
  reason: string
  since: string
  by: string | null
  liftedAt: string | null
  liftedBy: string | null
}

/** What everybody whom it concerns reads on every page. */
export type Notice = { id: string; words: string; since: string }
export type Notices = { notices: Notice[] }
