/**
 * The policy of a workspace as admins change it: as drafts, with what differs in words, tried on answers that were given, and where
 * the policy says so agreed to by a second admin.
 *
 * Guarantees: a person has one undecided draft, which is kept as it was typed until it is applied, rejected or discarded; what
 * contradicts itself is never in force; a draft is applied only onto the rules that it was made from, so that nothing of another
 * admin's is undone unseen; who applies a proposal applies what they have looked at; draft, version and audit line change in one
 * transaction; every version stays, and rolling back makes a new one.
 */
import { database, type Executor, type Tx } from '#db/client.ts'
import { getGatewaySettings } from '#db/queries/gateway-settings.ts'
import {
  countAnswers,
  decideDraft,
  getOwnDraft,
  getRejected,
  getSettingsVersion,
  insertDraft,
  listAnswers,
  listCollectionNames,
  listProposals,
  listSettingsVersions,
  lockDraft,
  type StoredAnswer,
  type StoredDraft,
  type StoredVersion,
  updateDraft,
} from '#db/queries/policy.ts'
import { audit } from './audit.ts'
import {
  type AnswerFacts,
  forgetSettings,
  judgeAnswer,
  judgeForReview,
  judgeQuestion,
  maskForRecord,
  meetsRule,
  modelSetup,
  patternFault,
  saveGoverned,
  sensitiveKindsIn,
  settingIssues,
  topicsOf,
} from './gateway/index.ts'
import { isMailSet } from './mail.ts'
import { checkAddress, RefusedAddress } from './safe-fetch.ts'
import { citationMarker } from './shared/chat-contract.ts'
import { AppError } from './shared/errors.ts'
import { defaultGatewaySettings, gatewaySettingsSchema } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'
import {
  type AnswerRule,
  type Policy,
  type PolicyFeature,
  policyFeatures,
  type ReviewPolicy,
  type ReviewRule,
} from './shared/policy-contract.ts'
import {
  type DraftInput,
  type Governed,
  governedOf,
  governedSchema,
  type PolicyChoice,
  type PolicyDifference,
  type PolicyDraft,
  type PolicyNames,
  type PolicyVersion,
  type PolicyView,
  type PreviewPart,
  previewActs,
  type RuleTest,
  reasonCharsMax,
  rebase,
} from './shared/policy-draft.ts'
import {
  differenceWords,
  diffPolicy,
  featureWords,
  minutesWords,
  reviewRuleWords,
  ruleWords,
  sensitiveWords,
  topicWords,
} from './shared/policy-words.ts'
import { isTimeZone } from './shared/quiet-hours.ts'
import type { Viewer } from './shared/viewer.ts'

const versionsShown = 30
const previewDays = 7
const previewAnswersMax = 200
const previewStep = 40
const dayMs = 86_400_000
const dayMinutes = 1_440
/** Differences that a refusal names; the page shows all. */
const saidMax = 6

const refuse = (message: string): never => {
  throw new AppError('bad-request', { message })
}

type Target = PolicyChoice & { local: boolean }
/** What a policy can name, and how it is called now. */
type Known = { names: PolicyNames; collections: PolicyChoice[]; targets: Target[]; tasks: string[] }

const knownTo = async (viewer: Viewer): Promise<Known> => {
  const [{ providers, environment, tasks }, collections] = await Promise.all([
    modelSetup(viewer),
    listCollectionNames(database().db, viewer),
  ])
  const targets = [
    ...providers.flatMap(({ id, name, local, models }): Target[] => [
      { value: id, label: `every model at ${name}`, local },
      ...models.map(({ key, modelId }): Target => ({ value: key, label: `${modelId} at ${name}`, local })),
    ]),
    ...environment.flatMap(({ key, provider, modelId, local }): Target[] => [
      { value: key.slice(0, key.indexOf('/')), label: `every model at ${provider}`, local },
      { value: key, label: `${modelId} at ${provider}`, local },
    ]),
  ]
  return {
    names: {
      collections: Object.fromEntries(collections.map(({ id, name }) => [id, name])),
      models: Object.fromEntries(targets.map(({ value, label }) => [value, label])),
    },
    collections: collections.map(({ id, name }) => ({ value: id, label: name })),
    targets: [...new Map(targets.map((target) => [target.value, target])).values()],
    tasks: tasks.filter((task) => task !== 'answer'),
  }
}

