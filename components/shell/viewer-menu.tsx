'use client'
import { ChevronsUpDown, Info, LogOut, MonitorSmartphone, Plus, UserRound } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { useState, useTransition } from 'react'
import {
  AlertDialog,
  AlertDialogAction,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogTitle,
} from '#components/ui/alert-dialog.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { parseTheme, setTheme, type Theme } from '#components/ui/theme.ts'
import { toast } from '#components/ui/toaster.tsx'
import { roleWords } from '#lib/shared/people-contract.ts'
import { can, type Role } from '#lib/shared/viewer.ts'
import { type CreateWorkspace, NewWorkspace } from './new-workspace.tsx'
import { type ShownWorkspace, switchTo } from './shown-workspace.ts'

const themeWords: Record<Theme, string> = { system: 'Like this device', light: 'Light', dark: 'Dark' }

/** Up to two letters: the first of the first and of the last word. */
const initials = (name: string): string => {
  const words = name.split(/\s+/).filter(Boolean)
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => [...(word ?? '')][0]?.toUpperCase() ?? '')
    .join('')
}

export type ViewerMenuProps = {
  viewer: { name: string; email: string; role: Role }
  theme: Theme
  /** The one that is shown, and all that the viewer may enter. */
  workspace: ShownWorkspace
  workspaces: readonly ShownWorkspace[]
  createWorkspace: CreateWorkspace
  signOut: () => Promise<void>
  signOutEverywhere: () => Promise<void>
}

/** Who is signed in, how it looks, and the way out. */
export const ViewerMenu = ({
  viewer,
  theme,
  workspace,
  workspaces,
  createWorkspace,
  signOut,
  signOutEverywhere,
}: ViewerMenuProps) => {
  const [chosen, setChosen] = useState(theme)
  const [confirming, setConfirming] = useState(false)
  const [naming, setNaming] = useState(false)
  const [leaving, startLeaving] = useTransition()
  const leave = (how: () => Promise<void>) => startLeaving(() => how())
  const enter = async (id: string) => {
    const to = workspaces.find((one) => one.id === id)
    if (!to || id === workspace.id) return
    const failure = await switchTo(to)
    // Anew from the start: nothing of the other workspace may stay on the page.
    if (failure) toast.error(failure)
    else window.location.assign('/')
  }

  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <button
            type="button"
            disabled={leaving}
            className="flex w-full items-center gap-2 rounded-md p-2 text-left text-[12.5px] hover:bg-muted touch:min-h-11"
          >
            <span
              aria-hidden
              className="grid size-6 shrink-0 place-items-center rounded-full bg-accent font-semibold text-[11px] text-accent-foreground"
            >
              {initials(viewer.name)}
            </span>
            <span className="min-w-0 flex-1 truncate text-muted-foreground">
              {leaving ? 'Signing out' : `${viewer.name} · ${roleWords[viewer.role]}`}
            </span>
            <ChevronsUpDown aria-hidden className="size-3.5 text-muted-foreground" />
          </button>
        </DropdownMenuTrigger>
        <DropdownMenuContent side="top" align="start" className="w-60">
          <DropdownMenuLabel className="truncate">{viewer.email}</DropdownMenuLabel>
          {workspaces.length > 1 && (
            <>
              <DropdownMenuSeparator />
              <DropdownMenuLabel>Workspace</DropdownMenuLabel>
              <DropdownMenuRadioGroup
                aria-label="Workspace"
                value={workspace.id}
                onValueChange={(id) => void enter(id)}
                className="max-h-60 overflow-y-auto"
              >
                {workspaces.map(({ id, name }) => (
                  <DropdownMenuRadioItem key={id} value={id}>
                    <bdi className="truncate">{name}</bdi>
                  </DropdownMenuRadioItem>
                ))}
              </DropdownMenuRadioGroup>
            </>
          )}
          {can(viewer, 'workspace.own') && (
            <DropdownMenuItem onSelect={() => setNaming(true)}>
              <Plus />
              New workspace…
            </DropdownMenuItem>
          )}
          <DropdownMenuSeparator />
          <DropdownMenuLabel>Look</DropdownMenuLabel>
          <DropdownMenuRadioGroup
            value={chosen}
            onValueChange={(value) => {
              const next = parseTheme(value)
              setChosen(next)
              setTheme(next)
            }}
          >
            {(Object.keys(themeWords) as Theme[]).map((one) => (
              <DropdownMenuRadioItem key={one} value={one}>
                {themeWords[one]}
              </DropdownMenuRadioItem>
            ))}
          </DropdownMenuRadioGroup>
          <DropdownMenuSeparator />
          <DropdownMenuItem asChild>
            <Link href={'/account' as Route}>
              <UserRound />
              Your account
            </Link>
          </DropdownMenuItem>
          <DropdownMenuItem asChild>
            <Link href={'/about' as Route}>
              <Info />
              About the answers
            </Link>
          </DropdownMenuItem>
          <DropdownMenuItem onSelect={() => leave(signOut)}>
            <LogOut />
            Sign out
          </DropdownMenuItem>
          <DropdownMenuItem onSelect={() => setConfirming(true)}>
            <MonitorSmartphone />
            Sign out everywhere
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
      <NewWorkspace open={naming} onOpenChange={setNaming} create={createWorkspace} />
      <AlertDialog open={confirming} onOpenChange={setConfirming}>
        <AlertDialogContent>
          <AlertDialogTitle>Sign out on every device?</AlertDialogTitle>
          <AlertDialogDescription>
            Every session of {viewer.email} ends at once, this one too. You then sign in again with your password.
          </AlertDialogDescription>
          <AlertDialogFooter>
            <AlertDialogCancel />
            <AlertDialogAction onClick={() => leave(signOutEverywhere)}>Sign out everywhere</AlertDialogAction>
          </AlertDialogFooter>
        </AlertDialogContent>
      </AlertDialog>
    </>
  )
}
