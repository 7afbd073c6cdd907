'use client'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { attempt } from './models-form.ts'
import { useOpener } from './use-opener.ts'

/** Runs an action from a list or a question, says what happened (null: it is seen) or what did not and why, and reads the page anew. */
export type Act = (run: Promise<ActionResult<null>>, done: string | null, undone: string) => Promise<void>

/**
 * What stands over a list: a panel that makes or changes a thing, and a question before something is taken away. `reload` reads the list
 * anew where that is more than the page itself.
 */
export const usePanels = <Panel, Question>(reload?: () => Promise<void>) => {
  const router = useRouter()
  const readAnew = reload ?? (async () => router.refresh())
  const [panel, setPanel] = useState<Panel | null>(null)
  const [question, setQuestion] = useState<Question | null>(null)
  const opener = useOpener()
  const act: Act = async (run, done, undone) => {
    const result = await attempt(run)
    if ('error' in result) toast.error(undone, { description: result.error })
    else if (done) toast(done)
    await readAnew()
  }
  return {
    panel,
    question,
    open: (next: Panel) => {
      opener.remember()
      setPanel(() => next)
    },
    ask: (next: Question) => {
      opener.remember()
      setQuestion(() => next)
    },
    close: () => setPanel(null),
    closeQuestion: () => setQuestion(null),
    /** After a panel has done its work. */
    saved: (words: string) => {
      setPanel(null)
      toast(words)
      void readAnew()
    },
    act,
    giveBack: opener.giveBack,
  }
}