/** Search by itself asks no model that writes. */
const writingFeatures: readonly PolicyFeature[] = ['chat', 'summaries']

const collectionFaults = ({ policy, providers }: Governed, { names, targets }: Known): string[] => {
  const faults: string[] = []
  const isThere = (id: string): boolean => id in names.collections
  for (const feature of policyFeatures)
    if (policy.features[feature]?.some((id) => !isThere(id)))
      faults.push(`${featureWords[feature]} names a collection that is gone. Take it out.`)
  const known = new Map(targets.map((target) => [target.value, target]))
  const seen = new Set<string>()
  for (const { collectionId, to } of policy.exposure) {
    if (!isThere(collectionId)) {
      faults.push('A rule about who may read a collection names one that is gone. Take it out.')
      continue
    }
    const name = `“${names.collections[collectionId]}”`
    if (seen.has(collectionId)) faults.push(`There are two rules about who may read ${name}. Keep one.`)
    seen.add(collectionId)
    if (to === 'local') continue
    for (const id of to)
      if (!known.has(id)) faults.push(`${name} may be read by ${id}, which is not set under Models. Take it out.`)
    const readers = to.filter((id) => known.has(id) && (providers === 'any' || known.get(id)?.local))
    if (readers.length > 0) continue
    for (const feature of writingFeatures)
      if (policy.features[feature]?.includes(collectionId))
        faults.push(
          `${featureWords[feature]} may use ${name}, but no model may read it. Allow it one, or take it out of what ${featureWords[feature].toLowerCase()} may use.`,
        )
  }
  return faults
}

const ruleFaults = (rules: readonly AnswerRule[], tasks: readonly string[]): string[] => {
  const twice = rules.length !== new Set(rules.map(({ id }) => id)).size
  return [
    ...(twice ? ['Two rules have the same id. Delete one of them.'] : []),
    ...rules.flatMap(({ name, over, test }) => {
      const faults: (string | null)[] = [
        over !== 'answer' && !tasks.includes(over) ? `there is no task called ${over}.` : null,
        over !== 'answer' && test.kind === 'must-cite' ? 'only an answer cites. Hold it against answers.' : null,
        'pattern' in test ? patternFault(test.pattern) : null,
      ]
      return faults.flatMap((fault) => (fault ? [`The rule “${name}”: ${fault}`] : []))
    }),
  ]
}

/** Why no answer can meet a rule of review, in words; null: one may. What is withheld nobody looks at. */
const neverMet = ({ when }: ReviewRule, { features, topics, confidence }: Policy): string | null => {
  const { collectionIds, topics: about, confidenceBelow = Number.POSITIVE_INFINITY } = when
  const used = features.chat
  if (used !== null && collectionIds?.every((id) => !used.includes(id)))
    return 'chat uses none of its collections. Let chat use one, or take the rule out.'
  if (about?.every((topic) => topics[topic] === 'withhold'))
    return `answers about ${about.map((topic) => topicWords[topic]).join(' or ')} are withheld, so that nobody looks at them. Do not withhold them, or take the rule out.`
  if (confidenceBelow <= confidence.withholdBelow)
    return `answers with a confidence below ${confidence.withholdBelow} are withheld, so that nobody looks at them. Look at those below a higher confidence, or take the rule out.`
  return null
}

const webhookFault = (address: string): string | null => {
  if (!address) return null
  try {
    checkAddress(address)
    return null
  } catch (error) {
    if (error instanceof RefusedAddress)
      return `The address that decisions are told to cannot be used. ${error.message}`
    throw error
  }
}

