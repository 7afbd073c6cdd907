'use client'
import { type FormEvent, useId, useState } from 'react'
import { copyText } from '#components/admin/members-parts.tsx'
import { attempt } from '#components/admin/models-form.ts'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { AccountData, SecondStepOffer } from '#lib/shared/account-contract.ts'
import type { AccountActions } from './account-actions.ts'
import { AccountSection, SectionFault } from './account-section.tsx'
import { PasswordField } from './password-field.tsx'
import { QrCode } from './qr-code.tsx'

type Actions = Pick<AccountActions, 'beginSecondStep' | 'confirmSecondStep' | 'endSecondStep'>
type Stage = { at: 'rest' } | { at: 'offer'; offer: SecondStepOffer } | { at: 'codes'; codes: string[] } | { at: 'end' }

const rest: Stage = { at: 'rest' }
/** In threes of four, so that they can be copied by hand. */
const spaced = (code: string): string => code.replace(/(.{4})(?=.)/g, '$1-')

/** A field for a code with the button that sends it. */
const CodeField = ({ label, button, onSend }: { label: string; button: string; onSend: (code: string) => void }) => {
  const [code, setCode] = useState('')
  const id = useId()
  const send = (event: FormEvent) => {
    event.preventDefault()
    onSend(code)
  }
  return (
    <form onSubmit={send}>
      <Label htmlFor={id}>{label}</Label>
      <div className="flex gap-2">
        <Input
          id={id}
          className="num w-40"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          required
          maxLength={40}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
        <Button type="submit" variant="primary">
          {button}
        </Button>
      </div>
    </form>
  )
}

const Offer = ({ offer, onSend }: { offer: SecondStepOffer; onSend: (code: string) => void }) => (
  <div className="flex flex-wrap gap-5">
    <QrCode text={offer.uri} label="QR code for your authenticator app" />
    <div className="flex min-w-0 max-w-sm flex-1 basis-60 flex-col gap-3">
      <p>
        Scan this with your authenticator app, or type this key into it:{' '}
        <code className="break-all font-mono text-[13px]">{offer.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
      </p>
      <CodeField label="The code that it shows" button="Switch on" onSend={onSend} />
    </div>
  </div>
)

const RecoveryCodes = ({ codes, onKept }: { codes: string[]; onKept: () => void }) => (
  <div className="flex flex-col gap-3">
    <p>
      The second step is on. Keep these recovery codes where your phone is not: each opens your account once when the
      app is lost. They are shown only now.
    </p>
    <ul
      aria-label="Recovery codes"
      className="grid max-w-sm grid-cols-2 gap-x-5 gap-y-1 font-mono text-[13px] max-sm:grid-cols-1"
    >
      {codes.map((code) => (
        <li key={code}>{spaced(code)}</li>
      ))}
    </ul>
    <div className="flex gap-2">
      <Button onClick={() => void copyText(codes.map(spaced).join('\n'), 'The codes are copied')}>
        Copy the codes
      </Button>
      <Button variant="primary" onClick={onKept}>
        I have kept them
      </Button>
    </div>
  </div>
)

const End = ({
  hasPassword,
  onSend,
  onLeave,
}: {
  hasPassword: boolean
  onSend: (proof: string) => void
  onLeave: () => void
}) => {
  const [proof, setProof] = useState('')
  if (!hasPassword) return <CodeField label="A code of the app" button="Switch off" onSend={onSend} />
  const send = (event: FormEvent) => {
    event.preventDefault()
    onSend(proof)
  }
  return (
    <form onSubmit={send} className="flex max-w-sm flex-col gap-3">
      <PasswordField
        label="Your password"
        name="proof"
        autoComplete="current-password"
        value={proof}
        onChange={(event) => setProof(event.target.value)}
      />
      <div className="flex gap-2">
        <Button type="submit" variant="destructive">
          Switch off
        </Button>
        <Button onClick={onLeave}>Cancel</Button>
      </div>
    </form>
  )
}

/** Codes of an authenticator app as a second step of sign-in. */
export const SecondStepSection = ({
  account: { secondStep, hasPassword },
  actions,
  onChanged,
}: {
  account: AccountData
  actions: Actions
  onChanged: () => void
}) => {
  const [stage, setStage] = useState<Stage>(rest)
  const [fault, setFault] = useState<string | null>(null)
  const ids = useId()

  const go = (to: Stage) => {
    setFault(null)
    setStage(to)
  }
  const begin = async () => {
    const begun = await attempt(actions.beginSecondStep({}))
    if ('error' in begun) setFault(begun.error)
    else go({ at: 'offer', offer: begun.value })
  }
  const confirm = async (code: string) => {
    const confirmed = await attempt(actions.confirmSecondStep({ code }))
    if ('error' in confirmed) return setFault(confirmed.error)
    go({ at: 'codes', codes: confirmed.value })
    onChanged()
  }
  const end = async (proof: string) => {
    const ended = await attempt(actions.endSecondStep({ proof }))
    if ('error' in ended) return setFault(ended.error)
    go(rest)
    toast('The second step is off')
    onChanged()
  }

  return (
    <AccountSection
      id={`${ids}-title`}
      title="Second step"
      note="After your password, a code of an authenticator app. Somebody who learns the password alone stays outside."
    >
      {stage.at === 'offer' && <Offer offer={stage.offer} onSend={(code) => void confirm(code)} />}
      {stage.at === 'codes' && <RecoveryCodes codes={stage.codes} onKept={() => go(rest)} />}
      {stage.at === 'end' && (
        <End hasPassword={hasPassword} onSend={(proof) => void end(proof)} onLeave={() => go(rest)} />
      )}
      {stage.at === 'rest' && (
        <div className="flex flex-wrap items-center gap-2.5">
          <Badge variant={secondStep.on ? 'success' : 'default'}>{secondStep.on ? 'On' : 'Off'}</Badge>
          {secondStep.on && (
            <span className="text-[13px] text-muted-foreground">
              {secondStep.recoveryLeft === 1
                ? 'One recovery code left'
                : `${secondStep.recoveryLeft} recovery codes left`}
            </span>
          )}
          {secondStep.on ? (
            <Button onClick={() => go({ at: 'end' })}>Switch off…</Button>
          ) : (
            <Button onClick={() => void begin()}>Switch on…</Button>
          )}
        </div>
      )}
      <SectionFault>{fault}</SectionFault>
    </AccountSection>
  )
}
