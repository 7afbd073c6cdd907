import type { Viewer } from '#lib/shared/viewer.ts'

type Named = { id: string; name: string }

/** What the shell needs to know of workspaces: the one that is shown, and all that the viewer may enter, without their roles there. */
export const shownWorkspaces = (
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  own: readonly Named[],
): { workspace: Named; workspaces: Named[] } => {
  const workspaces = own.map(({ id, name }) => ({ id, name }))
  return {
    workspace: workspaces.find(({ id }) => id === workspaceId) ?? { id: workspaceId, name: 'Footnote' },
    workspaces,
  }
}