const waitFaults = (
  { rules, slaMinutes, holdMinutes }: ReviewPolicy,
  { chats }: Policy['retention'],
): (string | null)[] => [
  holdMinutes < slaMinutes
    ? `A held answer would be given up after ${minutesWords(holdMinutes)}, before a decision is owed (${minutesWords(slaMinutes)}). Hold answers for as long or longer.`
    : null,
  chats !== null && chats * dayMinutes < holdMinutes && rules.some(({ act }) => act === 'hold')
    ? `A held answer would wait for up to ${minutesWords(holdMinutes)}, and its conversation be deleted after ${minutesWords(chats * dayMinutes)}. Keep conversations for as long, or hold answers for less.`
    : null,
]

const reviewFaults = (policy: Policy, { names }: Known): string[] => {
  const { rules, notifyByMail, webhookUrl } = policy.review
  const twice = rules.length !== new Set(rules.map(({ id }) => id)).size
  const faults: (string | null)[] = [
    twice ? 'Two review rules have the same id. Delete one of them.' : null,
    ...rules.map((rule) => {
      const isGone = rule.when.collectionIds?.some((id) => !(id in names.collections))
      const fault = isGone ? 'it names a collection that is gone. Take it out.' : neverMet(rule, policy)
      return fault ? `The review rule “${rule.name}”: ${fault}` : null
    }),
    ...waitFaults(policy.review, policy.retention),
    notifyByMail && !isMailSet()
      ? 'Decisions are to be told by e-mail, and no mail server is set up. Whoever runs Footnote sets SMTP_URL; until then switch it off.'
      : null,
    webhookFault(webhookUrl),
  ]
  return faults.filter((fault) => fault !== null)
}

/** What contradicts itself or can have no effect, in words; none: it can be in force. */
const faultsOf = (governed: Governed, known: Known): string[] => {
  const { confidence, rules, quietHours: quiet } = governed.policy
  return [
    ...collectionFaults(governed, known),
    ...(confidence.withholdBelow > confidence.warnBelow
      ? [
          `Answers would be withheld below a confidence of ${confidence.withholdBelow}, and warned of only below ${confidence.warnBelow}. The warning must begin at the same confidence or a higher one.`,
        ]
      : []),
    ...ruleFaults(rules, known.tasks),
    ...reviewFaults(governed.policy, known),
    ...(quiet && quiet.from === quiet.to
      ? [`Quiet hours from ${quiet.from} to ${quiet.to} have no length. Change one of the times.`]
      : []),
    ...(quiet && !isTimeZone(quiet.timeZone)
      ? [`There is no time zone called “${quiet.timeZone}”. Write it as Europe/Berlin or UTC.`]
      : []),
    ...(quiet && quiet.jobs.length === 0
      ? ['Quiet hours name no work that waits. Choose some, or switch them off.']
      : []),
  ]
}

/** Rules of an earlier release read by this one; undefined where that cannot be done. */
const governedIn = ({ settings }: StoredVersion): Governed | undefined => {
  const parsed = gatewaySettingsSchema.safeParse(settings)
  return parsed.success ? governedOf(parsed.data) : undefined
}

/** What was in force as `version`; version 0 are the defaults. */
const governedAt = async (db: Executor, viewer: Viewer, version: number): Promise<Governed | undefined> => {
  const stored = await getSettingsVersion(db, viewer, version)
  if (stored) return governedIn(stored)
  return version === 0 ? governedOf(defaultGatewaySettings) : undefined
}

type InForce = { governed: Governed; version: number }

const inForce = async (db: Executor, { workspaceId }: Viewer): Promise<InForce> => {
  const { settings, version } = await getGatewaySettings(db, workspaceId)
  return { governed: governedOf(settings), version }
}

/** The policy in force, with who set it, when and why. */
export const getPolicy = async (
  viewer: Viewer,
): Promise<
  Pick<PolicyView, 'governed' | 'version' | 'savedBy' | 'approvedBy' | 'at' | 'reason'> & { policy: Policy }
> => {
  const { db } = database()
  const { governed, version } = await inForce(db, viewer)
  const stored = await getSettingsVersion(db, viewer, version)
  return {
    governed,
    policy: governed.policy,
    version,
    savedBy: stored?.savedBy ?? null,
    approvedBy: stored?.approvedBy ?? null,
    at: stored?.at.toISOString() ?? null,
    reason: stored?.reason ?? '',
  }
}

