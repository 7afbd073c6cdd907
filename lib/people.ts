/**
 * Who belongs to a workspace, and how: members, groups, invitations, workspaces. Each change is one transaction with its audit line,
 * which holds ids and no names. Owners are made and unmade by owners only, and a workspace never loses its last one.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { database, type Tx } from '#db/client.ts'
import {
  deleteGroupMember,
  deleteGroup as deleteGroupRow,
  type GroupFields,
  insertGroup,
  insertGroupMembers,
  isGroupNameTaken,
  listGroupIds,
  lockGroup,
  updateGroup,
} from '#db/queries/groups.ts'
import {
  claimInvitation,
  type FoundInvitation,
  getInvitation,
  insertAccount,
  insertInvitation,
  joinWorkspace,
  revokeInvitation as revokeInvitationRow,
} from '#db/queries/invitations.ts'
import {
  currentRole,
  deleteMember,
  endAccess,
  insertMembership,
  listMemberEmails,
  listOwnWorkspaces,
  lockMember,
  lockOwners,
  type Membership,
  moveSession,
  type OwnWorkspace,
  setRole,
  setSuspended,
} from '#db/queries/members.ts'
import { createWorkspace as insertWorkspace } from '#db/queries/people.ts'
import {
  listGroups as listGroupRows,
  listInvitations as listInvitationRows,
  listMembers as listMemberRows,
} from '#db/reports/people.ts'
import { type AuditEvent, audit } from './audit.ts'
import { readInvitationList } from './invitation-list.ts'
import { findHold } from './legal-holds.ts'
import { spend } from './limits.ts'
import { isMailSet, publicAddress, queueMail } from './mail.ts'
import { hashPassword } from './passwords.ts'
import { AppError, toAppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import {
  addressSchema,
  type GroupRow,
  groupNameCharsMax,
  type groupSchema,
  type InvitationFilter,
  type InvitationRow,
  type InvitationState,
  type InvitationView,
  type Invited,
  type InvitedLine,
  invitationTokenSchema,
  type inviteSchema,
  type MemberFilter,
  type MemberList,
  type Paged,
  passwordCharsMax,
  passwordCharsMin,
  personNameCharsMax,
  workspaceNameCharsMax,
} from './shared/people-contract.ts'
import { can, type Role, type Viewer } from './shared/viewer.ts'

const invitationDays = 7
const dayMs = 86_400_000
const workspacesMax = 100

const refuse = (message: string): never => {
  throw new AppError('bad-request', { message })
}

/** One line without what cannot be seen in it. Throws `bad-request` in words when nothing is left, or too much. */
const cleanName = (typed: string, what: string, charsMax: number): string => {
  const clean = typed
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (!clean) refuse(`Type ${what}.`)
  if (clean.length > charsMax) refuse(`Shorten ${what} to ${charsMax} characters.`)
  return clean
}

const mayNotMakeOwners = (): never => {
  throw new AppError('forbidden', { message: 'Only an owner can make somebody an owner or change what an owner is.' })
}

/** The role that the viewer has at this moment; what the session read may be old by now. Throws `forbidden`. */
const managerRole = async (tx: Tx, viewer: Viewer): Promise<Role> => {
  const role = await currentRole(tx, viewer, viewer.userId)
  if (!role || !can({ role }, 'member.manage')) throw new AppError('forbidden')
  return role
}

const asManager = <Result>(viewer: Viewer, work: (tx: Tx, role: Role) => Promise<Result>): Promise<Result> =>
  database().db.transaction(async (tx) => work(tx, await managerRole(tx, viewer)))

// --- members

/** One page of the members, by name. */
export const listMembers = (viewer: Viewer, filter: MemberFilter, page = 1): Promise<MemberList> =>
  listMemberRows(database().db, viewer, filter, page)

type MemberChange = { tx: Tx; member: Membership; role: Role; mustKeepOwner: () => void }

/**
 * A change of one member. All that can take an owner away come through here: they first lock the rows of the owners, so that of two at
 * once the second sees what the first has left. Throws `not-found`, `forbidden`.
 */
const changeMember = (viewer: Viewer, userId: string, change: (given: MemberChange) => Promise<void>): Promise<void> =>
  database().db.transaction(async (tx) => {
    const owners = await lockOwners(tx, viewer)
    const role = await managerRole(tx, viewer)
    const member = await lockMember(tx, viewer, userId)
    if (!member) throw new AppError('not-found')
    if (member.role === 'owner' && role !== 'owner') mayNotMakeOwners()
    const mustKeepOwner = (): void => {
      if (owners.length > 0 && owners.every((owner) => owner === userId))
        throw new AppError('conflict', {
          message: 'This is the last owner of the workspace. Make somebody else an owner first.',
        })
    }
    await change({ tx, member, role, mustKeepOwner })
  })

