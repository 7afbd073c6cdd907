import type { Metadata } from 'next'
import { AccountScreen } from '#components/account/account-screen.tsx'
import { accountData, page } from '#lib/auth/index.ts'
import {
  beginSecondStep,
  changePassword,
  confirmSecondStep,
  createKey,
  endOtherSessions,
  endSecondStep,
  endSession,
  revokeKey,
} from './actions.ts'

export const metadata: Metadata = { title: 'Your account' }

export default async function AccountPage() {
  const viewer = await page('account.manage')
  return (
    <AccountScreen
      account={await accountData(viewer)}
      actions={{
        changePassword,
        beginSecondStep,
        confirmSecondStep,
        endSecondStep,
        endSession,
        endOtherSessions,
        createKey,
        revokeKey,
      }}
    />
  )
}
