import { and, eq } from 'drizzle-orm'
import { beforeAll, describe, expect, it } from 'vitest'
import { insertProvider } from '#db/queries/models.ts'
import {
  auditLog,
  chats,
  citations,
  collections,
  memberships,
  messages,
  settingsVersions,
  users,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { saveGatewaySettings } from './gateway/index.ts'
import {
  applyDraft,
  discardDraft,
  getPolicy,
  listPolicyVersions,
  policyView,
  previewPolicy,
  proposeDraft,
  rejectDraft,
  renewDraft,
  rollBack,
  saveDraft,
  testRule,
} from './policy.ts'
import type { MessageMetadata } from './shared/chat-contract.ts'
import { newId } from './shared/ids.ts'
import type { PolicyInput } from './shared/policy-contract.ts'
import { type Governed, governedSchema } from './shared/policy-draft.ts'
import type { Viewer } from './shared/viewer.ts'

const test = withDatabase()

const withPolicy = (policy: PolicyInput, over: Partial<Governed> = {}): Governed =>
  governedSchema.parse({ policy, ...over })

/** A draft as its author would see it now. */
const draftOf = async (viewer: Viewer, content: Governed, basedOn?: number, reason = 'Asked for by legal') => {
  await saveDraft(viewer, { content, basedOn: basedOn ?? (await getPolicy(viewer)).version, reason })
  const { draft } = await policyView(viewer)
  if (!draft) throw new Error('no draft')
  return { ...draft, seen: draft.updatedAt }
}
const apply = async (viewer: Viewer, content: Governed): Promise<number> =>
  applyDraft(viewer, await draftOf(viewer, content))

const eventsOf = async ({ workspaceId }: TestWorkspace) =>
  (
    await test.current().db.select().from(auditLog).where(eq(auditLog.workspaceId, workspaceId)).orderBy(auditLog.id)
  ).map(({ event }) => event)

describe('drafts of a policy', () => {
  it.each(['0 1e300', '1e300 5', '-5 0', '0 9007199254740991', '1', '1 2 3', 'a b', '0x10 0', '0 -1'])(
    'are not tried from a place that is none: %s',
    async (after) => {
      const { admin } = (await createTestWorkspace(test.current())).viewers
      await expect(previewPolicy(admin, withPolicy({}), { after })).rejects.toMatchObject({ code: 'bad-request' })
    },
  )

  it('are kept as typed, one a person, and in force only once applied, with who, when and why', async () => {
    const made = await createTestWorkspace(test.current())
    const { admin } = made.viewers
    const contradicting = withPolicy({ confidence: { warnBelow: 0.1, withholdBelow: 0.5 } })
    const kept = await draftOf(admin, contradicting)
    expect(kept).toMatchObject({ content: contradicting, faults: [expect.stringContaining('withheld below')] })
    await expect(applyDraft(admin, kept)).rejects.toMatchObject({ code: 'bad-request' })
    const draft = await draftOf(admin, withPolicy({ topics: { medical: 'warn' } }))
    expect(draft.id).toBe(kept.id)
    expect(draft.changes).toMatchObject([{ key: 'topics.medical', after: expect.stringContaining('with a warning') }])
    expect((await getPolicy(admin)).version).toBe(0)
    expect(await applyDraft(admin, draft)).toBe(1)
    expect(await getPolicy(admin)).toMatchObject({
      version: 1,
      policy: { topics: { medical: 'warn' } },
      savedBy: 'admin',
      approvedBy: null,
      reason: 'Asked for by legal',
      at: expect.any(String),
    })
    expect((await policyView(admin)).draft).toBeNull()
    await expect(applyDraft(admin, draft)).rejects.toMatchObject({ code: 'not-found' })
    expect(await eventsOf(made)).toEqual(['policy.drafted', 'policy.drafted', 'policy.applied'])
  })

  it('are nobody else’s until they are proposed, and never another workspace’s', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const stranger = (await createTestWorkspace(test.current())).viewers.admin
    const draft = await draftOf(viewers.admin, withPolicy({ topics: { legal: 'warn' } }))
    for (const other of [viewers.owner, stranger]) {
      expect(await policyView(other)).toMatchObject({ draft: null, proposals: [] })
      await expect(applyDraft(other, draft)).rejects.toMatchObject({ code: 'not-found' })
      await expect(discardDraft(other, draft.id)).rejects.toMatchObject({ code: 'not-found' })
    }
    await proposeDraft(viewers.admin, draft.id)
    expect((await policyView(viewers.owner)).proposals).toMatchObject([{ id: draft.id, author: 'admin', mine: false }])
    await expect(rejectDraft(stranger, draft.id, 'no')).rejects.toMatchObject({ code: 'not-found' })
    await rejectDraft(viewers.owner, draft.id, 'Too strict')
    expect(await policyView(viewers.admin)).toMatchObject({
      draft: null,
      rejected: { by: 'owner', note: 'Too strict' },
    })
    const again = await draftOf(viewers.admin, withPolicy({ topics: { legal: 'warn' } }))
    await discardDraft(viewers.admin, again.id)
    expect(await policyView(viewers.admin)).toMatchObject({ draft: null, rejected: null })
  })

  it('of two admins at once: the second gets a conflict with the difference, and loses nothing', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const mine = await draftOf(viewers.admin, withPolicy({ topics: { medical: 'withhold' } }))
    const theirs = await draftOf(viewers.owner, withPolicy({ retention: { chats: 30 } }))
    const ends = await Promise.allSettled([applyDraft(viewers.admin, mine), applyDraft(viewers.owner, theirs)])
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const loser = ends[0]?.status === 'rejected' ? viewers.admin : viewers.owner
    const lost = ends.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    expect(lost.reason).toMatchObject({ code: 'conflict', status: 409 })
    const kept = (await policyView(loser)).draft
    expect(kept?.moved).toHaveLength(1)
    await expect(applyDraft(loser, { id: kept?.id ?? '', seen: kept?.updatedAt ?? '' })).rejects.toMatchObject({
      code: 'conflict',
      publicMessage: expect.stringMatching(/It was:/),
    })
    await renewDraft(loser, kept?.id ?? '')
    const renewed = (await policyView(loser)).draft
    expect(renewed).toMatchObject({ moved: [], changes: [expect.anything()] })
    await applyDraft(loser, { id: renewed?.id ?? '', seen: renewed?.updatedAt ?? '' })
    expect((await getPolicy(loser)).policy).toMatchObject({ topics: { medical: 'withhold' }, retention: { chats: 30 } })
  })

  it('go on where only rules outside the policy were saved meanwhile, and keep those', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const draft = await draftOf(viewers.admin, withPolicy({ topics: { legal: 'warn' } }))
    await saveGatewaySettings(viewers.owner, 0, { cache: { semantic: false } })
    expect(await applyDraft(viewers.admin, draft)).toBe(2)
    const stored = await test
      .current()
      .db.select()
      .from(settingsVersions)
      .where(eq(settingsVersions.workspaceId, viewers.admin.workspaceId))
    expect(stored.map(({ version }) => version).sort()).toEqual([1, 2])
    expect(stored.find(({ version }) => version === 2)?.settings).toMatchObject({ cache: { semantic: false } })
  })
})