/** Gives a member another role, at once: their next request has it. Throws `not-found`, `forbidden`, `conflict` for the last owner. */
export const changeRole = (viewer: Viewer, userId: string, to: Role): Promise<void> =>
  changeMember(viewer, userId, async ({ tx, member, role, mustKeepOwner }) => {
    if (member.role === to) return
    if (to === 'owner' && role !== 'owner') mayNotMakeOwners()
    if (member.role === 'owner') mustKeepOwner()
    await setRole(tx, viewer, userId, to)
    await audit(tx, {
      actor: viewer,
      event: 'member.role-changed',
      objectId: userId,
      details: { from: member.role, to },
      before: { role: member.role },
      after: { role: to },
    })
  })

/**
 * Shuts a member out of this workspace until they are restored: sessions and API keys here end now, and what is being answered to them
 * stops within seconds. Their other workspaces are not touched. Throws `not-found`, `forbidden`, `conflict` for the last owner.
 */
export const suspend = (viewer: Viewer, userId: string): Promise<void> =>
  changeMember(viewer, userId, async ({ tx, member, mustKeepOwner }) => {
    if (userId === viewer.userId) refuse('You cannot suspend yourself. Ask another admin.')
    if (member.suspendedAt) return
    if (member.role === 'owner') mustKeepOwner()
    await setSuspended(tx, viewer, userId, true)
    const ended = await endAccess(tx, viewer, userId)
    await audit(tx, { actor: viewer, event: 'member.suspended', objectId: userId, details: ended })
  })

/** Lets a suspended member in again; they sign in anew. API keys stay ended. Throws `not-found`, `forbidden`. */
export const restore = (viewer: Viewer, userId: string): Promise<void> =>
  changeMember(viewer, userId, async ({ tx, member }) => {
    if (!member.suspendedAt) return
    await setSuspended(tx, viewer, userId, false)
    await audit(tx, { actor: viewer, event: 'member.restored', objectId: userId })
  })

/**
 * Takes a member out of the workspace, its groups and its grants; documents and conversations stay. Throws `not-found`, `forbidden`,
 * `conflict` for the last owner and for who is under a legal hold.
 */
export const removeMember = (viewer: Viewer, userId: string): Promise<void> =>
  changeMember(viewer, userId, async ({ tx, member, mustKeepOwner }) => {
    if (member.role === 'owner') mustKeepOwner()
    const held = await findHold(tx, { workspaceId: viewer.workspaceId, kind: 'person', ids: [userId] })
    if (held) throw held
    const ended = await endAccess(tx, viewer, userId)
    await deleteMember(tx, viewer, userId)
    await audit(tx, {
      actor: viewer,
      event: 'member.removed',
      objectId: userId,
      details: ended,
      before: { role: member.role, suspended: member.suspendedAt !== null },
    })
  })

// --- groups

export const listGroups = (viewer: Viewer): Promise<GroupRow[]> => listGroupRows(database().db, viewer)

const groupNameTaken = (): never => refuse('Another group has that name. Choose one that tells them apart.')

const cleanGroup = ({ name, claim, claimRole }: GroupFields): GroupFields => {
  const value = claim?.normalize('NFC').trim() || null
  if (claimRole === 'owner') refuse('A claim cannot make owners: owners are made by owners. Choose admin at most.')
  return {
    name: cleanName(name, 'a name for the group', groupNameCharsMax),
    claim: value,
    // Without a claim nothing would give it.
    claimRole: value ? claimRole : null,
  }
}

/** Makes a group, or changes one. Throws `bad-request` in words, `not-found`, `forbidden`. */
export const saveGroup = async (viewer: Viewer, input: z.output<typeof groupSchema>): Promise<{ id: string }> => {
  const group = cleanGroup(input)
  return asManager(viewer, async (tx) => {
    if (input.id === null) {
      const id = newId()
      if (!(await insertGroup(tx, viewer, { id, ...group }))) groupNameTaken()
      await audit(tx, { actor: viewer, event: 'group.created', objectId: id, after: group })
      return { id }
    }
    const before = await lockGroup(tx, viewer, input.id)
    if (!before) throw new AppError('not-found')
    if (await isGroupNameTaken(tx, viewer, group.name, input.id)) groupNameTaken()
    await updateGroup(tx, viewer, input.id, group)
    await audit(tx, {
      actor: viewer,
      event: 'group.changed',
      objectId: input.id,
      details: { claimed: group.claim !== null, claimRole: group.claimRole },
      before,
      after: group,
    })
    return { id: input.id }
  })
}

