import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Shell } from '#components/shell/shell.tsx'
import { parseTheme, themeCookie } from '#components/ui/theme.ts'
import { page } from '#lib/auth/index.ts'
import { changesDocuments } from '#lib/documents.ts'
import { shownNotices } from '#lib/incidents.ts'
import { myWorkspaces } from '#lib/people.ts'
import { createWorkspace } from '../(admin)/admin/members/actions.ts'
import { signOutAction, signOutEverywhereAction } from '../(auth)/actions.ts'
import { deleteChatAction, renameChatAction } from '../(chat)/actions.ts'
import { openReviews } from '../open-reviews.ts'
import { shownWorkspaces } from '../shown-workspaces.ts'

export default async function ReviewLayout({ children }: { children: ReactNode }) {
  const viewer = await page('review.decide')
  const { name, email, role } = viewer
  const [changes, waiting, workspaces, notices, store] = await Promise.all([
    changesDocuments(viewer),
    openReviews(viewer),
    myWorkspaces(viewer),
    shownNotices(viewer),
    cookies(),
  ])
  return (
    <Shell
      viewer={{ name, email, role, changesDocuments: changes, openReviews: waiting }}
      section="admin"
      {...shownWorkspaces(viewer, workspaces)}
      notices={notices}
      theme={parseTheme(store.get(themeCookie)?.value)}
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
