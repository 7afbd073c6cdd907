'use client'
/** A window on the passages of a document: some pages of them, one after the other, never the whole. */
import { useCallback, useEffect, useState } from 'react'
import type { ActionResult } from '#lib/shared/errors.ts'
import { type PassagePage, passagesPerPage } from '#lib/shared/knowledge-contract.ts'

export type LoadPassages = (input: { versionId: string; ordinal: number }) => Promise<ActionResult<PassagePage>>

/** Pages that are held at once; the farthest one goes when another comes. */
const pagesMax = 4
const unreachable = 'Footnote could not be reached. Check the connection and try again.'
const replaced = 'Another version of this document has been published. Reload the page to see it.'

type Target = { ordinal: number }

/** `at`: the ordinal that is brought into view first. */
export const usePassages = (versionId: string, initial: PassagePage, at: number | null, load: LoadPassages) => {
  const [pages, setPages] = useState<readonly PassagePage[]>([initial])
  const [problem, setProblem] = useState<string | null>(null)
  const [loading, setLoading] = useState(false)
  // An object of its own each time: going to the same passage again scrolls again.
  const [target, setTarget] = useState<Target | null>(at === null ? null : { ordinal: at })

  const fetchPage = useCallback(
    async (ordinal: number): Promise<PassagePage | null> => {
      setLoading(true)
      const result = await load({ versionId, ordinal }).catch(() => null)
      setLoading(false)
      const page = result?.ok && result.value.passages.length > 0 ? result.value : null
      setProblem(page ? null : result?.ok ? replaced : (result?.error.message ?? unreachable))
      return page
    },
    [load, versionId],
  )

  const goTo = useCallback(
    async (ordinal: number): Promise<void> => {
      if (!pages.some(({ from }) => ordinal >= from && ordinal < from + passagesPerPage)) {
        const page = await fetchPage(ordinal)
        if (!page) return
        setPages([page])
      }
      setTarget({ ordinal })
    },
    [pages, fetchPage],
  )

  const first = pages[0]?.from ?? 0
  const next = (pages.at(-1)?.from ?? 0) + passagesPerPage
  const earlier = async (): Promise<void> => {
    const page = await fetchPage(first - 1)
    if (page) setPages((now) => [page, ...now].slice(0, pagesMax))
  }
  const later = async (): Promise<void> => {
    const page = await fetchPage(next)
    if (page) setPages((now) => [...now, page].slice(-pagesMax))
  }

  /** What is released once is released wherever it stands. */
  const release = (contentHash: string): void =>
    setPages((now) =>
      now.map((page) => ({
        ...page,
        passages: page.passages.map((one) => (one.contentHash === contentHash ? { ...one, held: false } : one)),
      })),
    )

  useEffect(() => {
    if (target) document.getElementById(String(target.ordinal + 1))?.scrollIntoView({ block: 'start' })
  }, [target])

  return {
    passages: pages.flatMap((page) => page.passages),
    first,
    next,
    current: target?.ordinal ?? null,
    problem,
    loading,
    goTo,
    earlier,
    later,
    release,
  }
}
