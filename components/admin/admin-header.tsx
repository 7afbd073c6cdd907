import type { ReactNode } from 'react'
import { ShellMenuButton } from '#components/shell/shell.tsx'

/** The bar on top of an admin page: where one is, what is there, what one can do. */
export const AdminHeader = ({ children, actions }: { children: ReactNode; actions?: ReactNode }) => (
  <header className="flex min-h-[52px] shrink-0 items-center gap-2.5 border-b px-5 py-2 max-sm:gap-1 max-sm:px-4">
    <ShellMenuButton />
    <div className="flex min-w-0 flex-1 items-center gap-2.5">{children}</div>
    {actions}
  </header>
)

export const AdminTitle = ({ children }: { children: ReactNode }) => (
  <h1 className="truncate font-semibold text-[15px]">{children}</h1>
)