/** A change of a group that is there. Throws `not-found`, `forbidden`. */
const changeGroup = (
  viewer: Viewer,
  id: string,
  event: AuditEvent,
  change: (tx: Tx) => Promise<Record<string, unknown> | null>,
): Promise<void> =>
  asManager(viewer, async (tx) => {
    const before = await lockGroup(tx, viewer, id)
    if (!before) throw new AppError('not-found')
    const details = await change(tx)
    if (details) await audit(tx, { actor: viewer, event, objectId: id, details })
  })

/** Deletes a group and what was granted to it; its members stay in the workspace. Throws `not-found`, `forbidden`. */
export const deleteGroup = (viewer: Viewer, id: string): Promise<void> =>
  changeGroup(viewer, id, 'group.deleted', (tx) => deleteGroupRow(tx, viewer, id))

/** Puts members into a group; who is in it already, and who is no member, is left as they are. Throws `not-found`, `forbidden`. */
export const addToGroup = (viewer: Viewer, id: string, userIds: readonly string[]): Promise<void> =>
  changeGroup(viewer, id, 'group.changed', async (tx) => {
    const added = await insertGroupMembers(tx, viewer, id, userIds)
    return added.length > 0 ? { added } : null
  })

/** Takes a person out of a group. Throws `not-found`, `forbidden`. */
export const removeFromGroup = (viewer: Viewer, id: string, userId: string): Promise<void> =>
  changeGroup(viewer, id, 'group.changed', async (tx) =>
    (await deleteGroupMember(tx, id, userId)) ? { removed: [userId] } : null,
  )

// --- invitations

/** One page of the invitations, newest first; without a state those that somebody may still wait for. */
export const listInvitations = (viewer: Viewer, filter: InvitationFilter, page = 1): Promise<Paged<InvitationRow>> =>
  listInvitationRows(database().db, viewer, filter, page)

const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

const mailText = (viewer: Viewer, workspace: string, email: string, path: string): string =>
  [
    `${viewer.name} (${viewer.email}) invites you to the workspace “${workspace}” in Footnote, where you ask documents and every answer cites its passages.`,
    `Accept within ${invitationDays} days:\n${publicAddress(path)}`,
    `The link works once, and only for ${email}. If you did not expect it, do nothing.`,
  ].join('\n\n')

const inviteOne = async (viewer: Viewer, input: z.output<typeof inviteSchema>): Promise<Invited> => {
  const address = addressSchema.safeParse(input.email)
  const email = address.success ? address.data : refuse('That is no e-mail address. Write one, as name@example.com.')
  // Each may send a mail to a stranger.
  await spend('invitation', viewer.workspaceId)
  const token = randomBytes(32).toString('base64url')
  const path = `/invite/${token}`
  const mailed = isMailSet()
  return asManager(viewer, async (tx, role) => {
    if (input.role === 'owner' && role !== 'owner') mayNotMakeOwners()
    const groupIds = [...new Set(input.groupIds)]
    if ((await listGroupIds(tx, viewer, groupIds)).size !== groupIds.length)
      refuse('One of the groups is gone. Reload the page and choose again.')
    const member = (await listMemberEmails(tx, viewer, [email])).get(email)
    if (member?.suspended) refuse('This person is a member and suspended. Restore them instead.')
    if (member) refuse('This person is a member already.')
    const id = newId()
    const replaced = await insertInvitation(tx, viewer, {
      id,
      email,
      role: input.role,
      groupIds,
      tokenHash: hashToken(token),
      expiresAt: new Date(Date.now() + invitationDays * dayMs),
      mailFailure: mailed ? 'The e-mail waits to be sent.' : null,
    })
    if (replaced) await audit(tx, { actor: viewer, event: 'invitation.revoked', objectId: replaced })
    await audit(tx, {
      actor: viewer,
      event: 'member.invited',
      objectId: id,
      details: { role: input.role, groupIds, mailed },
    })
    if (mailed) {
      const workspace = (await listOwnWorkspaces(tx, viewer.userId)).find((one) => one.id === viewer.workspaceId)
      const name = workspace?.name ?? 'Footnote'
      await queueMail(
        tx,
        { to: email, subject: `${viewer.name} invites you to ${name}`, text: mailText(viewer, name, email, path) },
        id,
      )
    }
    return { path, email, mailed, replaced: replaced !== null }
  })
}

