'use client'
import { TriangleAlert } from 'lucide-react'
import { useEffect, useLayoutEffect, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { type ShownWorkspace, sessionWorkspace, showWorkspace, switchTo, watchSession } from './shown-workspace.ts'

/** Says that the session has moved on, and both ways out of it; what is typed stays until the page is loaded anew. */
export const SwitchedBanner = ({
  shown,
  session,
  failure,
  pending,
  onReload,
  onBack,
}: {
  shown: string
  session: string
  failure: string | null
  pending: boolean
  onReload: () => void
  onBack: () => void
}) => (
  <div
    role="alert"
    className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-warning border-b bg-warning/12 px-5 py-2 text-[13px] max-sm:px-4 print:hidden"
  >
    <TriangleAlert aria-hidden className="size-4 shrink-0 text-warning" />
    <p className="min-w-0 flex-1 basis-60">
      This tab shows <bdi className="font-medium">{shown}</bdi>; you have switched to{' '}
      <bdi className="font-medium">{session}</bdi> in another tab. Nothing is saved from here until you go back. What
      you have typed stays.
      {failure && <span className="block text-destructive">{failure}</span>}
    </p>
    <span className="flex flex-wrap gap-2">
      <Button size="sm" aria-disabled={pending} onClick={onBack}>
        <span className="max-w-48 truncate">
          Go back to <bdi>{shown}</bdi>
        </span>
      </Button>
      <Button size="sm" aria-disabled={pending} onClick={onReload}>
        Reload in <bdi className="ml-1 max-w-40 truncate">{session}</bdi>
      </Button>
    </span>
  </div>
)

/**
 * Keeps a tab from writing into a workspace that it does not show: its requests name the workspace that its shell was made for, and the
 * server refuses them once the session is in another. Stands on top of the page and says so as soon as this tab can know it.
 */
export const WorkspaceGuard = ({ workspace: { id, name } }: { workspace: ShownWorkspace }) => {
  const [session, setSession] = useState<ShownWorkspace | null>(null)
  const [pending, setPending] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)

  // Before any effect of the page below can send something.
  useLayoutEffect(() => showWorkspace({ id, name }), [id, name])
  useEffect(() => {
    const look = () => setSession(sessionWorkspace())
    look()
    return watchSession(look)
  }, [])

  if (!session || session.id === id) return null
  const back = async () => {
    if (pending) return
    setPending(true)
    const fault = await switchTo({ id, name }, session.id)
    setPending(false)
    setFailure(fault)
    if (!fault) setSession({ id, name })
  }
  return (
    <SwitchedBanner
      shown={name}
      session={session.name}
      failure={failure}
      pending={pending}
      onReload={() => window.location.assign('/')}
      onBack={() => void back()}
    />
  )
}
