import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Shell } from '#components/shell/shell.tsx'
import { parseTheme, themeCookie } from '#components/ui/theme.ts'
import { page } from '#lib/auth/index.ts'
import { listChats } from '#lib/chat/index.ts'
import { signOutAction, signOutEverywhereAction } from '../(auth)/actions.ts'
import { deleteChatAction, renameChatAction } from './actions.ts'

export default async function ChatLayout({ children }: { children: ReactNode }) {
  const viewer = await page('chat.use')
  const [chats, store] = await Promise.all([listChats(viewer), cookies()])
  return (
    <Shell
      viewer={{ name: viewer.name, email: viewer.email, role: viewer.role }}
      section="chat"
      chats={chats}
      theme={parseTheme(store.get(themeCookie)?.value)}
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