/**
 * Invites one address and gives the link, which is shown once: only its hash is kept. An earlier invitation to the address ends. With a
 * mail server it goes out as a mail too, as soon as that server takes it. Throws `bad-request` in words, `forbidden`.
 */
export const invite = (viewer: Viewer, input: z.output<typeof inviteSchema>): Promise<Invited> =>
  inviteOne(viewer, input)

/**
 * Invites everybody on a list (CSV: e-mail, role, groups); a line without a role gets `role`. One answer a line: what is good is kept
 * although others are not. Throws `bad-request`, in words, when the list as a whole cannot be used; then nobody is invited.
 */
export const inviteMany = async (viewer: Viewer, csv: string, role: Role): Promise<InvitedLine[]> => {
  const lines = readInvitationList(csv)
  const groupIds = new Map((await listGroups(viewer)).map(({ id, name }) => [name.toLowerCase(), id]))
  const lineOf = new Map<string, number>()
  const answers: InvitedLine[] = []
  for (const read of lines) {
    const { line, email } = read
    const refused = (words: string): number => answers.push({ line, email, ok: false, words })
    if ('fault' in read) {
      refused(read.fault)
      continue
    }
    const earlier = lineOf.get(email)
    const unknown = read.groups.find((name) => !groupIds.has(name.toLowerCase()))
    if (earlier !== undefined) refused(`Line ${earlier} has the same address.`)
    else if (unknown !== undefined) refused(`There is no group “${unknown}”. Make it first, or leave it out.`)
    else
      try {
        const groups = read.groups.flatMap((name) => groupIds.get(name.toLowerCase()) ?? [])
        answers.push({
          line,
          email,
          ok: true,
          invited: await inviteOne(viewer, { email, role: read.role ?? role, groupIds: groups }),
        })
        lineOf.set(email, line)
      } catch (error) {
        refused(toAppError(error).publicMessage)
      }
  }
  return answers
}

/** Ends an invitation: its link opens nothing any more. Throws `not-found` for one that is over, `forbidden`. */
export const revokeInvitation = (viewer: Viewer, id: string): Promise<void> =>
  asManager(viewer, async (tx, role) => {
    const revoked = await revokeInvitationRow(tx, viewer, id)
    if (!revoked) throw new AppError('not-found', { message: 'This invitation is over already. Reload the page.' })
    if (revoked.role === 'owner' && role !== 'owner') mayNotMakeOwners()
    await audit(tx, { actor: viewer, event: 'invitation.revoked', objectId: id })
  })

const stateOf = ({ acceptedAt, revokedAt, expired, role, inviterRole }: FoundInvitation): InvitationState => {
  if (acceptedAt) return 'accepted'
  // Nobody can be let in by who could not let them in now.
  const stillMay =
    inviterRole !== null && can({ role: inviterRole }, role === 'owner' ? 'workspace.own' : 'member.manage')
  if (revokedAt || !stillMay) return 'revoked'
  return expired ? 'expired' : 'open'
}

const find = async (token: unknown): Promise<FoundInvitation | undefined> => {
  const parsed = invitationTokenSchema.safeParse(token)
  return parsed.success ? getInvitation(database().db, hashToken(parsed.data)) : undefined
}

/** What the holder of a link may know: whose workspace it opens, who invited, and whether it still works. */
export const invitationOf = async (token: unknown): Promise<InvitationView> => {
  const invitation = await find(token)
  if (!invitation) return { state: 'unknown' }
  const { workspaceName: workspace, invitedBy, email, hasAccount } = invitation
  const state = stateOf(invitation)
  return state === 'open' ? { state, workspace, invitedBy, email, hasAccount } : { state, workspace, invitedBy }
}

const overWords: Record<Exclude<InvitationState, 'open'>, string> = {
  accepted: 'This invitation has been used. If that was you, sign in; otherwise ask for a new one.',
  expired: 'This invitation has expired. Ask for a new one.',
  revoked: 'This invitation was taken back. Ask for a new one.',
}

export type Joining =
  /** Makes an account for the invited address. */
  | { name: string; password: string }
  /** Who is signed in, and has the invited address. */
  | { viewer: Pick<Viewer, 'userId' | 'email'> }

