import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it, vi } from 'vitest'
import type { Role } from '#lib/shared/viewer.ts'
import { Shell, type ShellProps } from './shell.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined, replace: () => undefined, push: () => undefined }),
  usePathname: () => '/admin/documents',
  useSearchParams: () => new URLSearchParams(),
}))

const none = async () => undefined
const shell = (section: ShellProps['section'], role: Role, changesDocuments: boolean): string => {
  const refuse = async () => ({
    ok: false as const,
    error: { code: 'internal' as const, message: '', retryable: false },
  })
  return renderToStaticMarkup(
    <Shell
      viewer={{ name: 'Ann', email: 'ann@halden.example', role, changesDocuments }}
      section={section}
      workspace={{ id: 'w', name: 'Halden' }}
      workspaces={[]}
      theme="system"
      notices={[]}
      actions={{
        ...{ renameChat: refuse, deleteChat: refuse, createWorkspace: refuse },
        ...{ signOut: none, signOutEverywhere: none },
      }}
    >
      .
    </Shell>,
  )
}
const places = (markup: string): string[] =>
  [...markup.matchAll(/href="(\/admin\/[^"]+)"/g)].map(([, href = '']) => href)

it('shows who looks after documents that one place, by its name, and nothing else of the administration', () => {
  expect(places(shell('admin', 'member', true))).toEqual(['/admin/documents'])
  const beside = shell('chat', 'reviewer', true)
  expect(places(beside)).toEqual(['/admin/documents'])
  expect(beside).toContain('Documents')
  expect(beside).not.toContain('Administration</a>')
})

it('shows a member none, and an admin all, whether or not they look after documents', () => {
  for (const section of ['chat', 'admin'] as const) expect(places(shell(section, 'member', false))).toEqual([])
  const all = places(shell('admin', 'admin', false))
  expect(all).toContain('/admin/documents')
  expect(all.length).toBeGreaterThan(10)
  expect(shell('chat', 'admin', true)).toContain('Administration</a>')
})
