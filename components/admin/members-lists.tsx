'use client'
import { MoreHorizontal } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type ReactNode, useMemo, useTransition } from 'react'
import { ShownName } from '#components/shell/shown-name.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { formatCount } from '#lib/shared/format.ts'
import {
  type GroupRow,
  type InvitationFilter,
  type InvitationRow,
  type InvitationState,
  invitationStates,
  type MemberFilter,
  type MemberRow,
  type Paged,
  roleWords,
} from '#lib/shared/people-contract.ts'
import { type Role, roles } from '#lib/shared/viewer.ts'
import { AddressSearch, Pager } from './members-parts.tsx'
import { useReportLink } from './report-link.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { Select } from './select.tsx'
import { When } from './when.tsx'

const Named = ({ name, note }: { name: string; note?: string }) => (
  <span className="block min-w-0">
    <ShownName name={name} className="block font-medium" />
    {note && <ShownName name={note} className="block text-[12.5px] text-muted-foreground" />}
  </span>
)

const GroupNames = ({ names }: { names: readonly string[] }) =>
  names.length === 0 ? (
    <span className="text-muted-foreground">—</span>
  ) : (
    <span className="flex flex-wrap gap-1">
      {names.map((name) => (
        <Badge key={name} variant="outline" className="max-w-40">
          <bdi className="truncate">{name}</bdi>
        </Badge>
      ))}
    </span>
  )

export type MemberActs = Record<'change' | 'link' | 'suspend' | 'restore' | 'remove', (member: MemberRow) => void>

const MemberMenu = ({
  viewer,
  member,
  acts,
}: {
  viewer: { userId: string; role: Role }
  member: MemberRow
  acts: MemberActs
}) => {
  // An owner is an owner's to change.
  if (member.role === 'owner' && viewer.role !== 'owner') return null
  const self = member.userId === viewer.userId
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="icon-sm" aria-label={`What to do with ${member.name}`}>
          <MoreHorizontal />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        <DropdownMenuItem onSelect={() => acts.change(member)}>Change role and groups</DropdownMenuItem>
        {!self && (
          <DropdownMenuItem onSelect={() => acts.link(member)}>Make a link for a new password</DropdownMenuItem>
        )}
        <DropdownMenuSeparator />
        {!self &&
          (member.suspendedAt ? (
            <DropdownMenuItem onSelect={() => acts.restore(member)}>Restore</DropdownMenuItem>
          ) : (
            <DropdownMenuItem onSelect={() => acts.suspend(member)}>Suspend</DropdownMenuItem>
          ))}
        <DropdownMenuItem variant="destructive" onSelect={() => acts.remove(member)}>
          {self ? 'Leave the workspace' : 'Remove'}
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  )
}

/** One of several values of the address; choosing another begins at the first page. */
const AddressChoice = ({
  name,
  label,
  any,
  value,
  options,
}: {
  name: string
  label: string
  any: string
  value: string
  options: readonly (readonly [value: string, words: string])[]
}) => {
  const router = useRouter()
  const linkTo = useReportLink()
  const [, startTransition] = useTransition()
  return (
    <Select
      aria-label={label}
      className="max-w-44 max-sm:max-w-none max-sm:min-w-[calc(50%-4px)] max-sm:flex-1"
      value={value}
      onChange={({ target }) =>
        startTransition(() => router.replace(linkTo({ [name]: target.value || null, page: null }), { scroll: false }))
      }
    >
      <option value="">{any}</option>
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </Select>
  )
}

/** Everybody who belongs to the workspace, a page at a time. */
export const MemberList = ({
  viewer,
  filter,
  list,
  groups,
  acts,
}: {
  viewer: { userId: string; role: Role }
  filter: MemberFilter
  list: Paged<MemberRow>
  groups: readonly GroupRow[]
  acts: MemberActs
}) => {
  const columns: ReportColumn<MemberRow>[] = [
    { id: 'name', title: 'Name', cell: ({ name, email }) => <Named name={name} note={email} /> },
    {
      id: 'role',
      title: 'Role',
      cell: ({ role, suspendedAt }) => (
        <span className="flex flex-wrap gap-1">
          {roleWords[role]}
          {suspendedAt && <Badge variant="warning">Suspended</Badge>}
        </span>
      ),
    },
    {
      id: 'groups',
      title: 'Groups',
      wideOnly: true,
      cell: (row) => <GroupNames names={row.groups.map(({ name }) => name)} />,
    },
    {
      id: 'seen',
      title: 'Last seen',
      cell: ({ lastSeenAt }) =>
        lastSeenAt ? <When iso={lastSeenAt} /> : <span className="text-muted-foreground">never</span>,
    },
    {
      id: 'acts',
      title: 'Actions',
      numeric: true,
      cell: (member) => <MemberMenu viewer={viewer} member={member} acts={acts} />,
    },
  ]
  return (
    <>
      <search className="flex flex-wrap items-center gap-2 px-5 py-3 max-sm:px-4">
        <AddressSearch label="Find by name or e-mail" asked={filter.q ?? ''} />
        <AddressChoice
          name="role"
          label="Role"
          any="Any role"
          value={filter.role ?? ''}
          options={roles.map((role) => [role, roleWords[role]] as const)}
        />
        {groups.length > 0 && (
          <AddressChoice
            name="group"
            label="Group"
            any="Any group"
            value={filter.groupId ?? ''}
            options={groups.map(({ id, name }) => [id, name] as const)}
          />
        )}
        <AddressChoice
          name="state"
          label="State"
          any="Active or suspended"
          value={filter.suspended === undefined ? '' : filter.suspended ? 'suspended' : 'active'}
          options={[
            ['active', 'Active'],
            ['suspended', 'Suspended'],
          ]}
        />
        <p role="status" className="num text-[12.5px] text-muted-foreground">
          {list.total === 1 ? 'One person' : `${formatCount(list.total)} people`}
        </p>
      </search>
      {list.total === 0 ? (
        <EmptyState title="Nobody is like that">Take a part of the search away, or invite them.</EmptyState>
      ) : (
        <ReportTable caption="Members" columns={columns} rows={list.rows} rowId={({ userId }) => userId} />
      )}
      <Pager what="members" page={list.page} total={list.total} />
    </>
  )
}

