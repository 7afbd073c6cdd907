/** People of a workspace as the Members page speaks of them: members, groups, invitations. */
import { z } from 'zod'
import { type Role, roles } from './viewer.ts'

export const peopleTabs = ['members', 'groups', 'invitations'] as const

export const membersPageSize = 50
/** So many lines one list of invitations may have. */
export const invitationLinesMax = 500
export const passwordCharsMin = 12
export const passwordCharsMax = 1_024
export const personNameCharsMax = 80
export const groupNameCharsMax = 80
export const workspaceNameCharsMax = 80

export type GroupName = { id: string; name: string }

export type MemberRow = {
  userId: string
  name: string
  email: string
  role: Role
  groups: GroupName[]
  /** Null while the person may come in. */
  suspendedAt: string | null
  /** When a session of theirs was last used here; null for never. */
  lastSeenAt: string | null
  joinedAt: string
}

export type MemberFilter = {
  /** Part of a name or an address. */
  q?: string
  role?: Role
  groupId?: string
  suspended?: boolean
}
/** `total`: how many the filter finds; `rows` are those of one page, from 1. */
export type Paged<Row> = { rows: Row[]; total: number; page: number }
export type MemberList = Paged<MemberRow>

export type GroupRow = GroupName & {
  /** The value of the sign-in provider's group claim that stands for it. */
  claim: string | null
  /** A role that the claim gives. */
  claimRole: Role | null
  members: number
  /** Collections that are granted to it. */
  collections: number
}

export const invitationStates = ['open', 'expired', 'accepted', 'revoked'] as const
export type InvitationState = (typeof invitationStates)[number]
export type InvitationRow = {
  id: string
  email: string
  role: Role
  groups: string[]
  state: InvitationState
  invitedBy: string | null
  createdAt: string
  expiresAt: string
  /** When it was accepted or revoked. */
  endedAt: string | null
  mailFailure: string | null
}
export type InvitationFilter = { q?: string; state?: InvitationState }

/** One address, trimmed, NFKC, lower case; anything that could be read as two addresses or a header is refused. */
export const addressSchema = z
  .string()
  .max(254)
  .transform((value) => value.normalize('NFKC').trim().toLowerCase())
  .pipe(z.email())

const role = z.enum(roles)
export const inviteSchema = z.strictObject({
  email: z.string().max(320),
  role,
  groupIds: z.array(z.uuid()).max(50),
})
export const inviteManySchema = z.strictObject({ csv: z.string().max(200_000), role })
export const groupSchema = z.strictObject({
  /** Null makes one. */
  id: z.uuid().nullable(),
  name: z.string().max(400),
  claim: z.string().max(400).nullable(),
  claimRole: role.nullable(),
})

export type Invited = {
  /** The way in, shown once; a path of this site. */
  path: string
  email: string
  /** Whether it goes out by e-mail as well. */
  mailed: boolean
  /** An earlier invitation to the same address ended with this one. */
  replaced: boolean
}
/** One line of a list of invitations: what became of it. */
export type InvitedLine = { line: number; email: string } & (
  | { ok: true; invited: Invited }
  | { ok: false; words: string }
)

/** What the holder of a link may know. */
export type InvitationView =
  | {
      state: 'open'
      workspace: string
      invitedBy: string | null
      email: string
      /** The address has an account: it signs in and joins. */
      hasAccount: boolean
    }
  | { state: 'expired' | 'accepted' | 'revoked'; workspace: string; invitedBy: string | null }
  | { state: 'unknown' }

/** A link's token: 256 bits, base64url. Null, empty, arrays and objects are none. */
export const invitationTokenSchema = z.string().regex(/^[\w-]{43}$/)

/** In a person's words; the same on every screen. */
export const roleWords: Record<Role, string> = {
  member: 'Member',
  reviewer: 'Reviewer',
  admin: 'Admin',
  owner: 'Owner',
}
