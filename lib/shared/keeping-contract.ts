/** What is kept and for how long, as the Retention page and the command line see it. */
import { z } from 'zod'
import type { RetentionKind } from './policy-contract.ts'
import { type HoldKind, holdKinds } from './records-contract.ts'

const reason = z.string().trim().min(1).max(500)

export const holdInputSchema = z.strictObject({ kind: z.enum(holdKinds), objectId: z.uuid(), reason })
export type HoldInput = z.input<typeof holdInputSchema>

export type HoldRow = {
  id: string
  kind: HoldKind
  objectId: string
  /** As it was called when the hold was placed. */
  label: string
  reason: string
  by: string | null
  since: string
  /** Null while it is in force. */
  releasedAt: string | null
}

export const erasureKinds = ['person', 'document'] as const
export type ErasureKind = (typeof erasureKinds)[number]

export const erasureTargetSchema = z.strictObject({ kind: z.enum(erasureKinds), id: z.uuid() })
/** `confirmation`: what it is called, typed by whoever asks for it. */
export const erasureRequestSchema = erasureTargetSchema.extend({ confirmation: z.string().max(300) })

/** Rows by what they are, in words. */
export type Counts = Record<string, number>

export type ErasurePlan = {
  kind: ErasureKind
  id: string
  /** What has to be typed to confirm. */
  label: string
  /** What would go. */
  counts: Counts
  /** Why it cannot be done now, in words; null when it can. */
  refusal: string | null
  /** What to know before. */
  warnings: string[]
}

export type ErasureRow = {
  id: string
  kind: ErasureKind
  objectId: string
  requestedAt: string
  /** Null while it is under way. */
  doneAt: string | null
  counts: Counts
}

/** What retention would do, or did, to one kind. */
export type RetentionPart = {
  kind: RetentionKind
  /** As the policy says; null: for ever. */
  days: number | null
  /** Rows older than that, and how many of them a legal hold keeps. */
  due: number
  held: number
  /** The oldest that is due, and the oldest of all, as ISO times. */
  oldestDue: string | null
}
export type RetentionReport = { at: string; parts: RetentionPart[] }

export type RetentionRun = { at: string; deleted: Partial<Record<RetentionKind, number>> }

/** Something that can be held or erased, for the search that finds it. */
export type KeepingTarget = {
  id: string
  label: string
  /** An address, a collection; what tells two of one name apart. */
  note: string
}
export const targetSearchSchema = z.strictObject({ kind: z.enum(holdKinds), q: z.string().max(200) })
