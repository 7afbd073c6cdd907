import type { ReactNode } from 'react'
import { Brand } from '#components/shell/brand.tsx'

/** A page for people who are not signed in: one narrow column with one thing to do. */
export const EntryPage = ({ title, children }: { title: string; children: ReactNode }) => (
  <main className="mx-auto flex min-h-dvh w-full max-w-[400px] flex-col justify-center px-5 py-10">
    <Brand className="mb-6 text-[22px] [&_sup]:top-[-9px] [&_sup]:text-xs" />
    <h1 className="mb-5 font-semibold text-xl">{title}</h1>
    {children}
  </main>
)
