import type { Metadata } from 'next'
import Link from 'next/link'
import { connection } from 'next/server'
import { ForgotForm } from '#components/account/entry-forms.tsx'
import { EntryPage } from '#components/account/entry-page.tsx'
import { isMailSet } from '#lib/mail.ts'
import { forgotAction } from '../actions.ts'

export const metadata: Metadata = { title: 'Forgot the password' }

export default async function ForgotPage() {
  // Every page is made for its request: its scripts carry a nonce.
  await connection()
  return (
    <EntryPage title="Forgot the password">
      {isMailSet() ? (
        <ForgotForm send={forgotAction} />
      ) : (
        <p className="text-muted-foreground">
          This installation sends no e-mail. Ask an admin of your workspace: they can make a link for you on the Members
          page. Where there is nobody to ask, <code className="font-mono text-[13px]">npm run account</code> on the
          server gives a new password.
        </p>
      )}
      <Link href="/sign-in" className="mt-5 self-start text-[13px] text-muted-foreground underline underline-offset-2">
        Back to sign in
      </Link>
    </EntryPage>
  )
}