const asItComes: PolicyVersion = { version: 0, savedBy: null, approvedBy: null, reason: '', at: null, changes: [] }

const versionsOf = async (
  viewer: Viewer,
  names: PolicyNames,
  before?: number,
): Promise<Pick<PolicyView, 'versions' | 'older'>> => {
  // One more, to tell what the last one shown has changed.
  const stored = await listSettingsVersions(database().db, viewer, { limit: versionsShown + 1, before })
  const shown = stored.slice(0, versionsShown).map((one, at): PolicyVersion => {
    const [now, earlier] = [governedIn(one), stored[at + 1]]
    const was = earlier ? governedIn(earlier) : governedOf(defaultGatewaySettings)
    const { version, savedBy, approvedBy, reason } = one
    const changes = now && was ? diffPolicy(was, now, names) : []
    return { version, savedBy, approvedBy, reason, at: one.at.toISOString(), changes }
  })
  const older = stored.length > versionsShown
  return { versions: older || shown.length === 0 ? shown : [...shown, asItComes], older }
}

/** Versions of the rules, newest first, each with what it changed of the policy; `before`: older than that version. */
export const listPolicyVersions = async (
  viewer: Viewer,
  before?: number,
): Promise<Pick<PolicyView, 'versions' | 'older'>> => versionsOf(viewer, (await knownTo(viewer)).names, before)

/** A stored draft's content; what is noted with it is not part of it. */
const contentOf = ({ policy: { note: _, ...stored } }: Pick<StoredDraft, 'policy'>): Governed =>
  governedSchema.parse(stored)

const secondWords =
  'In this workspace a second admin agrees to a change of the policy. Propose it: another admin can then apply it.'

/** Why the viewer cannot apply it, whatever is in it. */
const barOf = (draft: StoredDraft, viewer: Viewer, now: Governed): string | null =>
  now.policy.secondApprover && draft.createdBy === viewer.userId ? secondWords : null

const movedSince = async (
  db: Executor,
  viewer: Viewer,
  draft: StoredDraft,
  now: InForce,
  names: PolicyNames,
): Promise<PolicyDifference[]> => {
  if (draft.basedOn === now.version) return []
  const base = await governedAt(db, viewer, draft.basedOn)
  // Fails closed: from what cannot be read everything may differ.
  return diffPolicy(base ?? governedOf(defaultGatewaySettings), now.governed, names)
}

const showDraft = async (viewer: Viewer, draft: StoredDraft, now: InForce, known: Known): Promise<PolicyDraft> => {
  const content = contentOf(draft)
  return {
    id: draft.id,
    state: draft.state,
    basedOn: draft.basedOn,
    content,
    reason: draft.reason,
    author: draft.author,
    mine: draft.createdBy === viewer.userId,
    updatedAt: draft.updatedAt.toISOString(),
    changes: diffPolicy(now.governed, content, known.names),
    faults: faultsOf(content, known),
    moved: await movedSince(database().db, viewer, draft, now, known.names),
    barred: barOf(draft, viewer, now.governed),
  }
}

/** Everything the Policy page shows; of the versions those `before` one. */
export const policyView = async (viewer: Viewer, before?: number): Promise<PolicyView> => {
  const { db } = database()
  const [known, { policy: _, ...current }, own, others, rejected] = await Promise.all([
    knownTo(viewer),
    getPolicy(viewer),
    getOwnDraft(db, viewer),
    listProposals(db, viewer),
    getRejected(db, viewer),
  ])
  return {
    ...current,
    draft: own ? await showDraft(viewer, own, current, known) : null,
    proposals: await Promise.all(others.map((draft) => showDraft(viewer, draft, current, known))),
    rejected: rejected ? { by: rejected.by, note: String(rejected.policy.note ?? '') } : null,
    ...(await versionsOf(viewer, known.names, before)),
    names: known.names,
    collections: known.collections,
    models: known.targets.map(({ value, label }) => ({ value, label })),
    tasks: known.tasks,
  }
}

