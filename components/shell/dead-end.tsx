import type { ReactNode } from 'react'
import { Brand } from './brand.tsx'

/** A page that cannot go on: what happened and what to do next. */
export const DeadEnd = ({ title, children, actions }: { title: string; children: ReactNode; actions: ReactNode }) => (
  <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-2 px-6 py-10">
    <Brand className="mb-6" />
    <h1 className="font-semibold text-xl">{title}</h1>
    <div className="text-muted-foreground">{children}</div>
    <div className="mt-4 flex flex-wrap gap-2">{actions}</div>
  </main>
)
