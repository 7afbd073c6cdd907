/**
 * The world that the doors are tried in: `node scripts/doors-world.ts make` fills the empty data directory of the settings and prints
 * what is whose, `... digest` prints a hash over everything that must still be as it was. One workspace whose people knock, one
 * where the stranger is an admin, and one whose things nobody of them may touch.
 */
import { createHash } from 'node:crypto'
import { type Database, rows, sql } from '#db/client.ts'
import {
  apiKeys,
  chats,
  collectionGrants,
  collections,
  curatedAnswers,
  documentNotes,
  goldenQuestions,
  groups,
  incidentSwitches,
  invitations,
  legalHolds,
  memberships,
  messages,
  modelProviders,
  models,
  policyDrafts,
  reviewItems,
  sources,
  taskRuns,
  traces,
  users,
  workspaces,
} from '#db/schema/index.ts'
import { type DoorsWorld, plainRules, type Thing, things } from '#e2e/doors-inputs.ts'
import { hashPassword } from '#lib/passwords.ts'
import { newId } from '#lib/shared/ids.ts'
import { chunkPreviewFeature } from '#lib/shared/knowledge-contract.ts'
import { type Role, roles } from '#lib/shared/viewer.ts'
import { closeProduct, openProduct } from './product.ts'
import { addReadyDocument } from './ready-document.ts'

/** Of each thing: more than doors end. */
const spare = 60
const words = 'Ten days of leave are given in the first year.'
/** In what is one person's own, and in the lists of it on every page of theirs. */
const personal = 'Asked by somebody for themselves.'
const secret = 'kingfisher-never-to-be-seen'

type Person = { userId: string; email: string; workspaceId: string; role: Role }
type Made = Record<Thing, string[]>
const many = <Value>(count: number, make: (at: number) => Value): Value[] =>
  Array.from({ length: count }, (_, at) => make(at))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Things of a workspace: `count` of each, with `text` in whatever can be read. */
const fill = async (database: Database, owner: Person, count: number, text: string): Promise<Made> => {
  const { db } = database
  const { workspaceId, userId } = owner
  const made = Object.fromEntries(things.map((thing) => [thing, [] as string[]])) as Made
  const ids = (thing: Thing): string[] => {
    made[thing] = many(count, newId)
    return made[thing]
  }
  const collectionId = newId()
  made.collection = [collectionId]
  await db.insert(collections).values({ id: collectionId, workspaceId, name: `General ${text}`.slice(0, 80) })
  await db
    .insert(collectionGrants)
    .values({ id: newId(), workspaceId, collectionId, subject: 'workspace', subjectId: workspaceId, level: 'read' })
  for (const documentId of ids('document')) {
    const name = `${documentId} ${text}.txt`.slice(0, 200)
    const document = await addReadyDocument(database, owner, {
      documentId,
      collectionId,
      name,
      title: text,
      texts: [text],
    })
    made.version.push(document.versionId)
  }
  await db.insert(sources).values(
    ids('source').map((id) => ({
      id,
      workspaceId,
      collectionId,
      kind: 'url',
      name: `${id} ${text}`,
      config: { url: 'https://docs.example/' },
    })),
  )
  await db.insert(modelProviders).values(
    ids('provider').map((id) => ({
      id,
      workspaceId,
      name: `${id} ${text}`,
      kind: 'compatible' as const,
      baseUrl: 'https://models.example/v1',
      enabled: false,
    })),
  )
  // A provider of their own, which no door ends.
  const providerId = newId()
  await db.insert(modelProviders).values({
    id: providerId,
    workspaceId,
    name: `kept ${text}`,
    kind: 'compatible',
    baseUrl: 'https://models.example/v1',
    enabled: false,
  })
  await db
    .insert(models)
    .values(
      ids('model').map((id) => ({ id, workspaceId, providerId, modelId: id, tier: 'fast' as const, enabled: false })),
    )
  made.provider = [providerId, ...made.provider]
  await db.insert(goldenQuestions).values(
    ids('golden').map((id) => ({
      id,
      workspaceId,
      question: `${id} ${text}`,
      expected: [{ documentId: made.document[0] ?? '', quote: 'days of leave' }],
    })),
  )
  // Asked by nobody of those who knock: nobody decides on an answer to their own question.
  await db.insert(reviewItems).values(
    ids('review').map((id) => ({
      ...{ id, workspaceId, contentHash: sha256(id), policyVersion: null },
      ...{ kind: 'queued' as const, reason: 'rule', risk: 45, held: false, collectionIds: [collectionId] },
      question: `${id} ${text}`,
      content: { text, citations: [], claims: [], metadata: {}, sources: [] },
      reasons: [{ kind: 'rule' as const, words: text }],
      dueAt: new Date(Date.now() + 86_400_000),
    })),
  )
  await db.insert(curatedAnswers).values(
    ids('curated').map((id) => ({
      ...{ id, workspaceId, itemId: made.review[0] ?? null, question: `${id} ${text}` },
      ...{ questionHash: sha256(id), answer: text, citations: [] },
    })),
  )
  // On the last document, which no door comes to.
  const [documentId, versionId] = [made.document.at(-1) ?? '', made.version.at(-1) ?? '']
  await db
    .insert(documentNotes)
    .values(ids('note').map((id) => ({ id, workspaceId, documentId, versionId, text: `${id} ${text}` })))
  await db.insert(groups).values(ids('group').map((id) => ({ id, workspaceId, name: `${id} ${text}`.slice(0, 80) })))
  await db.insert(invitations).values(
    ids('invitation').map((id) => ({
      id,
      workspaceId,
      email: `${id}@invited.local`,
      role: 'member' as const,
      tokenHash: sha256(id),
      expiresAt: new Date(Date.now() + 86_400_000),
    })),
  )
  for (const thing of ['member', 'suspended'] as const) {
    await db.insert(users).values(ids(thing).map((id) => ({ id, email: `${id}@test.local`, name: text.slice(0, 80) })))
    const suspendedAt = thing === 'suspended' ? new Date() : null
    await db
      .insert(memberships)
      .values(made[thing].map((id) => ({ workspaceId, userId: id, role: 'member' as const, suspendedAt })))
  }
  await db.insert(collectionGrants).values(
    ids('grant').map((id, at) => ({
      id,
      workspaceId,
      collectionId,
      subject: 'person' as const,
      subjectId: made.member[at] ?? '',
      level: 'read' as const,
    })),
  )
  await db.insert(traces).values(
    ids('trace').map((id) => ({
      id,
      workspaceId,
      userId,
      question: text,
      status: 'complete',
      startedAt: new Date(),
      spans: [],
    })),
  )
  const labelled = { workspaceId, label: text, reason: text }
  // On what is not there: nothing is switched off or held by them.
  await db
    .insert(incidentSwitches)
    .values(ids('switch').map((id) => ({ ...labelled, id, kind: 'document' as const, targetId: newId() })))
  await db
    .insert(legalHolds)
    .values(ids('hold').map((id) => ({ ...labelled, id, kind: 'document' as const, objectId: newId() })))
  made.workspace = [workspaceId]
  return made
}

