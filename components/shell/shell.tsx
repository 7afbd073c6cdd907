'use client'
import {
  Activity,
  Archive,
  Cable,
  CircleDollarSign,
  FileText,
  FolderSync,
  HeartPulse,
  KeyRound,
  Library,
  Menu,
  OctagonPause,
  Plus,
  Scale,
  ScrollText,
  SearchCode,
  ShieldCheck,
  SlidersHorizontal,
  Users,
  Waypoints,
} from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { usePathname, useRouter } from 'next/navigation'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { Sheet, SheetContent, SheetTitle } from '#components/ui/sheet.tsx'
import type { Theme } from '#components/ui/theme.ts'
import type { ChatSummary } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import type { Notice } from '#lib/shared/incidents-contract.ts'
import { openReviewsWords } from '#lib/shared/open-reviews.ts'
import { can, type Permission, type Viewer } from '#lib/shared/viewer.ts'
import { Brand } from './brand.tsx'
import { type ChatActions, ChatList } from './chat-list.tsx'
import { IncidentBanner } from './incident-banner.tsx'
import type { CreateWorkspace } from './new-workspace.tsx'
import { NotificationsBell } from './notifications-bell.tsx'
import type { ShownWorkspace } from './shown-workspace.ts'
import { useHydrated } from './use-hydrated.ts'
import { ViewerMenu } from './viewer-menu.tsx'
import { WorkspaceGuard } from './workspace-guard.tsx'

/** Of one `byGrants` a role is not all that opens it. */
type Place = {
  title: string
  href: Route
  icon: typeof FileText
  permission: Permission
  byGrants?: true
  /** How much waits there. */
  count?: 'openReviews'
}

/** Only pages that exist; a group appears with its first page. */
const groups: { title: string; places: Place[] }[] = [
  {
    title: 'Work',
    places: [
      {
        title: 'Review',
        href: '/review' as Route,
        icon: ShieldCheck,
        permission: 'review.decide',
        count: 'openReviews',
      },
      {
        title: 'Documents',
        href: '/admin/documents' as Route,
        icon: FileText,
        permission: 'document.manage',
        byGrants: true,
      },
      { title: 'Sources', href: '/admin/sources' as Route, icon: FolderSync, permission: 'document.manage' },
    ],
  },
  {
    title: 'See',
    places: [
      { title: 'Retrieval', href: '/admin/retrieval' as Route, icon: SearchCode, permission: 'document.manage' },
      { title: 'Graph', href: '/admin/graph' as Route, icon: Waypoints, permission: 'document.manage' },
      { title: 'Traces', href: '/admin/traces' as Route, icon: Activity, permission: 'trace.read' },
      { title: 'Costs', href: '/admin/costs' as Route, icon: CircleDollarSign, permission: 'cost.read' },
      { title: 'Health', href: '/admin/health' as Route, icon: HeartPulse, permission: 'health.read' },
    ],
  },
  {
    title: 'Govern',
    places: [
      { title: 'Members', href: '/admin/members' as Route, icon: Users, permission: 'member.manage' },
      { title: 'Access', href: '/admin/access' as Route, icon: KeyRound, permission: 'access.manage' },
      { title: 'Audit log', href: '/admin/audit' as Route, icon: ScrollText, permission: 'audit.read' },
      { title: 'Policy', href: '/admin/policy' as Route, icon: Scale, permission: 'policy.manage' },
      { title: 'Retention', href: '/admin/retention' as Route, icon: Archive, permission: 'record.manage' },
      { title: 'Incidents', href: '/admin/incidents' as Route, icon: OctagonPause, permission: 'incident.manage' },
    ],
  },
  {
    title: 'Set up',
    places: [
      { title: 'Knowledge', href: '/admin/knowledge' as Route, icon: Library, permission: 'model.manage' },
      { title: 'Models', href: '/admin/models' as Route, icon: Cable, permission: 'model.manage' },
    ],
  },
]

