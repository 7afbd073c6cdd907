'use client'
import { useId, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { When } from '#components/admin/when.tsx'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { SessionRow } from '#lib/shared/account-contract.ts'
import type { AccountActions } from './account-actions.ts'
import { AccountSection, SectionFault } from './account-section.tsx'
import { deviceWords } from './device-words.ts'

/** Where one is signed in: what with, from where, when last; each can be ended from here. */
export const SessionsSection = ({
  sessions,
  actions,
  onChanged,
}: {
  sessions: readonly SessionRow[]
  actions: Pick<AccountActions, 'endSession' | 'endOtherSessions'>
  onChanged: () => void
}) => {
  const [fault, setFault] = useState<string | null>(null)
  const ids = useId()
  const end = async (id: string, device: string) => {
    const ended = await attempt(actions.endSession({ id }))
    setFault('error' in ended ? ended.error : null)
    if ('value' in ended) toast(`The session of ${device} has ended`)
    onChanged()
  }
  const endOthers = async () => {
    const ended = await attempt(actions.endOtherSessions({}))
    setFault('error' in ended ? ended.error : null)
    if ('value' in ended) toast(ended.value === 1 ? 'One session has ended' : `${ended.value} sessions have ended`)
    onChanged()
  }
  const several = new Set(sessions.map(({ workspace }) => workspace)).size > 1
  return (
    <AccountSection
      id={`${ids}-title`}
      title="Sessions"
      note="Where you are signed in. End what you do not know, and change your password then."
    >
      <ul aria-labelledby={`${ids}-title`} className="divide-y rounded-lg border">
        {sessions.map(({ id, userAgent, address, lastSeenAt, workspace, current }) => (
          <li key={id} className="flex items-center gap-3 px-3 py-2.5">
            <div className="min-w-0 flex-1">
              <p className="flex flex-wrap items-center gap-2">
                <span dir="auto" className="truncate font-medium">
                  {deviceWords(userAgent)}
                </span>
                {current && <Badge variant="accent">This one</Badge>}
              </p>
              <p className="text-[13px] text-muted-foreground">
                {address ? `From ${address}` : 'From an unknown address'}, last used <When iso={lastSeenAt} />
                {several && (
                  <>
                    , in <bdi>{workspace}</bdi>
                  </>
                )}
              </p>
            </div>
            {!current && (
              <Button
                size="sm"
                aria-label={`End the session of ${deviceWords(userAgent)}`}
                onClick={() => void end(id, deviceWords(userAgent))}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
      {sessions.some(({ current }) => !current) ? (
        <Button className="mt-3" onClick={() => void endOthers()}>
          End all others
        </Button>
      ) : (
        <p className="mt-2 text-[13px] text-muted-foreground">You are signed in nowhere else.</p>
      )}
      <SectionFault>{fault}</SectionFault>
    </AccountSection>
  )
}
