'use client'
import { Plus } from 'lucide-react'
import { useRouter } from 'next/navigation'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Button } from '#components/ui/button.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import { toast } from '#components/ui/toaster.tsx'
import { formatCount } from '#lib/shared/format.ts'
import type {
  GroupRow,
  InvitationFilter,
  InvitationRow,
  MemberFilter,
  MemberRow,
  Paged,
} from '#lib/shared/people-contract.ts'
import type { Role } from '#lib/shared/viewer.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { GroupList, InvitationList, MemberList } from './members-lists.tsx'
import { LinkOnce } from './members-parts.tsx'
import { GroupSheet, InviteManySheet, InviteSheet, MemberSheet, type PeopleActions } from './members-sheets.tsx'
import { attempt } from './models-form.ts'
import { LinkSwitch } from './report-filters.tsx'
import { type Act, usePanels } from './use-panels.ts'

type Shown =
  | { tab: 'members'; filter: MemberFilter; members: Paged<MemberRow> }
  | { tab: 'groups' }
  | { tab: 'invitations'; filter: InvitationFilter; invitations: Paged<InvitationRow> }

type Panel =
  | { of: 'invite' }
  | { of: 'list' }
  | { of: 'member'; member: MemberRow }
  | { of: 'group'; group: GroupRow | null }
  | { of: 'password'; member: MemberRow; path: string }
type Question =
  | { of: 'suspend' | 'remove'; member: MemberRow }
  | { of: 'group'; group: GroupRow }
  | { of: 'invitation'; invitation: InvitationRow }

const tabs = [
  { value: 'members', label: 'Members' },
  { value: 'groups', label: 'Groups' },
  { value: 'invitations', label: 'Invitations' },
]

/** Who belongs to the workspace: members, the groups they are in, and who was asked to come. */
export const MembersScreen = ({
  viewer,
  groups,
  shown,
  actions,
}: {
  viewer: { userId: string; role: Role }
  groups: readonly GroupRow[]
  shown: Shown
  actions: PeopleActions
}) => {
  const router = useRouter()
  const { panel, question, open, ask, close, closeQuestion, saved, act, giveBack } = usePanels<Panel, Question>()
  const makeLink = async (member: MemberRow) => {
    const made = await attempt(actions.makePasswordLink({ userId: member.userId }))
    if ('error' in made) toast.error(`No link for ${member.name}`, { description: made.error })
    else open({ of: 'password', member, path: made.value.path })
  }
  const restore = (member: MemberRow) =>
    act(
      actions.restoreMember({ userId: member.userId }),
      `${member.name} may come in again`,
      `${member.name} was not restored`,
    )

  const inviting = (
    <span className="flex flex-wrap justify-end gap-1.5">
      <Button className="max-sm:hidden" onClick={() => open({ of: 'list' })}>
        Invite from a list
      </Button>
      <Button variant="primary" onClick={() => open({ of: 'invite' })}>
        <Plus aria-hidden />
        Invite
      </Button>
    </span>
  )
  const making = (
    <Button variant="primary" onClick={() => open({ of: 'group', group: null })}>
      <Plus aria-hidden />
      Make group
    </Button>
  )
  return (
    <>
      <AdminHeader actions={shown.tab === 'groups' ? making : inviting}>
        <AdminTitle>Members</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="px-5 pt-3 max-sm:px-4">
          {/* What narrows one list means nothing in another. */}
          <LinkSwitch
            label="What to show"
            name="tab"
            value={shown.tab}
            options={tabs}
            resets={['q', 'role', 'group', 'state', 'page']}
          />
        </div>
        {shown.tab === 'members' && (
          <MemberList
            viewer={viewer}
            filter={shown.filter}
            list={shown.members}
            groups={groups}
            acts={{
              change: (member) => open({ of: 'member', member }),
              link: (member) => void makeLink(member),
              suspend: (member) => ask({ of: 'suspend', member }),
              restore: (member) => void restore(member),
              remove: (member) => ask({ of: 'remove', member }),
            }}
          />
        )}
        {shown.tab === 'groups' && (
          <GroupList
            groups={groups}
            make={making}
            onChange={(group) => open({ of: 'group', group })}
            onDelete={(group) => ask({ of: 'group', group })}
          />
        )}
        {shown.tab === 'invitations' && (
          <InvitationList
            filter={shown.filter}
            list={shown.invitations}
            invite={inviting}
            onRevoke={(invitation) => ask({ of: 'invitation', invitation })}
          />
        )}
      </div>
      <Sheet open={panel !== null} onOpenChange={(isOpen) => !isOpen && close()}>
        <SheetContent side="right" aria-describedby={undefined} onCloseAutoFocus={giveBack}>
          {panel && (
            <PanelContent
              panel={panel}
              by={viewer.role}
              groups={groups}
              actions={actions}
              onClose={close}
              onSaved={saved}
              onChanged={() => router.refresh()}
            />
          )}
        </SheetContent>
      </Sheet>
      <AlertDialog open={question !== null} onOpenChange={(isOpen) => !isOpen && closeQuestion()}>
        {question && (
          <AlertDialogContent onCloseAutoFocus={giveBack}>
            <QuestionContent question={question} self={viewer.userId} actions={actions} act={act} />
          </AlertDialogContent>
        )}
      </AlertDialog>
    </>
  )
}