describe('a second approver', () => {
  const strict = () => withPolicy({ secondApprover: true })

  it('is another admin than the author, sees what they apply, and cannot be switched off by one alone', async () => {
    const made = await createTestWorkspace(test.current())
    const { admin, owner } = made.viewers
    await apply(admin, strict())
    const draft = await draftOf(admin, withPolicy({ secondApprover: false }))
    expect(draft.barred).toContain('second admin')
    await expect(applyDraft(admin, draft)).rejects.toMatchObject({ code: 'bad-request' })
    await proposeDraft(admin, draft.id)
    const proposed = (await policyView(admin)).draft
    await expect(applyDraft(admin, { id: draft.id, seen: proposed?.updatedAt ?? '' })).rejects.toMatchObject({
      code: 'bad-request',
    })
    const [seen] = (await policyView(owner)).proposals
    // Changed after it was looked at: it is another proposal.
    await new Promise((resolve) => setTimeout(resolve, 2))
    await saveDraft(admin, {
      content: withPolicy({ secondApprover: false, topics: { legal: 'withhold' } }),
      basedOn: 1,
      reason: '',
    })
    await proposeDraft(admin, draft.id)
    await expect(applyDraft(owner, { id: draft.id, seen: seen?.updatedAt ?? '' })).rejects.toMatchObject({
      code: 'conflict',
    })
    const [now] = (await policyView(owner)).proposals
    await applyDraft(owner, { id: draft.id, seen: now?.updatedAt ?? '' })
    expect(await getPolicy(admin)).toMatchObject({
      savedBy: 'admin',
      approvedBy: 'owner',
      policy: { secondApprover: false },
    })
  })

  it('holds for budgets, masking, providers and what is held back, wherever they are saved', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    await apply(viewers.admin, strict())
    for (const input of [
      { budgets: { userDayMicros: 1 } },
      { redaction: { acts: { email: 'allow' as const } } },
      { providers: 'local' as const },
      { injection: { quarantineFrom: 1 } },
      { unknownPrice: 'refuse' as const },
    ])
      await expect(saveGatewaySettings(viewers.admin, 1, input)).rejects.toMatchObject({
        code: 'bad-request',
        publicMessage: expect.stringContaining('second admin'),
      })
    expect(await saveGatewaySettings(viewers.admin, 1, { cache: { exact: false } })).toBe(2)
    const off = { policy: { secondApprover: false } }
    await expect(saveGatewaySettings(viewers.admin, 2, off)).rejects.toMatchObject({ code: 'bad-request' })
    const draft = await draftOf(viewers.admin, withPolicy({ secondApprover: true }, { providers: 'local' }))
    await proposeDraft(viewers.admin, draft.id)
    const [seen] = (await policyView(viewers.owner)).proposals
    await applyDraft(viewers.owner, { id: draft.id, seen: seen?.updatedAt ?? '' })
    expect((await getPolicy(viewers.owner)).governed.providers).toBe('local')
  })

  it('makes of a roll back a proposal', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    await apply(viewers.admin, strict())
    expect(await rollBack(viewers.admin, 0)).toEqual({ proposed: expect.any(String) })
    expect((await getPolicy(viewers.admin)).policy.secondApprover).toBe(true)
    expect((await policyView(viewers.owner)).proposals).toMatchObject([{ changes: [{ key: 'secondApprover' }] }])
  })
})