/** PostgreSQL refuses a NUL. */
const cleanReason = (reason: string): string => reason.replaceAll('\0', '').trim().slice(0, reasonCharsMax)

/** A draft that the viewer may act on. Throws `not-found`. */
const takeDraft = async (tx: Tx, viewer: Viewer, id: string): Promise<StoredDraft> => {
  const draft = await lockDraft(tx, viewer, id)
  if (!draft) throw new AppError('not-found')
  return draft
}
const takeOwn = async (tx: Tx, viewer: Viewer, id: string): Promise<StoredDraft> => {
  const draft = await takeDraft(tx, viewer, id)
  if (draft.createdBy !== viewer.userId) throw new AppError('not-found')
  return draft
}

/**
 * Keeps what the viewer has typed, also when it makes no sense yet, as their one draft; one that was proposed is open again. The
 * draft's id. Throws `bad-request` for what is no policy at all.
 */
export const saveDraft = async (viewer: Viewer, input: DraftInput): Promise<{ id: string }> => {
  const { basedOn, reason } = input
  const read = governedSchema.safeParse(input.content)
  if (!read.success) return refuse(settingIssues(read.error.issues))
  const content = read.data
  const draft = { policy: content, basedOn, reason: cleanReason(reason), state: 'open' as const, updatedAt: new Date() }
  return database().db.transaction(async (tx) => {
    const made = { id: newId(), ...draft }
    if (await insertDraft(tx, viewer, made)) {
      await audit(tx, { actor: viewer, event: 'policy.drafted', objectId: made.id, details: { basedOn } })
      return { id: made.id }
    }
    const own = await getOwnDraft(tx, viewer)
    if (!own) throw new AppError('conflict')
    await takeOwn(tx, viewer, own.id)
    await updateDraft(tx, own.id, draft)
    await audit(tx, {
      actor: viewer,
      event: 'policy.drafted',
      objectId: own.id,
      details: { basedOn },
      before: own.policy,
      after: content,
    })
    return { id: own.id }
  })
}

const refuseFaults = (governed: Governed, known: Known): void => {
  const faults = faultsOf(governed, known)
  if (faults.length > 0) refuse(faults.slice(0, saidMax).join(' '))
}

const refuseMoved = (moved: readonly PolicyDifference[]): void => {
  if (moved.length === 0) return
  const said = moved.slice(0, saidMax).map(differenceWords)
  const more = moved.length > said.length ? ` And ${moved.length - said.length} more.` : ''
  throw new AppError('conflict', {
    message: `The policy has changed since this draft was begun. ${said.join(' ')}${more} The draft is kept: bring it onto the newer policy, look at it again, then go on.`,
  })
}

/** Asks the other admins to apply it. Throws `not-found`, `bad-request` with what contradicts itself, `conflict` with what has changed. */
export const proposeDraft = async (viewer: Viewer, id: string): Promise<void> => {
  const known = await knownTo(viewer)
  await database().db.transaction(async (tx) => {
    const draft = await takeOwn(tx, viewer, id)
    const content = contentOf(draft)
    refuseFaults(content, known)
    const now = await inForce(tx, viewer)
    refuseMoved(await movedSince(tx, viewer, draft, now, known.names))
    if (diffPolicy(now.governed, content, known.names).length === 0)
      refuse('The draft changes nothing. Change something in it, or discard it.')
    await updateDraft(tx, id, { state: 'proposed', updatedAt: new Date() })
    await audit(tx, { actor: viewer, event: 'policy.proposed', objectId: id, details: { reason: draft.reason } })
  })
}

/** What was looked at: a draft that was changed since is another one. */
export type SeenDraft = { id: string; seen: string }

/**
 * Puts a draft in force: one's own, or one that another admin proposes. Where the policy in force asks for a second admin, that is
 * never its author. The new version. Throws `not-found`, `bad-request` in words, `conflict` with what has changed since.
 */
