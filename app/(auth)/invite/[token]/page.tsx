import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { Brand } from '#components/shell/brand.tsx'
import { DeadEnd } from '#components/shell/dead-end.tsx'
import { InvitationForm } from '#components/shell/invitation-form.tsx'
import { Button } from '#components/ui/button.tsx'
import { currentViewer } from '#lib/auth/index.ts'
import { invitationOf } from '#lib/people.ts'
import type { InvitationView } from '#lib/shared/people-contract.ts'
import { acceptAsMyself, acceptAsNew, leaveForInvitation } from './actions.ts'

/** Never in a referrer: the address is the way in. */
export const metadata: Metadata = { title: 'Invitation', referrer: 'no-referrer' }

type Over = Exclude<InvitationView['state'], 'open'>
const overWords: Record<Over, { title: string; words: string }> = {
  unknown: {
    title: 'This link is not right',
    words: 'Perhaps a part of it is missing. Copy the whole link, or ask who sent it for a new one.',
  },
  accepted: {
    title: 'This invitation has been used',
    words: 'An invitation works once. If it was you, sign in; otherwise ask for a new one.',
  },
  expired: { title: 'This invitation has expired', words: 'Ask for a new one; it takes them a moment.' },
  revoked: { title: 'This invitation was taken back', words: 'If you should come in all the same, ask for a new one.' },
}

/** Open to all: it tells the holder of a link whose workspace it opens and who invited, and nothing else of it. */
export default async function InvitationPage({ params }: { params: Promise<{ token: string }> }) {
  const { token } = await params
  const [invitation, viewer] = await Promise.all([invitationOf(token), currentViewer()])
  if (invitation.state !== 'open') {
    const { title, words } = overWords[invitation.state]
    return (
      <DeadEnd
        title={title}
        actions={
          <Button variant="primary" asChild>
            <Link href={'/sign-in' as Route}>Sign in</Link>
          </Button>
        }
      >
        {words}
      </DeadEnd>
    )
  }
  const { workspace, invitedBy, email, hasAccount } = invitation
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[400px] flex-col justify-center px-5 py-10">
      <Brand className="mb-6 text-[22px] [&_sup]:top-[-9px] [&_sup]:text-xs" />
      <h1 className="mb-1 break-words font-semibold text-xl">
        Join <bdi>{workspace}</bdi>
      </h1>
      <p className="mb-5 text-muted-foreground">
        <bdi>{invitedBy ?? 'Somebody'}</bdi> invites <bdi className="break-all">{email}</bdi>.
      </p>
      <InvitationForm
        token={token}
        workspace={workspace}
        email={email}
        as={viewer ? (viewer.email === email ? 'self' : 'other') : hasAccount ? 'known' : 'new'}
        signedInAs={viewer?.email ?? null}
        actions={{ acceptAsNew, acceptAsMyself, leave: leaveForInvitation }}
      />
    </main>
  )
}
