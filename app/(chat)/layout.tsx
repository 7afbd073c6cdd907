import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Shell } from '#components/shell/shell.tsx'
import { parseTheme, themeCookie } from '#components/ui/theme.ts'
import { page } from '#lib/auth/index.ts'
import { listChats } from '#lib/chat/index.ts'
import { changesDocuments } from '#lib/documents.ts'
import { shownNotices } from '#lib/incidents.ts'
import { myWorkspaces } from '#lib/people.ts'
import { createWorkspace } from '../(admin)/admin/members/actions.ts'
import { signOutAction, signOutEverywhereAction } from '../(auth)/actions.ts'
import { openReviews } from '../open-reviews.ts'
import { shownWorkspaces } from '../shown-workspaces.ts'
import { deleteChatAction, renameChatAction } from './actions.ts'

export default async function ChatLayout({ children }: { children: ReactNode }) {
  const viewer = await page('chat.use')
  const [chats, workspaces, notices, changes, waiting, store] = await Promise.all([
    listChats(viewer),
    myWorkspaces(viewer),
    shownNotices(viewer),
    changesDocuments(viewer),
    openReviews(viewer),
    cookies(),
  ])
  return (
    <Shell
      viewer={{
        ...{ name: viewer.name, email: viewer.email, role: viewer.role },
        changesDocuments: changes,
        openReviews: waiting,
      }}
      section="chat"
      {...shownWorkspaces(viewer, workspaces)}
      chats={chats}
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
