/**
 * The part of a workspace's rules that is policy: what may be read, sent, said and kept. It is stored with the other rules
 * (gateway-settings.ts), changed by drafts, and every version stays. Each rule has a test that shows it bite.
 */
import { z } from 'zod'
import { roles } from './viewer.ts'

/** `open`: being written; `proposed`: waits for a second person; `stale`: the rules moved on under it. */
export const draftStates = ['open', 'proposed', 'applied', 'rejected', 'discarded'] as const
export type DraftState = (typeof draftStates)[number]

/** What may be built on documents. */
export const policyFeatures = ['chat', 'search', 'summaries'] as const
export type PolicyFeature = (typeof policyFeatures)[number]

/** Subjects that a rule can name; what counts as one is in lib/gateway/topics.ts. */
export const policyTopics = ['medical', 'legal', 'financial', 'employment', 'security', 'self-harm'] as const
export type PolicyTopic = (typeof policyTopics)[number]

/** What happens to an answer that a rule meets. `withhold`: it is not shown, and the asker is told why and what to do. */
export const answerActs = ['allow', 'warn', 'withhold'] as const
export type AnswerAct = (typeof answerActs)[number]

/** Kinds of records with days of their own. */
export const retentionKinds = ['chats', 'traces', 'calls', 'audit', 'sessions', 'exports'] as const
export type RetentionKind = (typeof retentionKinds)[number]

/** Jobs that can wait for the night. */
export const quietJobs = ['sources', 'summaries', 'graph', 'recognition', 'encoders'] as const
export type QuietJob = (typeof quietJobs)[number]

/** Logs of the use of AI are kept for half a year at least (EU AI Act, Art. 19 and 26). */
export const auditDaysMin = 183

const days = (least: number, usual: number | null) => z.int().min(least).max(36_500).nullable().default(usual)
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'A time as 22:00')
const act = z.enum(answerActs)

export const answerRuleSchema = z.strictObject({
  id: z.uuid(),
  name: z.string().trim().min(1).max(80),
  /** `answer`, or a task's name for what it returns (lib/gateway/tasks.ts), as text. */
  over: z.string().max(40).default('answer'),
  /** Patterns are RE2: no pattern can take longer than the text is long. */
  test: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('must-not-match'), pattern: z.string().min(1).max(500) }),
    z.strictObject({ kind: z.literal('must-match'), pattern: z.string().min(1).max(500) }),
    z.strictObject({ kind: z.literal('must-cite'), citations: z.int().min(1).max(20) }),
    z.strictObject({ kind: z.literal('max-characters'), characters: z.int().min(50).max(100_000) }),
  ]),
  act: z.enum(['warn', 'withhold']).default('warn'),
  /** What the asker reads; empty: the rule's name. */
  words: z.string().max(300).default(''),
})
export type AnswerRule = z.output<typeof answerRuleSchema>

/** What happens to an answer that a rule of the policy meets; from the least to the most. */
export const reviewActs = ['warn', 'queue', 'hold'] as const
export type ReviewAct = (typeof reviewActs)[number]

/** All of what is named has to be met; a rule that names nothing meets every answer. */
export const reviewRuleSchema = z.strictObject({
  id: z.uuid(),
  name: z.string().trim().min(1).max(80),
  when: z
    .strictObject({
      /** The answer draws from any of these. */
      collectionIds: z.array(z.uuid()).min(1).max(200).optional(),
      topics: z.array(z.enum(policyTopics)).min(1).max(policyTopics.length).optional(),
      /** Who asks. */
      roles: z.array(z.enum(roles)).min(1).max(roles.length).optional(),
      /** 0 to 1. An answer that could not be checked counts as below. */
      confidenceBelow: z.number().gt(0).max(1).optional(),
      /** The answer holds personal data or secrets. */
      personalData: z.literal(true).optional(),
      /** The question or a passage reads like an order to the model, from this score (0 to 1). */
      injectionFrom: z.number().gt(0).max(1).optional(),
    })
    .prefault({}),
  act: z.enum(reviewActs).default('queue'),
  /** What the asker reads; empty: made from what was met. */
  words: z.string().max(300).default(''),
})
export type ReviewRule = z.output<typeof reviewRuleSchema>