/**
 * Uses an invitation: makes the account, or lets the one that is signed in join. Of two at once one succeeds. Throws `not-found`,
 * `conflict` (used, expired, revoked, another address, an account that must sign in) and `bad-request`, all in words.
 */
export const acceptInvitation = async (
  token: unknown,
  joining: Joining,
): Promise<{ workspaceId: string; email: string }> => {
  const invitation = await find(token)
  if (!invitation)
    throw new AppError('not-found', { message: 'This link is not right. Copy the whole of it, or ask for a new one.' })
  const conflict = (message: string): AppError => new AppError('conflict', { message })
  const state = stateOf(invitation)
  if (state !== 'open') throw conflict(overWords[state])
  const { id, email, workspaceId, role, groupIds } = invitation
  const mustSignIn = conflict(`${email} has an account. Sign in with it, then open this link again.`)
  if ('viewer' in joining && joining.viewer.email !== email)
    throw conflict(`This invitation is for ${email}, and you are signed in as ${joining.viewer.email}. Sign out first.`)
  const account = 'viewer' in joining ? null : await newAccount(email, joining)
  if (account && invitation.hasAccount) throw mustSignIn
  await database().db.transaction(async (tx) => {
    if (!(await claimInvitation(tx, id)))
      throw conflict('This invitation has just been used or taken back. Reload the page.')
    const userId = 'viewer' in joining ? joining.viewer.userId : account && (await insertAccount(tx, account))
    if (!userId) throw mustSignIn
    await joinWorkspace(tx, { workspaceId, role, groupIds }, userId)
    await audit(tx, {
      actor: { userId, workspaceId },
      event: 'invitation.accepted',
      objectId: id,
      details: { role, groupIds },
    })
  })
  return { workspaceId, email }
}

const newAccount = async (email: string, { name, password }: { name: string; password: string }) => {
  const clean = cleanName(name, 'your name', personNameCharsMax)
  const { length } = [...password]
  if (length < passwordCharsMin) refuse(`Choose a password of at least ${passwordCharsMin} characters.`)
  if (length > passwordCharsMax) refuse(`Choose a password of at most ${passwordCharsMax} characters.`)
  return { id: newId(), email, name: clean, passwordHash: await hashPassword(password) }
}

// --- workspaces

/** The workspaces that the viewer may enter, by name. */
export const myWorkspaces = (viewer: Pick<Viewer, 'userId'>): Promise<OwnWorkspace[]> =>
  listOwnWorkspaces(database().db, viewer.userId)

/** Makes a workspace that the viewer owns; they stay where they are. Throws `bad-request` in words, `forbidden`. */
export const createWorkspace = async (viewer: Viewer, typed: string): Promise<{ id: string }> => {
  const name = cleanName(typed, 'a name for the workspace', workspaceNameCharsMax)
  return database().db.transaction(async (tx) => {
    const role = await currentRole(tx, viewer, viewer.userId)
    if (!role || !can({ role }, 'workspace.own')) throw new AppError('forbidden')
    const own = await listOwnWorkspaces(tx, viewer.userId)
    if (own.length >= workspacesMax)
      refuse(`You are in ${own.length} workspaces, and more cannot be made. Leave one first.`)
    if (own.some((one) => one.name === name)) refuse('You are in a workspace of that name. Choose another one.')
    const id = newId()
    await insertWorkspace(tx, { id, name })
    await insertMembership(tx, { workspaceId: id, userId: viewer.userId, role: 'owner' })
    await audit(tx, { actor: { userId: viewer.userId, workspaceId: id }, event: 'workspace.created', objectId: id })
    return { id }
  })
}

/**
 * Moves this session, and no other of the person, to another of their workspaces; told in the log of both. Throws `not-found` for a
 * workspace that they are not in or are suspended from, `unauthenticated` when the session is over.
 */
export const switchWorkspace = (viewer: Viewer, workspaceId: string, sessionIdHash: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    if (!(await currentRole(tx, { workspaceId }, viewer.userId))) throw new AppError('not-found')
    if (workspaceId === viewer.workspaceId) return
    if (!(await moveSession(tx, viewer, sessionIdHash, workspaceId))) throw new AppError('unauthenticated')
    // Neither log names the other workspace: its admins are not the same people.
    for (const [one, to] of [
      [viewer.workspaceId, 'elsewhere'],
      [workspaceId, 'here'],
    ] as const)
      await audit(tx, {
        actor: { userId: viewer.userId, workspaceId: one },
        event: 'workspace.switched',
        objectId: viewer.userId,
        details: { to },
      })
  })
