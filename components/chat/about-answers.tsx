'use client'
import { Info } from 'lucide-react'
import type { ReactNode } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { Button } from '#components/ui/button.tsx'

/** What whoever asks has to know of where answers come from. */
export type AboutAnswers = {
  answerer: { id: string; kind: 'built-in' | 'provider' }
  /** A rule of the workspace may hold an answer for a person. */
  holds: boolean
}

/** That a machine answers, that it can be wrong, and who else reads along: one sentence or two each. */
const saidOf = ({ answerer, holds }: AboutAnswers): { made: string; check: string; people: string } => ({
  made:
    answerer.kind === 'provider'
      ? `You are asking an AI. Answers are written by a language model (${answerer.id}) from documents that you may read.`
      : 'You are asking an AI. It looks for sentences in documents that you may read and quotes them; no language model writes here.',
  check:
    'Answers can be wrong. The number behind a sentence opens the passage that it rests on: check the sources before you use an answer.',
  people: holds
    ? 'Some answers are held back until a person here has checked them. Reviewers may read questions with their answers.'
    : 'Answers are shown before a person has checked them. Reviewers may read questions with their answers afterwards.',
})

/** For a person who has not asked anything here yet, before they do. */
export const FirstUseNotice = ({ about, onDismiss }: { about: AboutAnswers; onDismiss: () => void }) => {
  const { made, check, people } = saidOf(about)
  return (
    <section aria-label="Before you ask" className="mb-6 rounded-lg border bg-card px-3.5 py-3 text-left">
      <div className="flex gap-2.5">
        <Info aria-hidden className="mt-0.5 size-4 shrink-0 stroke-[1.75] text-muted-foreground" />
        <div className="min-w-0">
          <p className="break-words font-medium">{made}</p>
          <p className="mt-1 text-muted-foreground">
            {check} {people}
          </p>
          <Button size="sm" className="mt-2.5" onClick={onDismiss}>
            Understood
          </Button>
        </div>
      </div>
    </section>
  )
}

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className="mb-5">
    <h2 className="mb-1 font-semibold text-[15px]">{title}</h2>
    <p className="break-words">{children}</p>
  </section>
)

/** The same at length, for whoever wants to read it again. */
export const AboutAnswersScreen = ({ about }: { about: AboutAnswers }) => {
  const { made, check, people } = saidOf(about)
  return (
    <>
      <AdminHeader>
        <AdminTitle>About the answers</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="max-w-[720px] px-5 py-5 max-sm:px-4">
          <Part title="Who answers">{made}</Part>
          <Part title="What to do with an answer">
            {check} Each answer names the model that made it. Where the documents say nothing, it says so and shows the
            nearest ones.
          </Part>
          <Part title="Who else reads it">
            {people} Admins see how an answer came about. An answer that a person has checked says so.
          </Part>
          <Part title="When one is wrong">
            The thumbs below an answer tell the people here what is wrong with it. Each answer is also checked by the
            machine against what it cites, and what is not supported is marked.
          </Part>
        </div>
      </div>
    </>
  )
}