type ShellViewer = Pick<Viewer, 'name' | 'email' | 'role'> & {
  /** By role or by grants. */
  changesDocuments: boolean
  /** How many answers wait for this person's decision. */
  openReviews?: number
}
type ShellActions = ChatActions & {
  signOut: () => Promise<void>
  signOutEverywhere: () => Promise<void>
  createWorkspace: CreateWorkspace
}
export type ShellProps = {
  viewer: ShellViewer
  section: 'chat' | 'admin'
  /** The workspace that is shown, and all that the viewer may enter. */
  workspace: ShownWorkspace
  workspaces: readonly ShownWorkspace[]
  /** For the history; the admin screens leave it out. */
  chats?: readonly ChatSummary[]
  theme: Theme
  /** What is switched off as the page is made. */
  notices: readonly Notice[]
  actions: ShellActions
  children: ReactNode
}

const RailControl = createContext<{ open: () => void } | null>(null)
const ReviewCount = createContext<(open: number) => void>(() => undefined)

/** Tells the rail how many answers wait, by who has just learned it; null: they do not know. */
export const useTellOpenReviews = (open: number | null): void => {
  const tell = useContext(ReviewCount)
  useEffect(() => {
    if (open !== null) tell(open)
  }, [open, tell])
}

/** Opens the rail where it is a sheet; for the start of a page's header. Nothing where the rail is always there. */
export const ShellMenuButton = () => {
  const rail = useContext(RailControl)
  if (!rail) return null
  return (
    <Button variant="ghost" size="icon" aria-label="Open the menu" className="-ml-2 md:hidden" onClick={rail.open}>
      <Menu />
    </Button>
  )
}

const placeClasses = (current: boolean) =>
  cn(
    'flex items-center gap-[9px] rounded-md px-2 py-1.5 hover:bg-muted touch:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:stroke-[1.75]',
    current && 'bg-accent font-medium text-accent-foreground hover:bg-accent',
  )

const PlaceLink = ({ place, viewer, onNavigate }: { place: Place; viewer: ShellViewer; onNavigate: () => void }) => {
  const pathname = usePathname()
  const inside = pathname === place.href || pathname.startsWith(`${place.href}/`)
  const waiting = place.count && viewer[place.count]
  return (
    <Link
      href={place.href}
      onClick={onNavigate}
      aria-current={inside ? (pathname === place.href ? 'page' : 'true') : undefined}
      className={placeClasses(inside)}
    >
      <place.icon aria-hidden />
      {place.title}
      {waiting ? (
        <Badge variant="warning" className="ml-auto">
          {openReviewsWords(waiting)}
          <span className="sr-only"> open</span>
        </Badge>
      ) : null}
    </Link>
  )
}

/** The places that the viewer may open, in their groups. */
const placesOf = (viewer: ShellViewer) =>
  groups
    .map((group) => ({
      ...group,
      places: group.places.filter(
        ({ permission, byGrants }) => can(viewer, permission) || (byGrants && viewer.changesDocuments),
      ),
    }))
    .filter(({ places }) => places.length > 0)

const isMac = () => /mac|iphone|ipad/i.test(navigator.platform)

type RailProps = Omit<ShellProps, 'children' | 'notices'> & { onNavigate: () => void }