export const GroupList = ({
  groups,
  make,
  onChange,
  onDelete,
}: {
  groups: readonly GroupRow[]
  make: ReactNode
  onChange: (group: GroupRow) => void
  onDelete: (group: GroupRow) => void
}) => {
  const columns = useMemo<ReportColumn<GroupRow>[]>(
    () => [
      { id: 'name', title: 'Name', cell: ({ name }) => <Named name={name} /> },
      { id: 'members', title: 'People', numeric: true, cell: ({ members }) => formatCount(members) },
      { id: 'collections', title: 'Granted', numeric: true, cell: ({ collections }) => formatCount(collections) },
      {
        id: 'claim',
        title: 'Group claim',
        cell: ({ claim, claimRole }) =>
          claim ? (
            <span className="break-all">
              <bdi>{claim}</bdi>
              {claimRole && ` gives ${roleWords[claimRole].toLowerCase()}`}
            </span>
          ) : (
            <span className="text-muted-foreground">kept by hand</span>
          ),
      },
      {
        id: 'acts',
        title: 'Actions',
        numeric: true,
        cell: (group) => (
          <span className="inline-flex gap-1">
            <Button variant="ghost" size="sm" aria-label={`Change ${group.name}`} onClick={() => onChange(group)}>
              Change
            </Button>
            <Button variant="quiet" size="sm" aria-label={`Delete ${group.name}`} onClick={() => onDelete(group)}>
              Delete
            </Button>
          </span>
        ),
      },
    ],
    [onChange, onDelete],
  )
  if (groups.length === 0)
    return (
      <EmptyState title="Grant to many at once" action={make}>
        Put people into groups and grant collections to a group. Groups of your sign-in provider can keep themselves.
      </EmptyState>
    )
  return (
    <div className="pt-2">
      <ReportTable caption="Groups" columns={columns} rows={groups} rowId={({ id }) => id} />
    </div>
  )
}

const stateLook: Record<InvitationState, { words: string; variant: 'accent' | 'success' | 'default' | 'warning' }> = {
  open: { words: 'Open', variant: 'accent' },
  expired: { words: 'Expired', variant: 'warning' },
  accepted: { words: 'Accepted', variant: 'success' },
  revoked: { words: 'Taken back', variant: 'default' },
}

export const InvitationList = ({
  filter,
  list,
  invite,
  onRevoke,
}: {
  filter: InvitationFilter
  list: Paged<InvitationRow>
  invite: ReactNode
  onRevoke: (invitation: InvitationRow) => void
}) => {
  const columns: ReportColumn<InvitationRow>[] = [
    {
      id: 'email',
      title: 'E-mail',
      cell: ({ email, mailFailure }) => (
        <>
          <Named name={email} />
          {mailFailure && <span className="block text-[12.5px] text-warning">{mailFailure}</span>}
        </>
      ),
    },
    {
      id: 'state',
      title: 'State',
      cell: ({ state }) => <Badge variant={stateLook[state].variant}>{stateLook[state].words}</Badge>,
    },
    { id: 'role', title: 'Role', cell: ({ role }) => roleWords[role] },
    { id: 'groups', title: 'Groups', wideOnly: true, cell: (row) => <GroupNames names={row.groups} /> },
    {
      id: 'by',
      title: 'Invited',
      cell: ({ invitedBy, createdAt }) => (
        <>
          <When iso={createdAt} /> by <bdi>{invitedBy ?? 'a person who is gone'}</bdi>
        </>
      ),
    },
    {
      id: 'until',
      title: 'Until',
      cell: ({ state, expiresAt, endedAt }) =>
        state === 'open' ? <Until iso={expiresAt} /> : <When iso={endedAt ?? expiresAt} />,
    },
    {
      id: 'acts',
      title: 'Actions',
      numeric: true,
      cell: (row) =>
        (row.state === 'open' || row.state === 'expired') && (
          <Button
            variant="quiet"
            size="sm"
            aria-label={`Take back the invitation of ${row.email}`}
            onClick={() => onRevoke(row)}
          >
            Take back
          </Button>
        ),
    },
  ]
  const narrowed = Boolean(filter.q || filter.state)
  return (
    <>
      <search className="flex flex-wrap items-center gap-2 px-5 py-3 max-sm:px-4">
        <AddressSearch label="Find by e-mail" asked={filter.q ?? ''} />
        <AddressChoice
          name="state"
          label="State"
          any="Open and expired"
          value={filter.state ?? ''}
          options={invitationStates.map((state) => [state, stateLook[state].words])}
        />
      </search>
      {list.total === 0 && (
        <EmptyState
          title={narrowed ? 'No invitation is like that' : 'Nobody is waited for'}
          action={!narrowed && invite}
        >
          {narrowed
            ? 'Take a part of the search away.'
            : 'Invite by e-mail address. Each gets a link that works once, for seven days.'}
        </EmptyState>
      )}
      {list.total > 0 && (
        <ReportTable caption="Invitations" columns={columns} rows={list.rows} rowId={({ id }) => id} />
      )}
      <Pager what="invitations" page={list.page} total={list.total} />
    </>
  )
}

/** A moment to come. */
const Until = ({ iso }: { iso: string }) => (
  <time dateTime={iso} suppressHydrationWarning>
    {new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}
  </time>
)