/** What is one person's own. */
const fillPersonal = async (
  { db }: Database,
  person: Person,
  { count, text, versionId }: { count: number; text: string; versionId: string | undefined },
): Promise<Partial<Made>> => {
  const { workspaceId, userId } = person
  const [chat, run, preview, key] = [many(count, newId), many(count, newId), many(count, newId), many(count, newId)]
  const message: string[] = []
  await db.insert(chats).values(chat.map((id) => ({ id, workspaceId, userId, title: text })))
  await db.insert(messages).values(
    chat.flatMap((chatId) => {
      const [questionId, answerId] = [newId(), newId()]
      message.push(answerId)
      return [
        { id: questionId, chatId, role: 'user' as const, text, status: 'complete' as const },
        { id: answerId, chatId, role: 'assistant' as const, text, status: 'complete' as const, questionId },
      ]
    }),
  )
  await db.insert(taskRuns).values([
    ...run.map((id) => ({
      id,
      workspaceId,
      userId,
      feature: 'selection.summary',
      subject: { title: text },
      output: { summary: text },
      endedAt: new Date(),
    })),
    ...preview.map((id) => ({
      id,
      workspaceId,
      userId,
      feature: chunkPreviewFeature,
      subject: { versionId },
      output: {},
      endedAt: new Date(),
    })),
  ])
  await db.insert(apiKeys).values(
    key.map((id) => ({
      id,
      workspaceId,
      userId,
      name: text.slice(0, 60),
      prefix: 'fn_00000000',
      hash: sha256(id),
      scopes: [],
      expiresAt: new Date(Date.now() + 86_400_000),
    })),
  )
  return { chat, message, run, preview, key }
}

/** A person may have one open draft: of each kind one, by people who do nothing else. */
const fillDrafts = async (
  { db }: Database,
  authors: readonly Person[],
  state: 'open' | 'proposed',
  text: string,
): Promise<string[]> => {
  const drafts = authors.map(({ workspaceId, userId }) => ({
    id: newId(),
    workspaceId,
    basedOn: 0,
    policy: plainRules() as Record<string, unknown>,
    reason: text,
    state,
    createdBy: userId,
  }))
  await db.insert(policyDrafts).values(drafts)
  return drafts.map(({ id }) => id)
}

