'use client'
import { MoreHorizontal, Pencil, Search, Trash2, X } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { usePathname, useRouter } from 'next/navigation'
import { type ReactNode, useCallback, useEffect, useId, useState } from 'react'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { Input } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ChatSummary } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { groupChats } from './chat-groups.ts'
import { useHydrated } from './use-hydrated.ts'

export type ChatActions = {
  renameChat: (input: { chatId: string; title: string }) => Promise<ActionResult<null>>
  deleteChat: (input: { chatId: string }) => Promise<ActionResult<null>>
}

const searchDelayMs = 250
const unreachable = 'Footnote could not be reached. Check the connection and try again.'

const chatHref = (chatId: string) => `/c/${chatId}` as Route

type ChatSearch = { query: string; chats: ChatSummary[] | null; failure: string | null }

/** Asks the server a moment after the last key; an answer that comes after the next question is dropped. */
const useChatSearch = (query: string): ChatSearch => {
  const wanted = query.trim()
  const [found, setFound] = useState<ChatSearch>({ query: '', chats: null, failure: null })
  useEffect(() => {
    if (!wanted) return
    const abort = new AbortController()
    const timer = setTimeout(async () => {
      try {
        const response = await fetch(`/api/chats?query=${encodeURIComponent(wanted)}`, { signal: abort.signal })
        const body = (await response.json()) as { chats?: ChatSummary[]; error?: { message: string } }
        setFound({ query: wanted, chats: body.chats ?? null, failure: body.error?.message ?? null })
      } catch {
        if (!abort.signal.aborted) setFound({ query: wanted, chats: null, failure: unreachable })
      }
    }, searchDelayMs)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [wanted])
  return wanted ? { ...found, query: wanted } : { query: '', chats: null, failure: null }
}

type RowProps = {
  chat: ChatSummary
  current: boolean
  onNavigate: () => void
  onRename: (title: string) => void
  onDelete: () => void
}

const ChatRow = ({ chat, current, onNavigate, onRename, onDelete }: RowProps) => {
  const [naming, setNaming] = useState(false)
  if (naming)
    return (
      <li>
        <Input
          autoFocus
          aria-label="Name of the conversation"
          defaultValue={chat.title}
          maxLength={120}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={() => setNaming(false)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setNaming(false)
            if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
            const title = event.currentTarget.value.trim()
            if (title && title !== chat.title) onRename(title)
            setNaming(false)
          }}
        />
      </li>
    )
  return (
    <li className="group relative">
      <Link
        href={chatHref(chat.id)}
        prefetch={false}
        onClick={onNavigate}
        aria-current={current ? 'page' : undefined}
        dir="auto"
        className={cn(
          'block truncate rounded-md py-[5px] pr-8 pl-2 hover:bg-muted touch:py-3',
          current && 'bg-card ring-1 ring-border hover:bg-card',
        )}
      >
        {chat.title}
        {chat.snippet && <span className="block truncate text-muted-foreground text-xs">{chat.snippet}</span>}
      </Link>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button
            variant="quiet"
            size="icon-sm"
            aria-label={`Rename or delete “${chat.title}”`}
            className="absolute top-0.5 right-0.5 opacity-0 focus-visible:opacity-100 group-hover:opacity-100 data-[state=open]:opacity-100 touch:opacity-100"
          >
            <MoreHorizontal />
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="start" onCloseAutoFocus={(event) => event.preventDefault()}>
          <DropdownMenuItem onSelect={() => setNaming(true)}>
            <Pencil />
            Rename
          </DropdownMenuItem>
          <DropdownMenuItem variant="destructive" onSelect={onDelete}>
            <Trash2 />
            Delete
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
    </li>
  )
}

const Heading = ({ children }: { children: ReactNode }) => (
  <h3 className="px-2 pt-4 pb-1 font-medium text-[11.5px] text-muted-foreground tracking-normal">{children}</h3>
)

/** The conversation screen says so when the list is no longer what it was. */
const chatsChanged = 'footnote:chats'

/** The list as the server gave it with the page, and as it is after the conversation screen or this list changed it. */
const useChats = (given: readonly ChatSummary[]): { chats: readonly ChatSummary[]; reload: () => Promise<void> } => {
  const [base, setBase] = useState(given)
  const [chats, setChats] = useState(given)
  if (base !== given) {
    setBase(given)
    setChats(given)
  }
  const reload = useCallback(async () => {
    try {
      const response = await fetch('/api/chats')
      const body = (await response.json()) as { chats?: ChatSummary[] }
      if (body.chats) setChats(body.chats)
    } catch {
      // The list stays as it was; the next change asks again.
    }
  }, [])
  useEffect(() => {
    window.addEventListener(chatsChanged, reload)
    return () => window.removeEventListener(chatsChanged, reload)
  }, [reload])
  return { chats, reload }
}

