'use client'
import { useRouter } from 'next/navigation'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { Button } from '#components/ui/button.tsx'
import type { AccountData } from '#lib/shared/account-contract.ts'
import type { AccountActions } from './account-actions.ts'
import { AccountSection } from './account-section.tsx'
import { KeysSection } from './keys-section.tsx'
import { PasswordSection } from './password-section.tsx'
import { SecondStepSection } from './second-step-section.tsx'
import { SessionsSection } from './sessions-section.tsx'

/** One's own account: how one comes in, where one is in, and what may come in for one. */
export const AccountScreen = ({ account, actions }: { account: AccountData; actions: AccountActions }) => {
  const router = useRouter()
  const reload = () => router.refresh()
  return (
    <>
      <AdminHeader>
        <AdminTitle>Your account</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <p className="border-b px-5 py-4 max-sm:px-4">
          <bdi className="font-medium">{account.name}</bdi>
          <bdi className="block break-all text-[13px] text-muted-foreground">{account.email}</bdi>
        </p>
        <PasswordSection account={account} change={actions.changePassword} onChanged={reload} />
        <SecondStepSection account={account} actions={actions} onChanged={reload} />
        <SessionsSection sessions={account.sessions} actions={actions} onChanged={reload} />
        <KeysSection keys={account.keys} workspace={account.workspace} actions={actions} onChanged={reload} />
        <AccountSection
          id="account-data"
          title="Your data"
          note="Everything that is kept about you in this workspace, and the files that you uploaded, in one archive."
        >
          <Button variant="outline" asChild>
            <a href="/api/account/export" download>
              Take my data along
            </a>
          </Button>
        </AccountSection>
      </div>
    </>
  )
}