const PanelContent = ({
  panel,
  by,
  groups,
  actions,
  onClose,
  onSaved,
  onChanged,
}: {
  panel: Panel
  by: Role
  groups: readonly GroupRow[]
  actions: PeopleActions
  onClose: () => void
  onSaved: (words: string) => void
  onChanged: () => void
}) => {
  const shared = { by, groups, actions, onClose }
  if (panel.of === 'invite') return <InviteSheet {...shared} onChanged={onChanged} />
  if (panel.of === 'list') return <InviteManySheet {...shared} onChanged={onChanged} />
  if (panel.of === 'member') {
    const { member } = panel
    return <MemberSheet {...shared} member={member} onSaved={() => onSaved(`${member.name} was changed`)} />
  }
  if (panel.of === 'group')
    return (
      <GroupSheet
        group={panel.group}
        actions={actions}
        onClose={onClose}
        onSaved={(name) => onSaved(`${name} was saved`)}
      />
    )
  return (
    <div className="flex flex-col gap-4 px-5 py-4 pr-12">
      <SheetTitle className="text-[15px]">A new password for {panel.member.name}</SheetTitle>
      <LinkOnce
        path={panel.path}
        note="Hand it over yourself. It is shown this once and works once, for an hour. When it is used, their other sessions end."
      />
    </div>
  )
}

const QuestionContent = ({
  question,
  self,
  actions,
  act,
}: {
  question: Question
  self: string
  actions: PeopleActions
  act: Act
}) => {
  const { title, words, label, run } = questionWords(question, self, actions, act)
  return (
    <>
      <AlertDialogTitle>{title}</AlertDialogTitle>
      <AlertDialogDescription>{words}</AlertDialogDescription>
      <AlertDialogFooter>
        <AlertDialogCancel />
        <AlertDialogAction onClick={run}>{label}</AlertDialogAction>
      </AlertDialogFooter>
    </>
  )
}

const questionWords = (
  question: Question,
  self: string,
  actions: PeopleActions,
  act: Act,
): { title: string; words: string; label: string; run: () => void } => {
  if (question.of === 'group') {
    const { id, name, members, collections } = question.group
    return {
      title: `Delete the group “${name}”?`,
      words: `${members === 1 ? 'The one person' : `The ${formatCount(members)} people`} in it stay in the workspace, and no longer read the ${collections === 1 ? 'collection' : `${formatCount(collections)} collections`} that only the group was granted.`,
      label: 'Delete group',
      run: () => void act(actions.deleteGroup({ id }), `${name} was deleted`, `${name} was not deleted`),
    }
  }
  if (question.of === 'invitation') {
    const { id, email } = question.invitation
    return {
      title: `Take back the invitation of ${email}?`,
      words: 'The link that they have opens nothing any more.',
      label: 'Take back',
      run: () => void act(actions.revokeInvitation({ id }), 'The invitation was taken back', 'It was not taken back'),
    }
  }
  const { userId, name } = question.member
  if (question.of === 'suspend')
    return {
      title: `Suspend ${name}?`,
      words:
        'Their sessions and API keys in this workspace end now, and an answer that is being written for them stops within seconds. Nothing is deleted. You can restore them; they sign in again then, and make new keys.',
      label: 'Suspend',
      run: () => void act(actions.suspendMember({ userId }), `${name} is suspended`, `${name} was not suspended`),
    }
  return {
    title: userId === self ? 'Leave the workspace?' : `Remove ${name}?`,
    words: `${userId === self ? 'You leave' : 'They leave'} the workspace, its groups and grants at once. Documents and conversations stay. Coming back takes an invitation.`,
    label: userId === self ? 'Leave' : 'Remove',
    run: () => void act(actions.removeMember({ userId }), `${name} was removed`, `${name} was not removed`),
  }
}