export const reviewFallbacks = ['refuse', 'sources'] as const

export const reviewPolicySchema = z.strictObject({
  rules: z.array(reviewRuleSchema).max(50).default([]),
  /** The share (0 to 1) of shown answers that a person looks at afterwards, taken at random. */
  sampleShare: z.number().min(0).max(1).default(0),
  /** A thumb down opens an item. */
  feedback: z.boolean().default(true),
  /** How soon a decision is owed. */
  slaMinutes: z.int().min(1).max(43_200).default(240),
  /** After this a held answer is given up. */
  holdMinutes: z.int().min(1).max(43_200).default(1_440),
  /** What the asker gets then: words alone, or the documents that were read as well. */
  fallback: z.enum(reviewFallbacks).default('refuse'),
  /** Of what a reviewer is given, the share (0 to .5) that is known to be wrong. */
  seedShare: z.number().min(0).max(0.5).default(0),
  /** Told when a held answer has been decided: the asker by e-mail, and a webhook. */
  notifyByMail: z.boolean().default(false),
  webhookUrl: z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(500)]).default(''),
})
export type ReviewPolicy = z.output<typeof reviewPolicySchema>

export const policySchema = z.strictObject({
  /** Collections a feature may use; null: all that the person may read. */
  features: z
    .strictObject({
      chat: z.array(z.uuid()).max(500).nullable().default(null),
      search: z.array(z.uuid()).max(500).nullable().default(null),
      summaries: z.array(z.uuid()).max(500).nullable().default(null),
    } satisfies Record<PolicyFeature, unknown>)
    .prefault({}),
  /** Which providers may see passages of a collection; one that is not named here may be seen by all. */
  exposure: z
    .array(
      z.strictObject({
        collectionId: z.uuid(),
        /** `local`: models on our own machines; else ids of providers or keys of models (`PROVIDER/MODEL`). Empty: none at all. */
        to: z.union([z.literal('local'), z.array(z.string().min(1).max(300)).max(100)]),
      }),
    )
    .max(500)
    .default([]),
  topics: z
    .strictObject({
      medical: act.default('allow'),
      legal: act.default('allow'),
      financial: act.default('allow'),
      employment: act.default('allow'),
      security: act.default('allow'),
      'self-harm': act.default('allow'),
    } satisfies Record<PolicyTopic, unknown>)
    .prefault({}),
  confidence: z
    .strictObject({
      /** Below this (0 to 1) an answer carries a warning; 0 warns never. */
      warnBelow: z.number().min(0).max(1).default(0),
      /** Below this it is not shown. */
      withholdBelow: z.number().min(0).max(1).default(0),
      /** A model is asked, too, whether what a sentence cites supports it: one call a cited sentence. */
      judge: z.boolean().default(false),
    })
    .prefault({}),
  rules: z.array(answerRuleSchema).max(100).default([]),
  /** Which answers a person looks at, before they are shown or after. */
  review: reviewPolicySchema.prefault({}),
  /** Days; null: for ever. */
  retention: z
    .strictObject({
      chats: days(1, null),
      traces: days(1, 400),
      calls: days(1, 400),
      audit: days(auditDaysMin, null),
      sessions: days(1, 90),
      exports: days(1, 7),
    } satisfies Record<RetentionKind, unknown>)
    .prefault({}),
  /** Between these times the jobs named wait; null: never. */
  quietHours: z
    .strictObject({
      from: clock,
      to: clock,
      timeZone: z.string().max(60),
      jobs: z.array(z.enum(quietJobs)).max(quietJobs.length),
    })
    .nullable()
    .default(null),
  /** A change of the policy waits for a second admin. */
  secondApprover: z.boolean().default(false),
})
export type Policy = z.output<typeof policySchema>
export type PolicyInput = z.input<typeof policySchema>
