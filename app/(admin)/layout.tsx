import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Shell } from '#components/shell/shell.tsx'
import { parseTheme, themeCookie } from '#components/ui/theme.ts'
import { page } from '#lib/auth/index.ts'
import { signOutAction, signOutEverywhereAction } from '../(auth)/actions.ts'
import { deleteChatAction, renameChatAction } from '../(chat)/actions.ts'

/** Whoever may do none of the administration gets the same page as for an address that does not exist. */
export default async function AdminLayout({ children }: { children: ReactNode }) {
  const { name, email, role } = await page('chat.use')
  return (
    <Shell
      viewer={{ name, email, role }}
      section="admin"
      theme={parseTheme((await cookies()).get(themeCookie)?.value)}
      actions={{
        renameChat: renameChatAction,
        deleteChat: deleteChatAction,
        signOut: signOutAction,
        signOutEverywhere: signOutEverywhereAction,
      }}
    >
      {children}
    </Shell>
  )
}