export type ChatListProps = { chats: readonly ChatSummary[]; actions: ChatActions; onNavigate: () => void }

/** The viewer's conversations by day, with search, rename and delete. A new name shows at once and is taken back with the reason. */
export const ChatList = ({ chats: given, actions, onNavigate }: ChatListProps) => {
  const { chats, reload } = useChats(given)
  const pathname = usePathname()
  const router = useRouter()
  const hydrated = useHydrated()
  const titleId = useId()
  const [query, setQuery] = useState('')
  const [titles, setTitles] = useState<ReadonlyMap<string, string>>(new Map())
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set())
  const [deleting, setDeleting] = useState<ChatSummary | null>(null)
  const search = useChatSearch(query)

  const shown = (list: readonly ChatSummary[]) =>
    list.filter(({ id }) => !gone.has(id)).map((chat) => ({ ...chat, title: titles.get(chat.id) ?? chat.title }))

  const rename = async (chatId: string, title: string) => {
    const forget = () => setTitles((now) => new Map([...now].filter(([id, kept]) => id !== chatId || kept !== title)))
    setTitles((now) => new Map(now).set(chatId, title))
    const result = await actions.renameChat({ chatId, title }).catch(() => null)
    if (result?.ok) await reload()
    forget()
    if (result?.ok) return
    toast.error('The conversation keeps its old name', { description: result?.error.message ?? unreachable })
  }

  // Shown when it is done and not before: who leaves the page at once would take an open request along.
  const remove = async (chatId: string) => {
    const result = await actions.deleteChat({ chatId }).catch(() => null)
    if (!result?.ok) {
      toast.error('The conversation was not deleted', { description: result?.error.message ?? unreachable })
      return
    }
    setGone((now) => new Set(now).add(chatId))
    if (pathname === chatHref(chatId)) router.push('/')
    await reload()
  }

  const row = (chat: ChatSummary) => (
    <ChatRow
      key={chat.id}
      chat={chat}
      current={pathname === chatHref(chat.id)}
      onNavigate={onNavigate}
      onRename={(title) => rename(chat.id, title)}
      onDelete={() => setDeleting(chat)}
    />
  )
  const found = search.chats && shown(search.chats)

  return (
    <section aria-label="Conversations" className="flex min-h-0 flex-1 flex-col">
      {(chats.length > 0 || query) && (
        <div className="relative mt-2">
          <Search
            aria-hidden
            className="absolute top-1/2 left-2 size-4 -translate-y-1/2 stroke-[1.75] text-muted-foreground"
          />
          <Input
            type="search"
            aria-label="Search in conversations"
            placeholder="Search"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            className="border-transparent bg-transparent pr-8 pl-8 hover:bg-muted focus:bg-card [&::-webkit-search-cancel-button]:hidden"
          />
          {query && (
            <Button
              variant="quiet"
              size="icon-sm"
              aria-label="Clear the search"
              className="absolute top-1/2 right-0.5 -translate-y-1/2"
              onClick={() => setQuery('')}
            >
              <X />
            </Button>
          )}
        </div>
      )}
      <nav aria-label="Conversations" className="-mx-2.5 min-h-0 flex-1 overflow-y-auto px-2.5 pb-2">
        {search.query ? (
          <>
            <Heading>Found</Heading>
            {search.failure && <p className="px-2 text-destructive text-xs">{search.failure}</p>}
            {found?.length === 0 && (
              <p className="px-2 text-muted-foreground text-xs">No conversation has “{search.query}” in it.</p>
            )}
            <ul>{found?.map(row)}</ul>
          </>
        ) : (
          groupChats(shown(chats), new Date(), hydrated ? 'local' : 'utc').map((group) => (
            <div key={group.title}>
              <Heading>{group.title}</Heading>
              <ul>{group.chats.map(row)}</ul>
            </div>
          ))
        )}
        {chats.length === 0 && !search.query && (
          <p className="px-2 pt-4 text-muted-foreground text-xs">Your conversations will be listed here.</p>
        )}
      </nav>
      <AlertDialog open={deleting !== null} onOpenChange={(open) => !open && setDeleting(null)}>
        <AlertDialogContent aria-labelledby={titleId}>
          <AlertDialogTitle id={titleId}>Delete “{deleting?.title}”?</AlertDialogTitle>
          <AlertDialogDescription>Its questions and answers go with it. This cannot be undone.</AlertDialogDescription>
          <AlertDialogFooter>
            <AlertDialogCancel />
            <AlertDialogAction onClick={() => deleting && remove(deleting.id)}>Delete conversation</AlertDialogAction>
          </AlertDialogFooter>
        </AlertDialogContent>
      </AlertDialog>
    </section>
  )
}