export const applyDraft = async (viewer: Viewer, { id, seen }: SeenDraft): Promise<number> => {
  const known = await knownTo(viewer)
  const applied = await database().db.transaction(async (tx) => {
    const draft = await takeDraft(tx, viewer, id)
    if (draft.updatedAt.toISOString() !== seen)
      throw new AppError('conflict', {
        message: 'The draft was changed after you opened it. Reload to see how it is now, then decide.',
      })
    const now = await inForce(tx, viewer)
    const bar = barOf(draft, viewer, now.governed)
    if (bar) refuse(bar)
    const content = contentOf(draft)
    refuseFaults(content, known)
    refuseMoved(await movedSince(tx, viewer, draft, now, known.names))
    const isAuthor = draft.createdBy === viewer.userId
    const { version, changes } = await saveGoverned(tx, viewer, {
      expectedVersion: now.version,
      governed: content,
      change: { savedBy: draft.createdBy, approvedBy: isAuthor ? null : viewer.userId, reason: draft.reason },
    })
    await decideDraft(tx, { id, state: 'applied', by: viewer.userId, at: new Date() })
    await audit(tx, {
      actor: viewer,
      event: 'policy.applied',
      objectId: id,
      details: { version, author: draft.createdBy, reason: draft.reason, changes },
      before: now.governed,
      after: content,
    })
    return version
  })
  forgetSettings(viewer.workspaceId)
  return applied
}

/** Says no to what another admin proposes; why is shown to them. Throws `not-found`. */
export const rejectDraft = (viewer: Viewer, id: string, why: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    const draft = await takeDraft(tx, viewer, id)
    if (draft.createdBy === viewer.userId) refuse('This is your own draft. Discard it instead.')
    const note = cleanReason(why)
    await decideDraft(tx, { id, state: 'rejected', by: viewer.userId, at: new Date(), note })
    await audit(tx, {
      actor: viewer,
      event: 'policy.rejected',
      objectId: id,
      details: { author: draft.createdBy, note },
    })
  })

/** Ends the viewer's own draft. Throws `not-found`. */
export const discardDraft = (viewer: Viewer, id: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    await takeOwn(tx, viewer, id)
    await decideDraft(tx, { id, state: 'discarded', by: viewer.userId, at: new Date() })
    await audit(tx, { actor: viewer, event: 'policy.discarded', objectId: id })
  })

/** Brings the viewer's own draft onto the policy in force: what it changed stays changed, everything else is as it is now. */
export const renewDraft = (viewer: Viewer, id: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    const draft = await takeOwn(tx, viewer, id)
    const now = await inForce(tx, viewer)
    const base = (await governedAt(tx, viewer, draft.basedOn)) ?? governedOf(defaultGatewaySettings)
    const content = governedSchema.parse(rebase(base, contentOf(draft), now.governed))
    await updateDraft(tx, id, { policy: content, basedOn: now.version, state: 'open', updatedAt: new Date() })
    await audit(tx, {
      actor: viewer,
      event: 'policy.drafted',
      objectId: id,
      details: { basedOn: now.version },
      before: draft.policy,
      after: content,
    })
  })

/**
 * Makes the policy as it was in `version`, 0 for as it comes, as a new version; where a second admin has to agree, as a proposal.
 * Throws `not-found`, `bad-request` where it contradicts what is there now, or nothing differs.
 */
