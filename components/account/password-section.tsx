'use client'
import { type FormEvent, useId, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { When } from '#components/admin/when.tsx'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { AccountData } from '#lib/shared/account-contract.ts'
import { passwordCharsMax, passwordCharsMin } from '#lib/shared/people-contract.ts'
import type { AccountActions } from './account-actions.ts'
import { AccountSection, SectionFault } from './account-section.tsx'
import { PasswordField } from './password-field.tsx'

/** The password, or the provider that stands for it. */
export const PasswordSection = ({
  account: { email, hasPassword, passwordChangedAt, identities },
  change,
  onChanged,
}: {
  account: AccountData
  change: AccountActions['changePassword']
  onChanged: () => void
}) => {
  const [pending, setPending] = useState(false)
  const [fault, setFault] = useState<{ of: 'current' | 'next'; words: string } | null>(null)
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const ids = useId()

  const send = async (event: FormEvent) => {
    event.preventDefault()
    if (pending) return
    if ([...next].length < passwordCharsMin)
      return setFault({ of: 'next', words: `Choose a new password of at least ${passwordCharsMin} characters.` })
    setPending(true)
    setFault(null)
    const done = await attempt(change({ current, next }))
    setPending(false)
    if ('error' in done) return setFault({ of: 'current', words: done.error })
    setCurrent('')
    setNext('')
    toast('Your password is changed', {
      description: done.value.ended > 0 ? 'Your other sessions have ended.' : undefined,
    })
    onChanged()
  }

  const errorIdOf = (field: 'current' | 'next') => (fault?.of === field ? `${ids}-fault` : undefined)
  return (
    <AccountSection
      id={`${ids}-title`}
      title="Password"
      note={
        hasPassword ? (
          passwordChangedAt && (
            <>
              Changed <When iso={passwordChangedAt} />
            </>
          )
        ) : (
          <>
            You sign in through {identities.map(({ issuer }) => new URL(issuer).host).join(' and ')}, without a
            password.
          </>
        )
      }
    >
      {hasPassword && (
        <form onSubmit={send} className="flex max-w-sm flex-col gap-3">
          {/* Password managers want to know whose it is. */}
          <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
          <PasswordField
            label="Current password"
            name="current"
            autoComplete="current-password"
            maxLength={passwordCharsMax}
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
            errorId={errorIdOf('current')}
          />
          <PasswordField
            label="New password"
            name="next"
            autoComplete="new-password"
            maxLength={passwordCharsMax}
            hint={`At least ${passwordCharsMin} characters. Your other sessions end with the change.`}
            value={next}
            onChange={(event) => setNext(event.target.value)}
            errorId={errorIdOf('next')}
          />
          <div id={`${ids}-fault`}>
            <SectionFault>{fault?.words ?? null}</SectionFault>
          </div>
          <Button type="submit" className="self-start" aria-disabled={pending}>
            {pending ? 'Changing…' : 'Change the password'}
          </Button>
        </form>
      )}
      {hasPassword && identities.length > 0 && (
        <p className="mt-3 text-[13px] text-muted-foreground">
          You can also sign in through {identities.map(({ issuer }) => new URL(issuer).host).join(' and ')}.
        </p>
      )}
    </AccountSection>
  )
}
