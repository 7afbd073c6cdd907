/**
 * What the tests of the doors send: for each door that takes an id a body that is right but for whose id is in it. Doors that are not
 * named here get an empty body.
 */
import { gatewaySettingsSchema } from '../lib/shared/gateway-settings.ts'
import type { Asker } from './doors-matrix.ts'

/** What an id stands for. */
export const things = [
  'chat',
  'message',
  'document',
  'version',
  'trace',
  'run',
  'preview',
  'source',
  'provider',
  'model',
  'golden',
  'member',
  'suspended',
  'group',
  'invitation',
  'key',
  'draft',
  'proposal',
  'switch',
  'hold',
  'collection',
  'grant',
  'workspace',
  'review',
  'curated',
  'note',
] as const
export type Thing = (typeof things)[number]

/** A world with everything in it that can be somebody's, made by `scripts/doors-world.ts`. */
export type DoorsWorld = {
  password: string
  people: Record<Exclude<Asker, 'anonymous'>, { userId: string; email: string; workspaceId: string }>
  /** Of the workspace that is looked at; for what is a person's own, that person's. Some of each, since some doors end them. */
  own: Record<Exclude<Asker, 'anonymous'>, Record<Thing, string[]>>
  /** Of a third workspace, and for what is a person's own also somebody else's of the same workspace. */
  foreign: Record<Thing, string[]>
  /** Addresses of several people of each kind; the first is the one in `people`. */
  crowd: Record<Exclude<Asker, 'anonymous'>, string[]>
  /** What stands in the things of the workspace that is looked at. */
  words: string
  /** What stands in what is one person's own. */
  personal: string
  /** Words that stand in everything that is foreign, and nowhere else. */
  secret: string
}

/** Of nothing, each time. */
export const missingId = (): string => crypto.randomUUID()
/** No id in form, and what might become one on its way. */
export const malformedIds = [
  'not-an-id',
  '1',
  '00000000-0000-7000-8000-000000000000%00',
  "' or 1=1 --",
  '..%2f..%2fadmin',
  '__proto__',
]

/** What stands in a path in the place of its parts. */
export const thingsOfParts: Readonly<Record<string, Thing>> = {
  chatId: 'chat',
  documentId: 'document',
  versionId: 'version',
  traceId: 'trace',
  runId: 'run',
  messageId: 'message',
  itemId: 'review',
}

type Input = {
  /** What the id in the body is of. */
  of?: Thing
  /** It narrows a list: with what is not the asker's it finds what it finds with what is not there, which is nothing. */
  lists?: true
  /** What is not there is made. */
  makes?: true
  body: (id: string, world: DoorsWorld) => unknown
}
/** Any name: nothing is made twice under the same one. */
let made = 0
const someName = (): string => {
  made += 1
  return `Made by a test ${made}`
}

const documents = 'action app/(admin)/admin/documents/actions.ts'
const passages = 'action app/(admin)/admin/documents/[documentId]/actions.ts'
const access = 'action app/(admin)/admin/access/actions.ts'
const incidents = 'action app/(admin)/admin/incidents/actions.ts'
const retention = 'action app/(admin)/admin/retention/actions.ts'
const knowledge = 'action app/(admin)/admin/knowledge/actions.ts'
const members = 'action app/(admin)/admin/members/actions.ts'
const models = 'action app/(admin)/admin/models/actions.ts'
const policy = 'action app/(admin)/admin/policy/actions.ts'
const retrieval = 'action app/(admin)/admin/retrieval/actions.ts'
const sources = 'action app/(admin)/admin/sources/actions.ts'
const review = 'action app/(review)/review/actions.ts'
const labels = 'action app/(review)/review/labels/actions.ts'
const corrections = 'action app/(review)/review/corrections/actions.ts'
const account = 'action app/(chat)/account/actions.ts'
const chat = 'action app/(chat)/actions.ts'

const labelScores = { correct: 2, grounded: 2, relevant: 2, tone: 2 }

const provider = {
  kind: 'compatible',
  baseUrl: 'https://models.example/v1',
  local: false,
  enabled: false,
  requestsPerMinute: null,
  tokensPerMinute: null,
}
const model = { tier: 'fast', position: null, enabled: false, contextTokensMax: null, price: null }