export const rollBack = async (
  viewer: Viewer,
  version: number,
  reason = '',
): Promise<{ version: number } | { proposed: string }> => {
  const known = await knownTo(viewer)
  const why = cleanReason(reason) || `Back to version ${version}`
  const done = await database().db.transaction(async (tx) => {
    const content = await governedAt(tx, viewer, version)
    if (!content) throw new AppError('not-found')
    refuseFaults(content, known)
    const now = await inForce(tx, viewer)
    if (diffPolicy(now.governed, content, known.names).length === 0)
      refuse(`The policy is as it was in version ${version}. There is nothing to roll back.`)
    const line = { actor: viewer, event: 'policy.rolled-back', before: now.governed, after: content } as const
    if (now.governed.policy.secondApprover) {
      const [id, updatedAt] = [newId(), new Date()]
      const made = { id, basedOn: now.version, policy: content, reason: why, state: 'proposed' as const, updatedAt }
      if (!(await insertDraft(tx, viewer, made)))
        refuse('You have a draft already. Discard it, or have it decided, before you roll back.')
      await audit(tx, { ...line, objectId: id, details: { to: version, reason: why, proposed: true } })
      return { proposed: id }
    }
    const change = { savedBy: viewer.userId, reason: why }
    const call = { expectedVersion: now.version, governed: content, change }
    const saved = await saveGoverned(tx, viewer, call)
    await audit(tx, {
      ...line,
      objectId: viewer.workspaceId,
      details: { to: version, version: saved.version, reason: why, changes: saved.changes },
    })
    return { version: saved.version }
  })
  forgetSettings(viewer.workspaceId)
  return done
}

type Judged = Pick<PreviewPart['counts'][number], 'kind' | 'id' | 'act'> & { words: string }

/** What is known of an answer that was given. One from before confidence was measured is not judged by it. */
const factsOf = ({ text, question, metadata, role }: StoredAnswer): AnswerFacts => ({
  collectionIds: metadata.collectionIds ?? [],
  // Nobody has less.
  role: role ?? 'member',
  injection: Math.max(metadata.injection?.question ?? 0, metadata.injection?.passages ?? 0),
  topics: topicsOf(`${question}\n${text}`).map(({ topic }) => topic),
  confidence: metadata.confidence ? metadata.confidence.value : 1,
  approved: metadata.curated !== undefined,
  personalData: sensitiveKindsIn(text).map((kind) => sensitiveWords[kind]),
})

/** By whom an answer that is not withheld would have been looked at. */
const judgeReview = ({ policy, injection }: Governed, answer: StoredAnswer): Judged[] => {
  const facts = factsOf(answer)
  const flagged = !facts.approved && facts.injection > 0 && facts.injection >= injection.flagFrom
  return [
    ...policy.review.rules.flatMap((rule): Judged[] => {
      const { act, reasons } = judgeForReview({ rules: [rule] }, facts)
      return act === 'show'
        ? []
        : [{ kind: 'review', id: rule.id, act, words: reasons.map(({ words }) => words).join(' ') }]
    }),
    ...(flagged
      ? [
          {
            kind: 'injection' as const,
            id: 'flagFrom',
            act: 'queue' as const,
            words: 'It was written over what reads like an order.',
          },
        ]
      : []),
  ]
}

/** What a policy would say of an answer that was given. */
const judgeStored = (governed: Governed, answer: StoredAnswer): Judged[] => {
  const { policy } = governed
  const { metadata, citations, question } = answer
  const text = answer.text.replace(citationMarker, '')
  const used = policy.features.chat
  const closed = used !== null && metadata.collectionIds?.some((id) => !used.includes(id))
  const findings: Judged[] = [
    ...judgeQuestion(policy, [question]),
    ...judgeAnswer(policy, {
      text,
      citations,
      // Nor is one that a person has approved.
      confidence: metadata.confidence && !metadata.curated ? (metadata.confidence.value ?? 0) : null,
    }),
    ...(closed
      ? [
          {
            kind: 'collection' as const,
            id: 'features.chat',
            act: 'withhold' as const,
            words: 'It rests on a collection that chat would no longer use.',
          },
        ]
      : []),
  ]
  const isWithheld = findings.some(({ act }) => act === 'withhold')
  return isWithheld ? findings : [...findings, ...judgeReview(governed, { ...answer, text })]
}

const causeWords = (
  { kind, id, act }: Judged,
  { policy }: Governed,
  names: Pick<PolicyNames, 'collections'>,
): string => {
  const then = act === 'withhold' ? 'withheld' : 'with a warning'
  if (kind === 'topic') return `about ${id.replace('-', ' ')}, ${then}`
  if (kind === 'confidence') return `for their confidence, ${then}`
  if (kind === 'collection') return 'from a collection that chat would no longer use'
  if (kind === 'injection') return 'over text that tries to give orders, with a warning, and looked at by a person'
  const rule = policy.rules.find((one) => one.id === id)
  const review = policy.review.rules.find((one) => one.id === id)
  if (kind === 'review' && review) return reviewRuleWords(review, names)
  return rule ? ruleWords(rule) : 'by a rule'
}

