import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Shell } from '#components/shell/shell.tsx'
import { parseTheme, themeCookie } from '#components/ui/theme.ts'
import { page } from '#lib/auth/index.ts'
import { changesDocuments } from '#lib/documents.ts'
import { shownNotices } from '#lib/incidents.ts'
import { myWorkspaces } from '#lib/people.ts'
import { signOutAction, signOutEverywhereAction } from '../(auth)/actions.ts'
import { deleteChatAction, renameChatAction } from '../(chat)/actions.ts'
import { openReviews } from '../open-reviews.ts'
import { shownWorkspaces } from '../shown-workspaces.ts'
import { createWorkspace } from './admin/members/actions.ts'

/** Whoever may do none of the administration, nor change any document, gets the same page as for an address that does not exist. */
export default async function AdminLayout({ children }: { children: ReactNode }) {
  const viewer = await page('chat.use')
  const { name, email, role } = viewer
  return (
    <Shell
      viewer={{
        ...{ name, email, role },
        changesDocuments: await changesDocuments(viewer),
        openReviews: await openReviews(viewer),
      }}
      section="admin"
      {...shownWorkspaces(viewer, await myWorkspaces(viewer))}
      notices={await shownNotices(viewer)}
      theme={parseTheme((await cookies()).get(themeCookie)?.value)}
      actions={{
        renameChat: renameChatAction,
        deleteChat: deleteChatAction,
        createWorkspace,
        signOut: signOutAction,
        signOutEverywhere: signOutEverywhereAction,
      }}
    >
      {children}
    </Shell>
  )
}