export const inputs: Readonly<Record<string, Input>> = {
  'route POST /api/chat': {
    of: 'chat',
    makes: true,
    body: (chatId) => ({ chatId, messageId: crypto.randomUUID(), text: 'How many days of leave are there?' }),
  },
  'route POST /api/search': { body: () => ({ query: 'days of leave', legs: 'lexical' }) },
  'route POST /api/review/next': { of: 'collection', lists: true, body: (collectionId) => ({ collectionId }) },
  'route PUT /api/review/[itemId]/claim': { body: () => ({}) },
  // Twice is once, also of what was never taken up: it tells nothing.
  'route DELETE /api/review/[itemId]/claim': { lists: true, body: () => ({}) },
  // Of another content than what is there: nothing is decided.
  'route POST /api/review/[itemId]/decision': {
    body: () => ({
      contentHash: 'a'.repeat(64),
      decisionId: crypto.randomUUID(),
      decision: { act: 'reject', reason: 'wrong' },
    }),
  },
  'route POST /api/documents/[documentId]/notes': { body: () => ({ noteId: crypto.randomUUID() }) },
  // Of nobody's: only one's own are marked, and that says nothing.
  'route POST /api/notifications/read': { body: () => ({ ids: [crypto.randomUUID()] }) },
  'route POST /api/workspace': { of: 'workspace', body: (workspaceId) => ({ workspaceId }) },

  [`${documents} retryDocument`]: { of: 'document', body: (documentId) => ({ documentId }) },
  [`${documents} deleteDocument`]: { of: 'document', body: (documentId) => ({ documentId }) },
  [`${documents} describeDocument`]: { of: 'document', body: (documentId) => ({ documentId }) },
  [`${documents} tagDocument`]: { of: 'document', body: (documentId) => ({ documentId, tags: ['tried'] }) },
  [`${documents} listHeldPassages`]: { of: 'document', lists: true, body: (documentId) => ({ documentId }) },
  [`${documents} releasePassage`]: {
    of: 'document',
    body: (documentId) => ({ documentId, contentHash: 'a'.repeat(64) }),
  },
  [`${passages} loadPassages`]: { of: 'version', lists: true, body: (versionId) => ({ versionId, ordinal: 0 }) },
  [`${passages} findPassages`]: { of: 'version', lists: true, body: (versionId) => ({ versionId, words: 'leave' }) },
  [`${passages} startPreview`]: {
    of: 'version',
    body: (versionId) => ({ versionId, strategy: 'auto', targetTokens: 200 }),
  },
  [`${passages} previewRun`]: { of: 'preview', body: (runId) => ({ runId }) },

  [`${knowledge} chooseEncoder`]: { body: () => ({ name: 'an encoder that is not there' }) },
  [`${knowledge} saveSettings`]: { body: () => ({ version: -1, settings: {} }) },

  [`${members} changeRole`]: { of: 'member', body: (userId) => ({ userId, role: 'reviewer' }) },
  [`${members} suspendMember`]: { of: 'member', body: (userId) => ({ userId }) },
  [`${members} restoreMember`]: { of: 'suspended', body: (userId) => ({ userId }) },
  [`${members} removeMember`]: { of: 'member', body: (userId) => ({ userId }) },
  [`${members} makePasswordLink`]: { of: 'member', body: (userId) => ({ userId }) },
  [`${members} saveGroup`]: { of: 'group', body: (id) => ({ id, name: someName(), claim: null, claimRole: null }) },
  [`${members} deleteGroup`]: { of: 'group', body: (id) => ({ id }) },
  [`${members} setInGroup`]: {
    of: 'group',
    body: (groupId, { people }) => ({ userId: people.member.userId, groupId, inGroup: true }),
  },
  [`${members} invite`]: {
    of: 'group',
    body: (id) => ({ email: `${crypto.randomUUID()}@invited.local`, role: 'member', groupIds: [id] }),
  },
  [`${members} inviteMany`]: { body: () => ({ csv: `${crypto.randomUUID()}@invited.local`, role: 'member' }) },
  [`${members} revokeInvitation`]: { of: 'invitation', body: (id) => ({ id }) },
  [`${members} createWorkspace`]: { body: () => ({ name: '' }) },

  [`${models} saveProvider`]: { of: 'provider', body: (id) => ({ ...provider, id, name: someName() }) },
  [`${models} deleteProvider`]: { of: 'provider', body: (id) => ({ id }) },
  [`${models} testProvider`]: { of: 'provider', body: (id) => ({ id }) },
  [`${models} saveModel`]: {
    of: 'model',
    body: (id, { own }) => ({
      ...model,
      id,
      providerId: own.admin.provider[0],
      modelId: `model-${crypto.randomUUID()}`,
    }),
  },
  [`${models} deleteModel`]: { of: 'model', body: (id) => ({ id }) },
  [`${models} orderModels`]: { of: 'model', body: (id) => ({ tier: 'fast', ids: [id] }) },
  [`${models} checkModel`]: { body: () => ({ key: 'nobody/nothing' }) },
  [`${models} acceptModel`]: { body: () => ({ key: 'nobody/nothing' }) },
  [`${models} saveSettings`]: { body: () => ({ version: -1, settings: {} }) },

  [`${policy} saveDraft`]: { body: () => ({ content: {}, basedOn: -1, reason: '' }) },
  [`${policy} proposeDraft`]: { of: 'draft', body: (id) => ({ id }) },
  [`${policy} applyDraft`]: { of: 'draft', body: (id) => ({ id, seen: new Date(0).toISOString() }) },
  [`${policy} rejectDraft`]: { of: 'proposal', body: (id) => ({ id, why: 'a test' }) },
  [`${policy} discardDraft`]: { of: 'draft', body: (id) => ({ id }) },
  [`${policy} renewDraft`]: { of: 'draft', body: (id) => ({ id }) },
  [`${policy} rollBack`]: { body: () => ({ version: 1_000_000, reason: 'a test' }) },

  [`${retrieval} explainQuestion`]: {
    of: 'collection',
    lists: true,
    body: (id) => ({ question: 'days of leave', collectionIds: [id] }),
  },
  [`${retrieval} saveGoldenQuestion`]: {
    of: 'document',
    body: (documentId) => ({ question: someName(), expected: [{ documentId, quote: 'days of leave' }] }),
  },
  [`${retrieval} deleteGoldenQuestion`]: { of: 'golden', body: (id) => ({ id }) },
  [`${retrieval} runGoldenQuestions`]: { of: 'golden', lists: true, body: (id) => ({ ids: [id] }) },

  [`${access} createCollection`]: { body: () => ({ name: someName(), openTo: 'me' }) },
  [`${access} renameCollection`]: { of: 'collection', body: (collectionId) => ({ collectionId, name: someName() }) },
  [`${access} planCollectionDeletion`]: { of: 'collection', body: (collectionId) => ({ collectionId }) },
  // A source brings documents into it, so that it stays for the doors that come after.
  [`${access} deleteCollection`]: { of: 'collection', body: (collectionId) => ({ collectionId, documents: 0 }) },
  [`${access} giveGrant`]: {
    of: 'collection',
    body: (collectionId, { people }) => ({
      collectionId,
      subject: 'person',
      subjectId: people.member.userId,
      level: 'read',
    }),
  },
  [`${access} takeGrant`]: { of: 'grant', body: (grantId) => ({ grantId }) },
  [`${access} findPeople`]: { body: () => ({ kind: 'person', q: '' }) },

  [`${incidents} throwSwitch`]: {
    of: 'document',
    body: (targetId) => ({ kind: 'document', targetId, reason: 'a test' }),
  },
  [`${incidents} liftSwitch`]: { of: 'switch', body: (id) => ({ id, reason: 'a test' }) },
  [`${incidents} findTargets`]: { body: () => ({ kind: 'document', q: '' }) },

  [`${retention} findTargets`]: { body: () => ({ kind: 'document', q: '' }) },
  [`${retention} placeHold`]: {
    of: 'document',
    body: (objectId) => ({ kind: 'document', objectId, reason: 'a test' }),
  },
  [`${retention} releaseHold`]: { of: 'hold', body: (id) => ({ id }) },
  [`${retention} planErasure`]: { of: 'document', body: (id) => ({ kind: 'document', id }) },
  // Without the name of what would go it does not go.
  [`${retention} requestErasure`]: { of: 'document', body: (id) => ({ kind: 'document', id, confirmation: '' }) },

  [`${sources} saveSource`]: {
    of: 'source',
    body: (id, { own }) => ({
      id,
      kind: 'url',
      name: someName(),
      collection: { id: own.admin.collection[0] },
      config: { url: 'https://docs.example/' },
      everyMinutes: null,
    }),
  },
  [`${sources} runSource`]: { of: 'source', body: (id) => ({ id }) },
  [`${sources} pauseSource`]: { of: 'source', body: (id) => ({ id }) },
  [`${sources} deleteSource`]: { of: 'source', body: (id) => ({ id, documents: 'keep' }) },

  [`${review} saveDraft`]: { of: 'review', body: (itemId) => ({ itemId, text: 'A draft.', note: '' }) },
  [`${review} checkEdit`]: { of: 'review', body: (itemId) => ({ itemId, text: 'An edit.' }) },
  [`${review} comment`]: { of: 'review', body: (itemId) => ({ itemId, text: 'A comment.', mentions: [] }) },
  [`${review} listReviewers`]: { of: 'review', body: (itemId) => ({ itemId }) },
  [`${review} handOn`]: { of: 'review', body: (itemId, { people }) => ({ itemId, userId: people.reviewer.userId }) },
  [`${review} askExpert`]: {
    of: 'review',
    body: (itemId, { people }) => ({ itemId, userId: people.reviewer.userId, words: 'Is this so?' }),
  },
  // Each line says by itself that it was not taken.
  [`${review} decideMany`]: {
    of: 'review',
    lists: true,
    body: (itemId) => ({ items: [{ itemId, contentHash: 'a'.repeat(64), decisionId: crypto.randomUUID() }] }),
  },
  [`${review} seed`]: { body: () => ({ count: 1 }) },

  [`${labels} nextLabel`]: { of: 'message', lists: true, body: (messageId) => ({ except: [messageId] }) },
  // Nobody labels an answer to their own question, and of nobody else's does anything come of it.
  [`${labels} saveLabel`]: { of: 'message', body: (messageId) => ({ messageId, scores: labelScores }) },
  [`${labels} addLabels`]: { of: 'message', lists: true, body: (messageId) => ({ answers: [messageId] }) },
  [`${labels} adjudicate`]: { of: 'message', body: (messageId) => ({ messageId, scores: labelScores }) },
  [`${labels} saveRubric`]: {
    body: () => ({ version: 0, rubric: { correct: 'True.', grounded: 'Cited.', relevant: 'Asked.', tone: 'Plain.' } }),
  },

  // Nobody has decided on it.
  [`${corrections} saveGolden`]: { of: 'review', body: (itemId) => ({ itemId }) },
  [`${corrections} saveCurated`]: { of: 'review', body: (itemId) => ({ itemId }) },
  [`${corrections} noteDocument`]: {
    of: 'review',
    body: (itemId) => ({ itemId, documentId: crypto.randomUUID(), text: 'A note.' }),
  },
  [`${corrections} retireCurated`]: { of: 'curated', body: (id) => ({ id }) },
  [`${corrections} resolveNote`]: { of: 'note', body: (noteId) => ({ noteId }) },

  [`${account} endSession`]: { body: () => ({ id: '0'.repeat(64) }) },
  // A wrong password: with a right one the others' sessions would be over.
  [`${account} changePassword`]: {
    body: () => ({ current: 'not the password', password: 'a new password for nobody' }),
  },
  [`${account} endOtherSessions`]: { body: () => ({}) },
  [`${account} revokeKey`]: { of: 'key', body: (id) => ({ id }) },

  [`${chat} renameChatAction`]: { of: 'chat', body: (chatId) => ({ chatId, title: 'Another title' }) },
  [`${chat} deleteChatAction`]: { of: 'chat', body: (chatId) => ({ chatId }) },
  [`${chat} summariseChatAction`]: { of: 'chat', body: (chatId) => ({ chatId }) },
  [`${chat} summariseSelectionAction`]: {
    of: 'chat',
    body: (chatId) => ({ chatId, title: 'Marked', text: 'A few words that were marked. '.repeat(20) }),
  },
  [`${chat} giveFeedbackAction`]: { of: 'message', body: (messageId) => ({ messageId, value: 1 }) },
  // It got an answer, so nobody is asked.
  [`${chat} askPersonAction`]: { of: 'message', body: (messageId) => ({ messageId }) },
}

/** The rules as they come with the product: a policy that can be a draft. */
export const plainRules = () => {
  const { policy, budgets, unknownPrice, providers, redaction, injection } = gatewaySettingsSchema.parse({})
  return { policy, budgets, unknownPrice, providers, redaction, injection }
}
