/**
 * What of a workspace's rules is changed by drafts alone, on the Policy page: the policy itself, and the rules for models that are
 * policy too. The wire between that page and the server, and how a draft gets onto rules that have moved under it.
 */
import { z } from 'zod'
import { type GatewaySettings, gatewaySettingsSchema } from './gateway-settings.ts'
import type { AnswerAct, DraftState, RetentionKind, ReviewAct } from './policy-contract.ts'

export const governedSections = ['policy', 'budgets', 'unknownPrice', 'providers', 'redaction', 'injection'] as const

export const governedSchema = gatewaySettingsSchema.pick({
  policy: true,
  budgets: true,
  unknownPrice: true,
  providers: true,
  redaction: true,
  injection: true,
})
export type Governed = z.output<typeof governedSchema>

export const governedOf = ({
  policy,
  budgets,
  unknownPrice,
  providers,
  redaction,
  injection,
}: GatewaySettings): Governed => ({ policy, budgets, unknownPrice, providers, redaction, injection })

/** What people call the things that a policy names by ids. */
export type PolicyNames = {
  collections: Readonly<Record<string, string>>
  /** Providers by id, and models by key. */
  models: Readonly<Record<string, string>>
}

type Kind = 'object' | 'list' | 'other'
const kindOf = (value: unknown): Kind =>
  Array.isArray(value) ? 'list' : typeof value === 'object' && value !== null ? 'object' : 'other'

/** What tells the members of a list apart: rules by their id, exposures by their collection, the others by what they are. */
const idOf = (one: unknown): string => {
  const { id, collectionId } = (kindOf(one) === 'object' ? one : {}) as { id?: unknown; collectionId?: unknown }
  return String(id ?? collectionId ?? JSON.stringify(one))
}
const byId = (list: unknown): Map<string, unknown> =>
  new Map((Array.isArray(list) ? list : []).map((one) => [idOf(one), one]))

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/**
 * `mine`, which was made from `base`, on top of `theirs`: what I changed is as I have it, everything else as it is now. Where both
 * changed the same, mine holds. Lists are merged by their members.
 */
export const rebase = <Value>(base: Value, mine: Value, theirs: Value): Value => {
  if (same(mine, base)) return theirs
  if (same(theirs, base)) return mine
  const kinds = [base, mine, theirs].map(kindOf)
  if (kinds.every((kind) => kind === 'object')) {
    const [from, to, now] = [base, mine, theirs] as Record<string, unknown>[]
    const names = [...new Set([...Object.keys(now ?? {}), ...Object.keys(to ?? {})])]
    return Object.fromEntries(names.map((name) => [name, rebase(from?.[name], to?.[name], now?.[name])])) as Value
  }
  if (kinds.every((kind) => kind === 'list')) {
    const [from, to, now] = [byId(base), byId(mine), byId(theirs)]
    const kept = [...new Set([...now.keys(), ...to.keys()])].filter((id) => {
      if (!to.has(id)) return !from.has(id)
      return now.has(id) || !same(to.get(id), from.get(id))
    })
    return kept.map((id) => {
      if (!to.has(id)) return now.get(id)
      return now.has(id) ? rebase(from.get(id), to.get(id), now.get(id)) : to.get(id)
    }) as Value
  }
  return mine
}

/** A difference in words. `before` null: it is new; `after` null: it is gone. */
export type PolicyDifference = { key: string; before: string | null; after: string | null }

export type PolicyVersion = {
  version: number
  /** Null: the system, or a person who is gone. */
  savedBy: string | null
  approvedBy: string | null
  reason: string
  /** Null: version 0, the policy as it comes. */
  at: string | null
  /** Against the version before it; none: something else of the rules was changed. */
  changes: PolicyDifference[]
}

export type PolicyDraft = {
  id: string
  state: DraftState
  basedOn: number
  content: Governed
  reason: string
  author: string | null
  mine: boolean
  updatedAt: string
  /** Against the rules in force. */
  changes: PolicyDifference[]
  /** What makes no sense in it, in words; with these it is kept, and cannot be proposed or applied. */
  faults: string[]
  /** What others changed since it was begun; empty: nothing that it is about. */
  moved: PolicyDifference[]
  /** Why the viewer cannot apply it, in words; null: they can. */
  barred: string | null
}

export type PolicyChoice = { value: string; label: string }

/** Everything the Policy page shows. */
export type PolicyView = {
  governed: Governed
  version: number
  savedBy: string | null
  approvedBy: string | null
  at: string | null
  reason: string
  /** The viewer's own, open or proposed. */
  draft: PolicyDraft | null
  /** The viewer's last draft was rejected, and they have begun no other. */
  rejected: { by: string | null; note: string } | null
  /** What other admins propose. */
  proposals: PolicyDraft[]
  versions: PolicyVersion[]
  /** There are versions before the oldest of these. */
  older: boolean
  names: PolicyNames
  collections: PolicyChoice[]
  /** Providers and models that a collection can be shown to. */
  models: PolicyChoice[]
  /** Tasks whose output a rule can be over. */
  tasks: string[]
}

export const reasonCharsMax = 500

export const draftInputSchema = z.strictObject({
  // Read by the server, which says in words what a schema here would refuse without.
  content: z.custom<z.input<typeof governedSchema>>((value) => typeof value === 'object' && value !== null),
  /** The version in force when the form was opened. */
  basedOn: z.int32().min(0),
  reason: z.string().max(reasonCharsMax),
})
export type DraftInput = z.input<typeof draftInputSchema>

/** Who or what a finding of a preview is by: as of an answer, a collection that is left out, a rule of review, or what reads like an order. */
export type FindingKind = 'topic' | 'rule' | 'confidence' | 'collection' | 'review' | 'injection'

/** What would have become of an answer; the strongest first. */
export const previewActs = ['withhold', 'hold', 'queue', 'warn'] as const satisfies readonly (AnswerAct | ReviewAct)[]
export type PreviewAct = (typeof previewActs)[number]

export type PreviewAnswer = {
  messageId: string
  traceId: string | null
  /** As the trace keeps it, masked. */
  question: string
  at: string
  act: PreviewAct
  reasons: string[]
}

/** A part of a preview: answers are judged some at a time, newest first. */
export type PreviewPart = {
  judged: number
  /** Stored answers of the last week, as far back as a preview looks. */
  total: number
  /** What the next part begins after; null: that was all. */
  next: string | null
  /** How many answers had each act as their strongest. */
  acts: Record<PreviewAct, number>
  /** By what; one answer may meet several. */
  counts: { id: string; kind: FindingKind; words: string; act: PreviewAct; answers: number }[]
  answers: PreviewAnswer[]
}

export type RuleTest = { met: boolean; words: string }

export const retentionWords: Record<RetentionKind, string> = {
  chats: 'Conversations',
  traces: 'Traces',
  calls: 'Lines about calls of models',
  audit: 'The audit log',
  sessions: 'Ended sessions',
  exports: 'Exports',
}
