'use client'
/** The summary that is asked for in a conversation: one at a time, followed until it has ended, found again after a reload. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { ActionResult, PublicError } from '#lib/shared/errors.ts'
import type { SummaryOf, SummaryRun } from '#lib/shared/summary-contract.ts'

export type SummaryActions = {
  summariseChat: (input: { chatId: string }) => Promise<ActionResult<SummaryRun>>
  summariseSelection: (input: { chatId: string; title: string; text: string }) => Promise<ActionResult<SummaryRun>>
}

export type SummaryAsked = { of: 'chat' } | { of: 'selection'; title: string; text: string }

type ShownSummary = {
  of: SummaryOf
  /** Null after a reload, when the server alone knows what was marked. */
  asked: SummaryAsked | null
  /** Null until the server has taken it. */
  run: SummaryRun | null
  error: PublicError | null
}

const pollMs = 700
const lost: PublicError = {
  code: 'internal',
  message: 'Footnote could not be reached. Check the connection and try again.',
  retryable: true,
}

const askServer = (actions: SummaryActions, chatId: string, asked: SummaryAsked): Promise<ActionResult<SummaryRun>> =>
  (asked.of === 'chat'
    ? actions.summariseChat({ chatId })
    : actions.summariseSelection({ chatId, title: asked.title, text: asked.text })
  ).catch(() => ({ ok: false, error: lost }))

const lookAt = async (runId: string, signal: AbortSignal): Promise<SummaryRun | null> => {
  const response = await fetch(`/api/summaries/${runId}`, { signal })
  return response.ok ? ((await response.json()) as SummaryRun) : null
}

const shownOf = (run: SummaryRun): ShownSummary => ({
  of: run.of,
  asked: run.of === 'chat' ? { of: 'chat' } : null,
  run,
  error: null,
})

export const useSummary = (chatId: string, actions: SummaryActions, initial: SummaryRun | null) => {
  const [shown, setShown] = useState<ShownSummary | null>(() => (initial ? shownOf(initial) : null))
  const [open, setOpen] = useState(initial !== null)
  const opener = useRef<HTMLElement | null>(null)
  /** Counts what was asked, so that the answer to an older question is dropped. */
  const turn = useRef(0)

  const ask = useCallback(
    async (asked: SummaryAsked, from: HTMLElement | null = opener.current): Promise<void> => {
      opener.current = from
      turn.current += 1
      const mine = turn.current
      setShown({ of: asked.of, asked, run: null, error: null })
      setOpen(true)
      const result = await askServer(actions, chatId, asked)
      if (turn.current !== mine) return
      setShown({
        of: asked.of,
        asked,
        run: result.ok ? result.value : null,
        error: result.ok ? null : result.error,
      })
    },
    [actions, chatId],
  )

  const run = shown?.run
  const following = run?.state === 'running' ? run.id : null
  useEffect(() => {
    if (!following) return
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const poll = async (): Promise<void> => {
      // A look that fails is followed by the next one: the work goes on without us.
      const now = await lookAt(following, abort.signal).catch(() => null)
      if (abort.signal.aborted) return
      if (now) setShown((before) => (before?.run?.id === now.id ? { ...before, run: now, error: now.error } : before))
      if (!now || now.state === 'running') timer = setTimeout(poll, pollMs)
    }
    timer = setTimeout(poll, pollMs)
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [following])

  const again = shown?.asked
  return {
    shown,
    open,
    /** Being made while its panel is closed. */
    aside: !open && following !== null,
    ask,
    reopen: useCallback(() => setOpen(true), []),
    close: useCallback(() => setOpen(false), []),
    opener,
    /** Null when what was asked cannot be asked again from here. */
    tryAgain: again ? () => void ask(again) : null,
  }
}

export type Summary = ReturnType<typeof useSummary>
