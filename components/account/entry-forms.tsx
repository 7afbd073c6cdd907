'use client'
import Link from 'next/link'
import { Button } from '#components/ui/button.tsx'
import {
  passwordCharsMax,
  passwordCharsMin,
  personNameCharsMax,
  workspaceNameCharsMax,
} from '#lib/shared/people-contract.ts'
import { type EntryAction, EntryField, EntryForm } from './entry-form.tsx'
import { PasswordField } from './password-field.tsx'

const newPassword = {
  name: 'password',
  autoComplete: 'new-password',
  minLength: passwordCharsMin,
  maxLength: passwordCharsMax,
  hint: `At least ${passwordCharsMin} characters. A few words are easier to remember than signs.`,
} as const

const emailField = { name: 'email', type: 'email', autoCapitalize: 'none', spellCheck: false, maxLength: 254 } as const

/** The workspace and its first owner. */
export const SetupForm = ({ token, send }: { token: string; send: EntryAction }) => (
  <EntryForm send={send} label="Make the workspace" pendingLabel="Making it…">
    {({ value, errorId }) => (
      <>
        <input type="hidden" name="token" value={token} />
        <EntryField
          label="Name of the workspace"
          name="workspace"
          defaultValue={value('workspace')}
          maxLength={workspaceNameCharsMax}
          autoComplete="organization"
          autoFocus
        />
        <EntryField
          label="Your name"
          name="name"
          defaultValue={value('name')}
          maxLength={personNameCharsMax}
          autoComplete="name"
        />
        <EntryField label="E-mail" {...emailField} defaultValue={value('email')} autoComplete="username" />
        <PasswordField label="Password" {...newPassword} errorId={errorId} />
      </>
    )}
  </EntryForm>
)

/** A new password, by a link. */
export const ResetForm = ({ token, send }: { token: string; send: EntryAction }) => (
  <EntryForm
    send={send}
    label="Set the password"
    pendingLabel="Setting it…"
    done={
      <>
        <p className="mb-4 text-muted-foreground">
          Your new password is set, and every session has ended. Sign in with it.
        </p>
        <Button variant="primary" size="lg" asChild>
          <Link href="/sign-in">Sign in</Link>
        </Button>
      </>
    }
  >
    {({ errorId }) => (
      <>
        <input type="hidden" name="token" value={token} />
        <PasswordField label="New password" {...newPassword} errorId={errorId} autoFocus />
      </>
    )}
  </EntryForm>
)

/** Asks for a link; the answer is the same for every address. */
export const ForgotForm = ({ send }: { send: EntryAction }) => (
  <EntryForm
    send={send}
    label="Send the link"
    pendingLabel="Sending…"
    done={
      <p className="text-muted-foreground">
        If this address has an account with a password, a link is on its way. It works once, within an hour. If nothing
        comes, look among the unwanted mail or ask an admin for a link.
      </p>
    }
  >
    {({ value }) => (
      <EntryField label="E-mail" {...emailField} defaultValue={value('email')} autoComplete="username" autoFocus />
    )}
  </EntryForm>
)

/** The second step of a sign-in. */
export const CodeForm = ({ from, send }: { from: string; send: EntryAction }) => (
  <EntryForm send={send} label="Go on" pendingLabel="Checking…">
    {({ errorId }) => (
      <>
        <input type="hidden" name="from" value={from} />
        <EntryField
          label="Code"
          name="code"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={40}
          autoFocus
          aria-invalid={errorId ? true : undefined}
          aria-describedby={errorId}
        />
        <p className="-mt-2 text-[12.5px] text-muted-foreground">
          Six digits from your authenticator app. Without it, one of your recovery codes.
        </p>
      </>
    )}
  </EntryForm>
)