describe('versions', () => {
  it('stay, each with what it changed, and one click makes an old one new', async () => {
    const made = await createTestWorkspace(test.current())
    const { admin, member } = made.viewers
    await apply(admin, withPolicy({ topics: { medical: 'warn' } }))
    await apply(admin, withPolicy({ topics: { medical: 'withhold' } }, { budgets: { userDayMicros: 5 } as never }))
    expect(await rollBack(admin, 1, 'Too many refusals')).toEqual({ version: 3 })
    const { versions, older } = await listPolicyVersions(admin)
    expect(older).toBe(false)
    expect(versions.map(({ version, changes }) => [version, changes.map(({ key }) => key)])).toEqual([
      [3, ['topics.medical', 'budgets.userDayMicros']],
      [2, ['topics.medical', 'budgets.userDayMicros']],
      [1, ['topics.medical']],
      [0, []],
    ])
    expect((await listPolicyVersions(admin, 2)).versions.map(({ version }) => version)).toEqual([1, 0])
    expect(versions[0]).toMatchObject({ savedBy: 'admin', reason: 'Too many refusals' })
    expect((await getPolicy(admin)).policy.topics.medical).toBe('warn')
    await expect(rollBack(admin, 1)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(rollBack(admin, 99)).rejects.toMatchObject({ code: 'not-found' })
    expect((await eventsOf(made)).at(-1)).toBe('policy.rolled-back')
    // Whose name it is stays even when the person is gone from the list.
    await test.current().db.update(users).set({ name: 'erased person' }).where(eq(users.id, admin.userId))
    expect((await listPolicyVersions(member)).versions[0]?.savedBy).toBe('erased person')
  })
})

describe('what contradicts itself', () => {
  let made: TestWorkspace
  let providerId: string
  beforeAll(async () => {
    made = await createTestWorkspace(test.current())
    providerId = newId()
    await insertProvider(test.current().db, {
      id: providerId,
      workspaceId: made.workspaceId,
      name: 'Away',
      kind: 'openai',
      baseUrl: null,
      sealedKey: null,
      keyHint: null,
      local: false,
      enabled: true,
      requestsPerMinute: null,
      tokensPerMinute: null,
    })
  })
  const rule = { id: newId(), name: 'R', test: { kind: 'must-not-match' as const, pattern: 'x' } }
  const quiet = { from: '22:00', to: '06:00', timeZone: 'UTC', jobs: ['graph' as const] }
  const watch = { id: newId(), name: 'Watch' }
  const gone = newId()

  it.each<[string, () => Governed]>([
    ['Chat names a collection that is gone', () => withPolicy({ features: { chat: [gone] } })],
    ['one that is gone', () => withPolicy({ exposure: [{ collectionId: gone, to: 'local' }] })],
    [
      'which is not set under Models',
      () => withPolicy({ exposure: [{ collectionId: made.collectionId, to: ['nobody'] }] }),
    ],
    [
      'Chat may use “General”, but no model may read it',
      () =>
        withPolicy({
          features: { chat: [made.collectionId] },
          exposure: [{ collectionId: made.collectionId, to: [] }],
        }),
    ],
    [
      'Summaries may use “General”, but no model may read it',
      () =>
        withPolicy(
          {
            features: { summaries: [made.collectionId] },
            exposure: [{ collectionId: made.collectionId, to: [providerId] }],
          },
          { providers: 'local' },
        ),
    ],
    ['must begin at the same confidence', () => withPolicy({ confidence: { warnBelow: 0.2, withholdBelow: 0.3 } })],
    ['cannot be read', () => withPolicy({ rules: [{ ...rule, test: { kind: 'must-match', pattern: '(?=a)' } }] })],
    ['no task called nothing', () => withPolicy({ rules: [{ ...rule, over: 'nothing' }] })],
    [
      'only an answer cites',
      () => withPolicy({ rules: [{ ...rule, over: 'title', test: { kind: 'must-cite', citations: 1 } }] }),
    ],
    ['same id', () => withPolicy({ rules: [rule, rule] })],
    ['have no length', () => withPolicy({ quietHours: { ...quiet, to: '22:00' } })],
    ['no time zone called', () => withPolicy({ quietHours: { ...quiet, timeZone: 'Mars/Base' } })],
    ['no work that waits', () => withPolicy({ quietHours: { ...quiet, jobs: [] } })],
    [
      'The review rule “Watch”: it names a collection that is gone',
      () => withPolicy({ review: { rules: [{ ...watch, when: { collectionIds: [made.collectionId, gone] } }] } }),
    ],
    [
      'chat uses none of its collections',
      () =>
        withPolicy({
          features: { chat: [] },
          review: { rules: [{ ...watch, when: { collectionIds: [made.collectionId] } }] },
        }),
    ],
    [
      'answers about legal matters are withheld',
      () =>
        withPolicy({ topics: { legal: 'withhold' }, review: { rules: [{ ...watch, when: { topics: ['legal'] } }] } }),
    ],
    [
      'answers with a confidence below 0.4 are withheld',
      () =>
        withPolicy({
          confidence: { warnBelow: 0.5, withholdBelow: 0.4 },
          review: { rules: [{ ...watch, when: { confidenceBelow: 0.4 } }] },
        }),
    ],
    ['Two review rules have the same id', () => withPolicy({ review: { rules: [watch, watch] } })],
    [
      'given up after 1 hour, before a decision is owed (2 hours)',
      () => withPolicy({ review: { holdMinutes: 60, slaMinutes: 120 } }),
    ],
    [
      'its conversation be deleted after 1 day',
      () => withPolicy({ retention: { chats: 1 }, review: { holdMinutes: 2_880, rules: [{ ...watch, act: 'hold' }] } }),
    ],
    ['sets SMTP_URL', () => withPolicy({ review: { notifyByMail: true } })],
    [
      'told to cannot be used. 169.254.169.254 is an address that is never called',
      () => withPolicy({ review: { webhookUrl: 'http://169.254.169.254/latest' } }),
    ],
    [
      'must not hold a name or a password',
      () => withPolicy({ review: { webhookUrl: 'https://me:pw@hooks.halden.example/' } }),
    ],
    ['over $10,000,000', () => withPolicy({}, { budgets: { userDayMicros: 1e14 } as never })],
  ])('is refused in words: %s', async (words, content) => {
    const draft = await draftOf(made.viewers.admin, content())
    await expect(applyDraft(made.viewers.admin, draft)).rejects.toMatchObject({
      code: 'bad-request',
      publicMessage: expect.stringContaining(words),
    })
    expect((await getPolicy(made.viewers.admin)).version).toBe(0)
  })
})

it('lets review rules be in force that some answers still meet, and known-wrong answers before there are any', async () => {
  const made = await createTestWorkspace(test.current())
  const { admin } = made.viewers
  const when = { collectionIds: [made.collectionId], topics: ['legal', 'medical'], confidenceBelow: 0.5 } as const
  const content = withPolicy({
    features: { chat: [made.collectionId] },
    topics: { legal: 'withhold' },
    confidence: { warnBelow: 0.4, withholdBelow: 0.4 },
    retention: { chats: 1 },
    review: {
      rules: [
        {
          id: newId(),
          name: 'Watch',
          when: { ...when, collectionIds: [...when.collectionIds], topics: [...when.topics] },
        },
      ],
      holdMinutes: 240,
      seedShare: 0.05,
      webhookUrl: 'https://hooks.halden.example/k-1',
    },
  })
  expect(await apply(admin, content)).toBe(1)
  const lines = await test.current().db.select().from(auditLog).where(eq(auditLog.workspaceId, made.workspaceId))
  const details = JSON.stringify(lines.map((line) => line.details))
  expect(details).toContain('policy.review.webhookUrl')
  expect(details).not.toContain('k-1')
})

it.each<[PolicyInput['review'], string]>([
  [{ webhookUrl: 'ftp://hooks.halden.example' }, 'told to must begin with https://'],
  [{ sampleShare: 1.5 }, 'The share of answers taken at random must be at most 1.'],
  [{ slaMinutes: 0 }, 'The minutes in which a decision is owed must be at least 1.'],
  [
    { rules: [{ id: newId(), name: 'R', when: { topics: [] } }] },
    'The number of topics of a review rule must be at least 1.',
  ],
])('says by its name which setting of review cannot be read: %#', async (review, words) => {
  const { admin } = (await createTestWorkspace(test.current())).viewers
  const content = { policy: { review } } as Governed
  await expect(saveDraft(admin, { content, basedOn: 0, reason: '' })).rejects.toMatchObject({
    code: 'bad-request',
    publicMessage: expect.stringContaining(words),
  })
})

describe('a preview', () => {
  const minute = 60_000
  const untouched = { withhold: 0, hold: 0, queue: 0, warn: 0 }

  const answer = async (
    viewer: Viewer,
    {
      question,
      text,
      metadata = {},
      ageMs = minute,
    }: { question: string; text: string; metadata?: MessageMetadata; ageMs?: number },
  ): Promise<string> => {
    const { db } = test.current()
    const [chatId, questionId, id] = [newId(), newId(), newId()]
    const createdAt = new Date(Date.now() - ageMs)
    await db.insert(chats).values({ id: chatId, workspaceId: viewer.workspaceId, userId: viewer.userId, title: 'T' })
    await db.insert(messages).values([
      { id: questionId, chatId, role: 'user', text: question, status: 'complete', createdAt },
      {
        id,
        chatId,
        role: 'assistant',
        text,
        status: 'complete',
        questionId,
        metadata: { route: 'retrieval', ...metadata },
        createdAt,
      },
    ])
    return id
  }

  it('judges the answers of the last week anew, part by part, and counts by rule', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const stranger = (await createTestWorkspace(test.current())).viewers.member
    const { member, admin } = viewers
    for (let at = 0; at < 42; at += 1)
      await answer(member, { question: `Question ${at}`, text: 'Plain words [^1].', ageMs: (at + 2) * minute })
    const dosage = await answer(member, { question: 'What is the dosage of insulin?', text: 'See a nurse.' })
    await answer(member, {
      question: 'Mail ada@halden.example?',
      text: 'We guarantee 90 days.',
      metadata: { confidence: { value: 0.2, reasons: [] } },
    })
    await answer(member, { question: 'Old', text: 'We guarantee it.', ageMs: 8 * 24 * 60 * minute })
    await answer(stranger, { question: 'Foreign', text: 'We guarantee it.' })
    const content = withPolicy({
      topics: { medical: 'withhold' },
      confidence: { warnBelow: 0.4 },
      rules: [{ id: newId(), name: 'No guarantees', test: { kind: 'must-not-match', pattern: '(?i)guarantee' } }],
    })
    const first = await previewPolicy(admin, content)
    expect(first).toMatchObject({ judged: 40, total: 44, acts: { withhold: 1, warn: 1 }, next: expect.any(String) })
    expect(first.answers.map(({ act }) => act).sort()).toEqual(['warn', 'withhold'])
    expect(first.answers.find(({ messageId }) => messageId === dosage)?.reasons.join()).toContain('Ask a doctor')
    expect(JSON.stringify(first)).not.toContain('ada@halden.example')
    expect(first.counts.map(({ kind, answers }) => [kind, answers]).sort()).toEqual([
      ['confidence', 1],
      ['rule', 1],
      ['topic', 1],
    ])
    const second = await previewPolicy(admin, content, { after: first.next })
    expect(second).toMatchObject({ judged: 4, total: 44, acts: untouched, next: null })
    expect(await previewPolicy(admin, withPolicy({}))).toMatchObject({ acts: untouched, answers: [] })
  })

  it('judges an answer that was given as checked by a person as it is judged when it is given', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    await answer(viewers.member, {
      question: 'Is it so?',
      text: 'Plain words [^1].',
      metadata: { curated: { checkedAt: new Date().toISOString() }, confidence: { value: 0.2, reasons: [] } },
    })
    const hold = { name: 'Everything', act: 'hold' as const }
    const content = withPolicy({
      confidence: { warnBelow: 0.4, withholdBelow: 0.3 },
      review: {
        rules: [
          { ...hold, id: newId(), when: {} },
          { ...hold, id: newId(), when: { confidenceBelow: 0.9 } },
        ],
      },
    })
    expect(await previewPolicy(viewers.admin, content)).toMatchObject({ judged: 1, acts: untouched, answers: [] })
  })

  it('tells what each review rule would have warned of, queued or held, and that nobody looks at what is withheld', async () => {
    const { viewers, workspaceId, collectionId } = await createTestWorkspace(test.current())
    const { member, reviewer, admin } = viewers
    const sure = { value: 0.9, reasons: [] }
    const metadata = { confidence: sure, collectionIds: [collectionId] }
    const held = await answer(member, { question: 'Can we sue them?', text: 'Ask the court.', metadata })
    await answer(member, { question: 'Q', text: 'Write to ada@halden.example.', metadata })
    await answer(reviewer, { question: 'Q', text: 'Plain.', metadata: { confidence: { value: null, reasons: [] } } })
    // From before confidence was measured.
    await answer(reviewer, { question: 'Q', text: 'Plain.' })
    const order = await answer(admin, {
      question: 'Q',
      text: 'Plain.',
      metadata: { injection: { question: 0, passages: 0.7 } },
    })
    await answer(member, { question: 'What is the dosage of insulin?', text: 'Ask a nurse.', metadata })
    const rule = (name: string, act: 'warn' | 'queue' | 'hold', when: object) => ({ id: newId(), name, act, when })
    const rules = [
      rule('Law', 'hold', { topics: ['legal'], collectionIds: [collectionId] }),
      rule('Members', 'warn', { roles: ['member'] }),
      rule('Personal', 'queue', { personalData: true }),
      rule('Unsure', 'hold', { confidenceBelow: 0.5 }),
      rule('Everything elsewhere', 'hold', { collectionIds: [newId()] }),
    ]
    const part = await previewPolicy(admin, withPolicy({ topics: { medical: 'withhold' }, review: { rules } }))
    expect(part.acts).toEqual({ withhold: 1, hold: 2, queue: 2, warn: 0 })
    const counted = part.counts.map(({ id, act, answers }) => [
      rules.find((one) => one.id === id)?.name ?? id,
      act,
      answers,
    ])
    expect(counted.sort()).toEqual([
      ['Law', 'hold', 1],
      ['Members', 'warn', 2],
      ['Personal', 'queue', 1],
      ['Unsure', 'hold', 1],
      ['flagFrom', 'queue', 1],
      ['medical', 'withhold', 1],
    ])
    expect(part.counts.find(({ id }) => id === rules[0]?.id)?.words).toContain('draws from “General”')
    expect(part.answers.find(({ messageId }) => messageId === held)?.act).toBe('hold')
    expect(part.answers.find(({ messageId }) => messageId === order)?.act).toBe('queue')
    // Who asked is no member any more: they are judged as one who has least.
    await test
      .current()
      .db.delete(memberships)
      .where(and(eq(memberships.userId, member.userId), eq(memberships.workspaceId, workspaceId)))
    const members = withPolicy({ review: { rules: rules.slice(1, 2) } })
    expect((await previewPolicy(admin, members)).acts).toEqual({ withhold: 0, hold: 0, queue: 1, warn: 3 })
  })

  it('counts what rests on a collection that chat would no longer use, and refuses a pattern that cannot be read', async () => {
    const { viewers, workspaceId } = await createTestWorkspace(test.current())
    const { db } = test.current()
    const secretId = newId()
    await db.insert(collections).values({ id: secretId, workspaceId, name: 'Secret' })
    const id = await answer(viewers.member, { question: 'Q', text: 'A [^1].', metadata: { collectionIds: [secretId] } })
    await db.insert(citations).values({
      messageId: id,
      ordinal: 1,
      n: 1,
      documentId: newId(),
      versionId: newId(),
      chunkId: '1',
      title: 'T',
      collection: 'Secret',
      mediaType: 'text/plain',
      headingPath: [],
      quote: 'q',
      charStart: 0,
      charEnd: 1,
      rects: [],
      claim: 'c',
      supported: true,
    })
    expect(await previewPolicy(viewers.admin, withPolicy({ features: { chat: [] } }))).toMatchObject({
      acts: { withhold: 1 },
      counts: [{ kind: 'collection', answers: 1 }],
    })
    const cites = (least: number) =>
      withPolicy({ rules: [{ id: newId(), name: 'C', test: { kind: 'must-cite', citations: least } }] })
    expect((await previewPolicy(viewers.admin, cites(1))).acts.warn).toBe(0)
    expect((await previewPolicy(viewers.admin, cites(2))).acts.warn).toBe(1)
    const broken = withPolicy({ rules: [{ id: newId(), name: 'B', test: { kind: 'must-match', pattern: '(' } }] })
    await expect(previewPolicy(viewers.admin, broken)).rejects.toMatchObject({ code: 'bad-request' })
  })
})

it('tries a rule on a text, and says what is wrong with its pattern', () => {
  const rule = { id: newId(), name: 'R', over: 'answer', act: 'withhold' as const, words: '' }
  expect(testRule({ ...rule, test: { kind: 'must-not-match', pattern: 'x+' } }, 'xx')).toEqual({
    met: true,
    words: 'The rule acts on this text. It would be withheld.',
  })
  expect(testRule({ ...rule, test: { kind: 'must-cite', citations: 2 } }, 'One [1] and two [2].').met).toBe(false)
  expect(testRule({ ...rule, test: { kind: 'must-match', pattern: '(' } }, 'x').words).toContain('cannot be read')
})
