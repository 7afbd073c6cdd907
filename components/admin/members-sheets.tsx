'use client'
import { Copy } from 'lucide-react'
import { type ChangeEvent, type ReactNode, useId, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { CheckList } from '#components/ui/check-list.tsx'
import { fieldClasses, Input } from '#components/ui/input.tsx'
import { SheetTitle } from '#components/ui/sheet.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import {
  type GroupRow,
  groupNameCharsMax,
  type Invited,
  type InvitedLine,
  invitationLinesMax,
  type MemberRow,
  roleWords,
} from '#lib/shared/people-contract.ts'
import type { Role } from '#lib/shared/viewer.ts'
import { absolute, copyText, LinkOnce, rolesToGive } from './members-parts.tsx'
import { ChoiceField, TextField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { Unreadable } from './models-values.ts'
import { SheetForm } from './sheet-form.tsx'

type GroupFields = { name: string; claim: string | null; claimRole: Role | null }
export type PeopleActions = {
  changeRole: (input: { userId: string; role: Role }) => Promise<ActionResult<null>>
  suspendMember: (input: { userId: string }) => Promise<ActionResult<null>>
  restoreMember: (input: { userId: string }) => Promise<ActionResult<null>>
  removeMember: (input: { userId: string }) => Promise<ActionResult<null>>
  makePasswordLink: (input: { userId: string }) => Promise<ActionResult<{ path: string }>>
  saveGroup: (input: GroupFields & { id: string | null }) => Promise<ActionResult<{ id: string }>>
  deleteGroup: (input: { id: string }) => Promise<ActionResult<null>>
  setInGroup: (input: { userId: string; groupId: string; inGroup: boolean }) => Promise<ActionResult<null>>
  invite: (input: { email: string; role: Role; groupIds: string[] }) => Promise<ActionResult<Invited>>
  inviteMany: (input: { csv: string; role: Role }) => Promise<ActionResult<InvitedLine[]>>
  revokeInvitation: (input: { id: string }) => Promise<ActionResult<null>>
}

const roleOptions = (by: Role, also?: Role): [Role, string][] => {
  const given = rolesToGive(by)
  return [...given, ...(also && !given.includes(also) ? [also] : [])].map((role) => [role, roleWords[role]])
}
const roleHint =
  'Members ask. Reviewers ask and review. Admins manage documents, people and models. Owners own the workspace.'
const asRole = (value: string): Role => rolesToGive('owner').find((role) => role === value) ?? 'member'
const choicesOf = (groups: readonly GroupRow[]) => groups.map(({ id, name }) => ({ value: id, label: name }))

/** Title, something to read or copy, and the way out. */
const Done = ({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) => (
  <div className="flex min-h-0 flex-1 flex-col">
    <div className="border-b px-5 py-3.5 pr-12">
      <SheetTitle className="text-[15px]">{title}</SheetTitle>
    </div>
    <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">{children}</div>
    <div className="flex justify-end border-t px-5 py-3">
      <Button variant="primary" onClick={onClose}>
        Done
      </Button>
    </div>
  </div>
)

type SheetProps = { by: Role; groups: readonly GroupRow[]; actions: PeopleActions; onClose: () => void }

/** One person by address; then their link, once. */
export const InviteSheet = ({ by, groups, actions, onClose, onChanged }: SheetProps & { onChanged: () => void }) => {
  const [groupIds, setGroupIds] = useState<string[]>([])
  const [invited, setInvited] = useState<Invited | null>(null)
  const form = useSending({
    read: ({ text }) => {
      const email = text('email').trim()
      if (!email) throw new Unreadable('email', 'Type an e-mail address.')
      return { email, role: asRole(text('role')), groupIds }
    },
    send: actions.invite,
    onDone: (done) => {
      setInvited(done)
      onChanged()
    },
  })
  if (invited)
    return (
      <Done title="Invitation made" onClose={onClose}>
        <p>
          <bdi className="font-medium">{invited.email}</bdi>{' '}
          {invited.mailed
            ? 'gets it by e-mail, with this link.'
            : 'needs this link from you: no mail server is set up.'}
          {invited.replaced && ' The link they had before no longer works.'}
        </p>
        <LinkOnce path={invited.path} note="It is shown this once, works once, and for seven days." />
      </Done>
    )
  return (
    <SheetForm title="Invite somebody" label="Invite" form={form} onClose={onClose}>
      <TextField name="email" label="E-mail" type="email" inputMode="email" autoCapitalize="none" maxLength={254} />
      <ChoiceField name="role" label="Role" options={roleOptions(by)} defaultValue="member" hint={roleHint} />
      {groups.length > 0 && (
        <CheckList legend="Groups" choices={choicesOf(groups)} chosen={groupIds} onChange={setGroupIds} />
      )}
    </SheetForm>
  )
}

const LineOutcome = ({ line }: { line: InvitedLine }) => (
  <li className="flex flex-wrap items-baseline gap-x-2 border-t py-1.5 text-[13px] first:border-t-0">
    <span className="num w-10 shrink-0 text-muted-foreground">{line.line}</span>
    <bdi className="min-w-0 break-all">{line.email || 'no address'}</bdi>
    {line.ok ? (
      <Badge variant="success">{line.invited.replaced ? 'Invited again' : 'Invited'}</Badge>
    ) : (
      <span className="basis-full pl-12 text-destructive">{line.words}</span>
    )}
  </li>
)

/** Many people from a list; then what became of each line, and the links, once. */
export const InviteManySheet = ({
  by,
  actions,
  onClose,
  onChanged,
}: Omit<SheetProps, 'groups'> & { onChanged: () => void }) => {
  const id = useId()
  const [csv, setCsv] = useState('')
  const [lines, setLines] = useState<InvitedLine[] | null>(null)
  const form = useSending({
    read: ({ text }) => {
      if (!csv.trim()) throw new Unreadable('csv', 'Write one e-mail address a line, or choose a file.')
      return { csv, role: asRole(text('role')) }
    },
    send: actions.inviteMany,
    onDone: (done) => {
      setLines(done)
      onChanged()
    },
  })
  const readFile = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.currentTarget.files?.[0]
    if (file) setCsv(await file.text())
  }
  if (lines) {
    const good = lines.flatMap((line) => (line.ok ? [line.invited] : []))
    const links = good.map(({ email, path }) => `${email}\t${absolute(path)}`).join('\n')
    return (
      <Done title={`${good.length} of ${lines.length} invited`} onClose={onClose}>
        {good.length > 0 && (
          <div className="flex flex-wrap items-center gap-2">
            <Button onClick={() => void copyText(links, `${good.length} links were copied`)}>
              <Copy aria-hidden />
              Copy {good.length === 1 ? 'the link' : `${good.length} links`}
            </Button>
            <p className="text-[12.5px] text-muted-foreground">
              They are shown this once. {good.every(({ mailed }) => mailed) && 'They go out by e-mail too.'}
            </p>
          </div>
        )}
        <ul aria-label="What became of each line">
          {lines.map((line) => (
            <LineOutcome key={line.line} line={line} />
          ))}
        </ul>
      </Done>
    )
  }
  return (
    <SheetForm
      title="Invite from a list"
      note={`Up to ${invitationLinesMax} lines: e-mail, role, groups. A first line may name the columns; several groups stand with | between.`}
      label="Invite all"
      form={form}
      onClose={onClose}
    >
      <div>
        <label htmlFor={`${id}-file`} className="mb-1 block font-medium text-[13px]">
          File
        </label>
        <Input
          id={`${id}-file`}
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          className="py-1"
          onChange={(event) => void readFile(event)}
        />
      </div>
      <div>
        <label htmlFor={`${id}-csv`} className="mb-1 block font-medium text-[13px]">
          Lines
        </label>
        <textarea
          id={`${id}-csv`}
          name="csv"
          rows={10}
          value={csv}
          onChange={(event) => setCsv(event.currentTarget.value)}
          spellCheck={false}
          placeholder={'email,role,groups\nana@example.com,reviewer,Field|Night shift'}
          aria-invalid={form.fault ? true : undefined}
          aria-describedby={form.fault ? `${id}-fault` : undefined}
          className={cn(fieldClasses, 'py-1.5 font-mono text-[12.5px] touch:text-base')}
        />
        {form.fault && (
          <p id={`${id}-fault`} className="mt-1 text-[12.5px] text-destructive">
            {form.fault.message}
          </p>
        )}
      </div>
      <ChoiceField name="role" label="Role where a line has none" options={roleOptions(by)} defaultValue="member" />
    </SheetForm>
  )
}

/** A member's role and groups. What changed is sent one after the other; the first that is refused is told. */
export const MemberSheet = ({
  member,
  by,
  groups,
  actions,
  onClose,
  onSaved,
}: SheetProps & { member: MemberRow; onSaved: () => void }) => {
  const had = member.groups.map(({ id }) => id)
  const [groupIds, setGroupIds] = useState(had)
  const { userId } = member
  const form = useSending({
    read: ({ text }) => ({ role: asRole(text('role')) }),
    send: async ({ role }): Promise<ActionResult<null>> => {
      if (role !== member.role) {
        const changed = await actions.changeRole({ userId, role })
        if (!changed.ok) return changed
      }
      const turned = groups.map(({ id }) => id).filter((id) => had.includes(id) !== groupIds.includes(id))
      for (const groupId of turned) {
        const changed = await actions.setInGroup({ userId, groupId, inGroup: groupIds.includes(groupId) })
        if (!changed.ok) return changed
      }
      return { ok: true, value: null }
    },
    onDone: onSaved,
  })
  return (
    <SheetForm title={`Change ${member.name}`} note={member.email} label="Save" form={form} onClose={onClose}>
      <ChoiceField
        name="role"
        label="Role"
        options={roleOptions(by, member.role)}
        defaultValue={member.role}
        hint={`${roleHint} It counts from their next click.`}
      />
      {groups.length > 0 ? (
        <CheckList legend="Groups" choices={choicesOf(groups)} chosen={groupIds} onChange={setGroupIds} />
      ) : (
        <p className="text-[13px] text-muted-foreground">There are no groups yet. Make them in the tab Groups.</p>
      )}
    </SheetForm>
  )
}

export const GroupSheet = ({
  group,
  actions,
  onClose,
  onSaved,
}: {
  /** Null makes one. */
  group: GroupRow | null
  actions: PeopleActions
  onClose: () => void
  onSaved: (name: string) => void
}) => {
  const form = useSending({
    read: ({ text }) => {
      const name = text('name').trim()
      if (!name) throw new Unreadable('name', 'Type a name for the group.')
      const claim = text('claim').trim() || null
      const role = text('claimRole')
      return { id: group?.id ?? null, name, claim, claimRole: role ? asRole(role) : null }
    },
    send: actions.saveGroup,
    onDone: (_, { name }) => onSaved(name),
  })
  return (
    <SheetForm
      title={group ? `Change ${group.name}` : 'Make a group'}
      note="What is granted to a group is granted to everybody in it."
      label={group ? 'Save' : 'Make group'}
      form={form}
      onClose={onClose}
    >
      <TextField name="name" label="Name" defaultValue={group?.name ?? ''} maxLength={groupNameCharsMax} />
      <TextField
        name="claim"
        label="Group claim"
        defaultValue={group?.claim ?? ''}
        maxLength={300}
        hint="As the sign-in provider calls it. Who signs in with it is put into the group, and taken out when they come without it. Empty: kept by hand."
      />
      <ChoiceField
        name="claimRole"
        label="Role that the claim gives"
        options={[['', 'None'], ...rolesToGive('admin').map((role) => [role, roleWords[role]] as const)]}
        defaultValue={group?.claimRole ?? ''}
      />
    </SheetForm>
  )
}