/** Fills an empty, migrated database. */
export const makeWorld = async (opened: Database): Promise<DoorsWorld> => {
  const { db } = opened
  const password = `a password for ${newId()}`
  const passwordHash = await hashPassword(password)
  const addPerson = async (name: string, workspaceId: string, role: Role): Promise<Person> => {
    const person = { userId: newId(), email: `${name}@doors.local`, workspaceId, role }
    await db.insert(users).values({ id: person.userId, email: person.email, name, passwordHash })
    await db.insert(memberships).values({ workspaceId, userId: person.userId, role })
    return person
  }
  const [ours, theirs, third] = [newId(), newId(), newId()]
  await db.insert(workspaces).values([
    { id: ours, name: 'Ours' },
    { id: theirs, name: 'Theirs' },
    { id: third, name: secret },
  ])
  const people = Object.fromEntries(
    await Promise.all(roles.map(async (role) => [role, await addPerson(role, ours, role)] as const)),
  ) as Record<Role, Person>
  const outsider = await addPerson('outsider', theirs, 'admin')
  // The most powerful there is, so that nothing but the suspension keeps them out.
  const suspended = await addPerson('suspended', ours, 'owner')
  const crowd = {} as DoorsWorld['crowd']
  for (const [asker, { email, workspaceId, role }] of Object.entries({ ...people, outsider })) {
    const others = await Promise.all([2, 3].map((at) => addPerson(`${asker}-${at}`, workspaceId, role)))
    crowd[asker as keyof typeof crowd] = [email, ...others.map((other) => other.email)]
  }
  crowd.suspended = [suspended.email]
  const peer = await addPerson('peer', ours, 'member')
  const stranger = await addPerson('stranger', third, 'owner')
  await addPerson('outsiders-owner', theirs, 'owner')

  const shared = await fill(opened, people.owner, spare, words)
  const foreign = await fill(opened, stranger, 1, secret)
  const ofStranger = await fillPersonal(opened, stranger, { count: 1, text: secret, versionId: foreign.version[0] })
  const ofPeer = await fillPersonal(opened, peer, { count: 1, text: secret, versionId: shared.version[0] })
  for (const thing of ['chat', 'run', 'preview', 'key'] as const)
    foreign[thing] = [...(ofStranger[thing] ?? []), ...(ofPeer[thing] ?? [])]
  // An admin may see why any answer of the workspace says what it says.
  foreign.message = ofStranger.message ?? []
  foreign.draft = await fillDrafts(opened, [stranger], 'open', secret)
  foreign.proposal = await fillDrafts(opened, [await addPerson('strangers-admin', third, 'admin')], 'proposed', secret)
  const proposers = []
  for (let at = 0; at < 6; at += 1) proposers.push(await addPerson(`proposer-${at}`, ours, 'admin'))
  shared.proposal = await fillDrafts(opened, proposers, 'proposed', words)

  const own = {} as DoorsWorld['own']
  for (const [asker, person] of Object.entries({ ...people, suspended })) {
    const ofPerson = await fillPersonal(opened, person, { count: spare, text: personal, versionId: shared.version[0] })
    // One open draft a person, made again where a door ends it.
    const draft = await fillDrafts(opened, [person], 'open', words)
    own[asker as keyof typeof own] = { ...shared, ...ofPerson, draft }
  }
  // From outside, what belongs to those within is tried.
  own.outsider = own.member
  return { password, people: { ...people, outsider, suspended }, crowd, own, foreign, words, personal, secret }
}

/** What requests leave behind of themselves, whoever sends them. */
const leftBehind = ['rate_limits', 'sessions', 'audit_log', 'audit_heads', 'single_use_tokens']

/** A hash over every row that holds the secret or an id of the workspaces that are not looked at: what nobody may have changed. */
export const digestForeign = async (
  { db }: Database,
  { foreign, secret: kept }: Pick<DoorsWorld, 'foreign' | 'secret'>,
): Promise<string> => {
  const tables = await rows<{ name: string }>(
    db,
    sql`select table_name as name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`,
  )
  const marks = [kept, foreign.workspace[0] ?? '', ...foreign.chat, ...foreign.key, ...foreign.run]
  const pattern = marks.join('|')
  const parts = tables
    .filter(({ name }) => !leftBehind.includes(name))
    .map(
      ({
        name,
      }) => sql`select ${name} as name, count(*)::int as rows, md5(coalesce(string_agg(t::text, ';' order by t::text), '')) as hash
                        from ${sql.identifier(name)} t where t::text ~ ${pattern}`,
    )
  return JSON.stringify(await rows(db, sql.join(parts, sql` union all `)))
}

const run = async (): Promise<void> => {
  const [what = '', given = ''] = process.argv.slice(2)
  const opened = await openProduct()
  try {
    const result =
      what === 'make'
        ? await makeWorld(opened)
        : await digestForeign(opened, JSON.parse(given) as Pick<DoorsWorld, 'foreign' | 'secret'>)
    process.stdout.write(`${JSON.stringify(result)}\n`)
  } finally {
    await closeProduct()
  }
}

if (process.argv[1] === import.meta.filename) await run()
