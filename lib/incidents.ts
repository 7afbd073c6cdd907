/**
 * Incident switches: something is turned off at once, for everybody, with a reason that is shown and a line in the audit log. What they
 * act on looks them up by itself (switches.ts, `visibleTo`, the doors), so that throwing one is one stored row.
 */
import { createHash } from 'node:crypto'
import { database, type Tx } from '#db/client.ts'
import { listOpenings } from '#db/queries/access.ts'
import {
  endSwitch,
  getStanding,
  insertSwitch,
  listPlaces,
  listSwitches,
  listTargets,
  type SwitchOn,
} from '#db/queries/incidents.ts'
import { lockOwners } from '#db/queries/members.ts'
import { audit } from './audit.ts'
import { listEnvironmentCandidates } from './gateway/index.ts'
import { log } from './log.ts'
import { AppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import type { FindTargets, Notice, Notices, SwitchRow, SwitchTarget, ThrowInput } from './shared/incidents-contract.ts'
import { can, type Viewer } from './shared/viewer.ts'
import { forgetSwitches, switchesOn, switchWords } from './switches.ts'

const sentence = (reason: string): string => {
  const clean = reason.replaceAll('\0', '').trim()
  return /[.!?]$/.test(clean) ? clean : `${clean}.`
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** What the environment names is in no table, and can be switched off like the rest. */
const environmentTargets = async (kind: 'provider' | 'model'): Promise<SwitchTarget[]> => {
  const named = await listEnvironmentCandidates()
  const all = named.map(({ key, modelId, provider }) =>
    kind === 'model'
      ? { id: key, label: modelId, note: provider.name }
      : { id: provider.id, label: provider.name, note: '' },
  )
  return [...new Map(all.map((target) => [target.id, target])).values()]
}

/** What can be switched off and has `q` in its name: at most twenty, and what the environment names. */
export const findTargets = async (viewer: Viewer, { kind, q }: FindTargets): Promise<SwitchTarget[]> => {
  const named = kind === 'provider' || kind === 'model' ? await environmentTargets(kind) : []
  const stored = await listTargets(database().db, viewer, { kind, q })
  return [...stored, ...named.filter(({ label }) => label.toLowerCase().includes(q.toLowerCase()))]
}

const findTarget = async (
  viewer: Viewer,
  { kind, targetId }: Pick<ThrowInput, 'kind' | 'targetId'>,
): Promise<SwitchTarget | undefined> => {
  if (kind === 'generation') return { id: viewer.workspaceId, label: 'All answers', note: '' }
  if (kind === 'provider' || kind === 'model') {
    const named = (await environmentTargets(kind)).find(({ id }) => id === targetId)
    if (named) return named
  } else if (!uuid.test(targetId)) return undefined
  const [found] = await listTargets(database().db, viewer, { kind, q: '', id: targetId })
  return found
}

/** Nobody locks themselves out, and owners are switched off by owners alone, of whom one is always left. */
const assertMaySwitchOff = async (tx: Tx, viewer: Viewer, userId: string): Promise<void> => {
  if (userId === viewer.userId)
    throw new AppError('bad-request', { message: 'You cannot switch yourself off. Ask another admin to.' })
  // Two owners who switch each other off come one after the other, and the second one is off by then.
  await lockOwners(tx, viewer)
  const [theirs, own] = [
    await getStanding(tx, viewer.workspaceId, userId),
    await getStanding(tx, viewer.workspaceId, viewer.userId),
  ]
  if (!theirs || !own?.active) throw new AppError('not-found')
  if (theirs.role === 'owner' && !can(own, 'workspace.own'))
    throw new AppError('bad-request', { message: 'Only an owner can switch an owner off.' })
}

/**
 * Turns something off for everybody, on every replica within two seconds. Throws `not-found` for what the workspace does not have or
 * the viewer may not read, `conflict` when it is off already, `bad-request` in words for oneself and for owners.
 */
export const throwSwitch = async (viewer: Viewer, { kind, targetId, reason }: ThrowInput): Promise<{ id: string }> => {
  const { workspaceId, userId } = viewer
  const target = await findTarget(viewer, { kind, targetId })
  if (!target) throw new AppError('not-found')
  const id = newId()
  const said = sentence(reason)
  await database().db.transaction(async (tx) => {
    if (kind === 'person') await assertMaySwitchOff(tx, viewer, target.id)
    const thrown = { id, workspaceId, kind, targetId: target.id, label: target.label, reason: said, thrownBy: userId }
    if (!(await insertSwitch(tx, thrown)))
      throw new AppError('conflict', { message: 'It is switched off already. Reload to see since when and why.' })
    // The label may name a person, and the log keeps ids only.
    const details = { kind, target: target.id, reason: said }
    await audit(tx, {
      actor: viewer,
      event: 'switch.thrown',
      objectId: id,
      details,
      before: { on: true },
      after: { on: false },
    })
  })
  forgetSwitches(workspaceId)
  return { id }
}

/** Turns it on again. Throws `not-found` when it is not off. */
export const liftSwitch = async (viewer: Viewer, id: string, reason: string): Promise<void> => {
  await database().db.transaction(async (tx) => {
    const ended = await endSwitch(tx, viewer, id)
    if (!ended) throw new AppError('not-found')
    const details = { kind: ended.kind, target: ended.targetId, reason: sentence(reason) }
    await audit(tx, {
      actor: viewer,
      event: 'switch.lifted',
      objectId: id,
      details,
      before: { on: false },
      after: { on: true },
    })
  })
  forgetSwitches(viewer.workspaceId)
}

/** Every switch of the workspace: those that are on first, then what was lifted, the newest first. */
export const listIncidents = (viewer: Viewer): Promise<SwitchRow[]> => listSwitches(database().db, viewer)

/** Whom a switch concerns: all for answers, who reads it otherwise for documents, who keeps things running for models. */
const concerning = async (viewer: Viewer, on: readonly SwitchOn[]): Promise<SwitchOn[]> => {
  const { db } = database()
  const inDocuments = on.some(({ kind }) => kind === 'collection' || kind === 'document')
  const open = new Set(inDocuments ? (await listOpenings(db, viewer, viewer.userId)).map(({ id }) => id) : [])
  const documentIds = on.flatMap(({ kind, targetId }) => (kind === 'document' ? [targetId] : []))
  const places = await listPlaces(db, viewer.workspaceId, documentIds)
  return on.filter(({ kind, targetId }) => {
    if (kind === 'generation') return true
    if (kind === 'collection') return open.has(targetId)
    if (kind === 'document') return open.has(places.get(targetId) ?? '')
    return kind !== 'person' && can(viewer, 'incident.manage')
  })
}

/** What every page says to this person, with a tag that changes when it does. Throws `not-ready` when that cannot be read. */
export const noticesFor = async (viewer: Viewer): Promise<Notices & { tag: string }> => {
  const on = await switchesOn(viewer.workspaceId)
  const meant = on.length === 0 ? [] : await concerning(viewer, on)
  const notices = meant.map((one): Notice => ({ id: one.id, words: switchWords(one), since: one.since.toISOString() }))
  return { notices, tag: `"${createHash('sha256').update(JSON.stringify(notices)).digest('base64url').slice(0, 22)}"` }
}

/** The same for a page as it is made, which is shown without when that cannot be read: it asks again by itself. */
export const shownNotices = async (viewer: Viewer): Promise<readonly Notice[]> => {
  try {
    return (await noticesFor(viewer)).notices
  } catch (error) {
    log.warn({ err: error }, 'a page does not say what is switched off')
    return []
  }
}