/** What `next` said; null at the beginning. Throws `bad-request` for what no part can have said. */
const placeOf = (after: string | null): { from: number; since: number } | null => {
  if (!after) return null
  const [, from, since] = /^(\d{1,4}) (\d{1,13})$/.exec(after) ?? []
  if (from === undefined || since === undefined) throw new AppError('bad-request')
  return { from: Number(from), since: Number(since) }
}

/**
 * Judges answers of the last week by a policy that is not in force, newest first, some at a time: at most the 200 newest. `after` is
 * what the part before gave as `next`. Who asked is judged by their role of today. Nothing is asked of a model and nothing is stored. An answer from before confidence was
 * measured is not judged by it; which model a passage would have gone to is not tried.
 */
export const previewPolicy = async (
  viewer: Viewer,
  content: DraftInput['content'],
  { after = null, now = new Date() }: { after?: string | null; now?: Date } = {},
): Promise<PreviewPart> => {
  const read = governedSchema.safeParse(content)
  if (!read.success) return refuse(settingIssues(read.error.issues))
  const governed = read.data
  const unreadable = governed.policy.rules.flatMap(({ test }) =>
    'pattern' in test ? (patternFault(test.pattern) ?? []) : [],
  )
  if (unreadable.length > 0) refuse(unreadable.join(' '))
  const { db } = database()
  const { from, since } = placeOf(after) ?? { from: 0, since: now.getTime() - previewDays * dayMs }
  const asked = { since: new Date(since), newest: previewAnswersMax }
  const [total, stored, named] = await Promise.all([
    countAnswers(db, viewer, asked),
    listAnswers(db, viewer, { ...asked, after: from, limit: previewStep }),
    listCollectionNames(db, viewer),
  ])
  const names = { collections: Object.fromEntries(named.map(({ id, name }) => [id, name])) }
  const acts = { withhold: 0, hold: 0, queue: 0, warn: 0 }
  const counts = new Map<string, PreviewPart['counts'][number]>()
  const answers: PreviewPart['answers'] = []
  for (const answer of stored) {
    const judged = judgeStored(governed, answer)
    const act = previewActs.find((strongest) => judged.some((found) => found.act === strongest))
    if (!act) continue
    acts[act] += 1
    for (const one of new Map(judged.map((found) => [`${found.kind} ${found.id} ${found.act}`, found]))) {
      const [key, { id, kind, act }] = one
      const known = counts.get(key) ?? { id, kind, act, words: causeWords(one[1], governed, names), answers: 0 }
      counts.set(key, { ...known, answers: known.answers + 1 })
    }
    answers.push({
      messageId: answer.messageId,
      traceId: answer.traceId,
      question: answer.maskedQuestion ?? (await maskForRecord(answer.question, viewer)),
      at: answer.at.toISOString(),
      act,
      reasons: [...new Set(judged.map(({ words }) => words))],
    })
  }
  const reached = from + stored.length
  return {
    judged: stored.length,
    total,
    next: stored.length < previewStep || reached >= total ? null : `${reached} ${since}`,
    acts,
    counts: [...counts.values()],
    answers,
  }
}

/** Whether a rule acts on a text, for the panel beside the rule. Markers like [1] count as citations. */
export const testRule = (rule: AnswerRule, text: string): RuleTest => {
  const fault = 'pattern' in rule.test ? patternFault(rule.test.pattern) : null
  if (fault) return { met: false, words: fault }
  const citations = text.match(/\[\^?\d{1,4}\]/g)?.length ?? 0
  const met = meetsRule(rule, { text, citations })
  const done = rule.act === 'withhold' ? 'It would be withheld.' : 'It would carry a warning.'
  return { met, words: met ? `The rule acts on this text. ${done}` : 'The rule does not act on this text.' }
}
