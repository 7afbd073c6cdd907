import type { Metadata } from 'next'
import { z } from 'zod'
import { MembersScreen } from '#components/admin/members-screen.tsx'
import { page as door } from '#lib/auth/index.ts'
import { listGroups, listInvitations, listMembers } from '#lib/people.ts'
import { invitationStates, peopleTabs } from '#lib/shared/people-contract.ts'
import { roles, type Viewer } from '#lib/shared/viewer.ts'
import {
  changeRole,
  deleteGroup,
  invite,
  inviteMany,
  makePasswordLink,
  removeMember,
  restoreMember,
  revokeInvitation,
  saveGroup,
  setInGroup,
  suspendMember,
} from './actions.ts'

export const metadata: Metadata = { title: 'Members' }

/** What the address says; what cannot be read of it is as if it were not there. */
const addressSchema = z.object({
  tab: z.enum(peopleTabs).catch('members'),
  q: z.string().trim().max(200).catch(''),
  role: z.enum(roles).optional().catch(undefined),
  group: z.uuid().optional().catch(undefined),
  state: z.string().optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
type Address = z.output<typeof addressSchema>

const read = async (viewer: Viewer, { tab, q, role, group, state, page }: Address) => {
  if (tab === 'groups') return { tab } as const
  if (tab === 'members') {
    const filter = {
      ...(q ? { q } : {}),
      ...(role ? { role } : {}),
      ...(group ? { groupId: group } : {}),
      ...(state === 'suspended' ? { suspended: true } : state === 'active' ? { suspended: false } : {}),
    }
    return { tab, filter, members: await listMembers(viewer, filter, page) } as const
  }
  const wanted = invitationStates.find((one) => one === state)
  const filter = { ...(q ? { q } : {}), ...(wanted ? { state: wanted } : {}) }
  return { tab, filter, invitations: await listInvitations(viewer, filter, page) } as const
}

export default async function MembersPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[]>>
}) {
  const viewer = await door('member.manage')
  const address = addressSchema.parse(await searchParams)
  const [shown, groups] = await Promise.all([read(viewer, address), listGroups(viewer)])
  return (
    <MembersScreen
      viewer={{ userId: viewer.userId, role: viewer.role }}
      groups={groups}
      shown={shown}
      actions={{
        changeRole,
        suspendMember,
        restoreMember,
        removeMember,
        saveGroup,
        deleteGroup,
        setInGroup,
        invite,
        inviteMany,
        revokeInvitation,
        makePasswordLink,
      }}
    />
  )
}