const Rail = ({ viewer, section, workspace, workspaces, chats = [], theme, actions, onNavigate }: RailProps) => {
  const pathname = usePathname()
  const hydrated = useHydrated()
  const allowed = placesOf(viewer)
  const places = allowed.flatMap((group) => group.places)
  const counted = places.filter(({ count }) => count)
  const [first, second] = places.filter(({ count }) => !count)
  return (
    <>
      {/* As a sheet it has its own button to close it in the corner. */}
      <div className="mb-3 flex items-center justify-between max-md:pr-11">
        <Link href="/" onClick={onNavigate} className="rounded-md px-2 py-0.5">
          <Brand />
        </Link>
        <NotificationsBell onNavigate={onNavigate} />
      </div>
      <Link
        href="/"
        onClick={onNavigate}
        aria-current={pathname === '/' ? 'page' : undefined}
        className={placeClasses(pathname === '/')}
      >
        <Plus aria-hidden />
        <span className="flex-1">New question</span>
        <Kbd aria-hidden className="touch:hidden">
          {hydrated && !isMac() ? 'Ctrl K' : '⌘K'}
        </Kbd>
      </Link>
      {section === 'chat' ? (
        <>
          <ChatList chats={chats} actions={actions} onNavigate={onNavigate} />
          {(first || counted.length > 0) && (
            <nav aria-label="Administration" className="border-t py-2">
              {/* Where something waits for this person they are told how much. */}
              {counted.map((place) => (
                <PlaceLink key={place.href} place={place} viewer={viewer} onNavigate={onNavigate} />
              ))}
              {first && second && (
                <Link href={first.href} onClick={onNavigate} className={placeClasses(false)}>
                  <SlidersHorizontal aria-hidden />
                  Administration
                </Link>
              )}
              {/* Who has one place is told which. */}
              {first && !second && <PlaceLink place={first} viewer={viewer} onNavigate={onNavigate} />}
            </nav>
          )}
        </>
      ) : (
        <nav aria-label="Administration" className="min-h-0 flex-1 overflow-y-auto">
          {allowed.map((group) => (
            <div key={group.title}>
              <h3 className="px-2 pt-4 pb-1 font-medium text-[11.5px] text-muted-foreground tracking-normal">
                {group.title}
              </h3>
              {group.places.map((place) => (
                <PlaceLink key={place.href} place={place} viewer={viewer} onNavigate={onNavigate} />
              ))}
            </div>
          ))}
        </nav>
      )}
      <ViewerMenu
        viewer={viewer}
        theme={theme}
        workspace={workspace}
        workspaces={workspaces}
        createWorkspace={actions.createWorkspace}
        signOut={actions.signOut}
        signOutEverywhere={actions.signOutEverywhere}
      />
    </>
  )
}

/**
 * The frame of every signed-in page: a rail that is a sheet on phones, and the page in `main`, which is exactly as high as the
 * window so that a page decides itself what scrolls. The shortcut for a new question works everywhere inside it.
 */
export const Shell = ({ children, notices, viewer, ...others }: ShellProps) => {
  const router = useRouter()
  const [openReviews, setOpenReviews] = useState(viewer.openReviews ?? 0)
  useEffect(() => setOpenReviews(viewer.openReviews ?? 0), [viewer.openReviews])
  const rail = { ...others, viewer: { ...viewer, openReviews } }
  const [open, setOpen] = useState(false)
  const control = useMemo(() => ({ open: () => setOpen(true) }), [])

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return
      event.preventDefault()
      router.push('/')
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [router])

  return (
    <RailControl value={control}>
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-primary px-3 py-2 text-primary-foreground focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <div className="flex h-dvh">
        <header className="hidden w-[264px] shrink-0 flex-col border-r bg-sidebar px-2.5 pt-3.5 pb-2.5 md:flex print:hidden">
          <Rail {...rail} onNavigate={() => undefined} />
        </header>
        <Sheet open={open} onOpenChange={setOpen}>
          <SheetContent side="left" aria-describedby={undefined} className="bg-sidebar px-2.5 pt-3.5 pb-2.5 md:hidden">
            <SheetTitle className="sr-only">Menu</SheetTitle>
            <Rail {...rail} onNavigate={() => setOpen(false)} />
          </SheetContent>
        </Sheet>
        <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col outline-none">
          <WorkspaceGuard workspace={rail.workspace} />
          <IncidentBanner initial={notices} />
          <ReviewCount value={setOpenReviews}>{children}</ReviewCount>
        </main>
      </div>
    </RailControl>
  )
}
