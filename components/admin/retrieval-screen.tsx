'use client'
import { BookmarkPlus } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { ScopeCollection } from '#components/chat/scope-picker.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Skeleton } from '#components/ui/skeleton.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount, formatDuration } from '#lib/shared/format.ts'
import type { RetrievalSettings } from '#lib/shared/gateway-settings.ts'
import type { FilterChoices, GoldenInput, GoldenQuestion } from '#lib/shared/knowledge-contract.ts'
import {
  type RetrievalQuestion,
  type RetrievalReport,
  type StageCandidate,
  type StageName,
  stageNames,
} from '#lib/shared/retrieval-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { Figure, Figures } from './figures.tsx'
import { GoldenQuestions, type RunGolden } from './golden-questions.tsx'
import { type BenchQuestion, readBench, writeBench } from './retrieval-address.ts'
import { pairStages } from './retrieval-compare.ts'
import { RetrievalForm } from './retrieval-form.tsx'
import { RetrievalStages } from './retrieval-stages.tsx'
import { useAddress } from './use-address.ts'

export type BenchActions = {
  explain: (question: RetrievalQuestion) => Promise<ActionResult<RetrievalReport>>
  saveGolden: (input: GoldenInput) => Promise<ActionResult<GoldenQuestion[]>>
  deleteGolden: (input: { id: string }) => Promise<ActionResult<null>>
  runGolden: RunGolden
}

const unreachable = 'Footnote could not be reached. Check the connection and try again.'
const quoteCharsMax = 400

type Search =
  | { state: 'none' }
  | { state: 'running' }
  | { state: 'failed'; message: string }
  | { state: 'done'; asked: BenchQuestion; first: RetrievalReport; second: RetrievalReport | null }

/** Searches what the address asks, with one configuration after the other, and again when somebody wants it once more. */
const useSearch = (asked: BenchQuestion, explain: BenchActions['explain']): { search: Search; again: () => void } => {
  const [search, setSearch] = useState<Search>({ state: 'none' })
  const [times, setTimes] = useState(0)
  const key = JSON.stringify(asked)
  const turn = useRef(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: `times` asks the same once more
  useEffect(() => {
    turn.current += 1
    const mine = turn.current
    const { question, collectionIds, filter, second }: BenchQuestion = JSON.parse(key)
    if (!question) return setSearch({ state: 'none' })
    const ask = async (): Promise<Search> => {
      const where = { question, collectionIds, filter }
      const reports: RetrievalReport[] = []
      for (const configuration of [{}, ...(second ? [{ configuration: second }] : [])]) {
        const result = await explain({ ...where, ...configuration }).catch(() => null)
        if (!result?.ok) return { state: 'failed', message: result?.error.message ?? unreachable }
        reports.push(result.value)
      }
      const [first, other = null] = reports
      return first
        ? { state: 'done', asked: { ...where, second }, first, second: other }
        : { state: 'failed', message: unreachable }
    }
    setSearch({ state: 'running' })
    void ask().then((ended) => turn.current === mine && setSearch(ended))
    return () => {
      turn.current += 1
    }
  }, [key, explain, times])

  return { search, again: useCallback(() => setTimes((now) => now + 1), []) }
}

const both = (first: string, second: string | null): string => (second === null ? first : `${first} | ${second}`)

const ResultFigures = ({ first, second }: { first: RetrievalReport; second: RetrievalReport | null }) => {
  const evidence = (report: RetrievalReport): string =>
    formatCount(report.stages.find(({ stage }) => stage === 'pack')?.candidates.length ?? 0)
  const of = (value: (report: RetrievalReport) => string): string => both(value(first), second && value(second))
  return (
    <Figures label="Result">
      <Figure
        title="Anything that answers it"
        value={of(({ found }) => (found ? 'Found' : 'Not found'))}
        note={second ? 'The workspace’s configuration | the other' : undefined}
      />
      <Figure title="Passages for the answer" value={of(evidence)} />
      <Figure title="Time" value={of(({ ms }) => formatDuration(ms))} />
      <Figure title="Encoder" value={first.encoder} />
    </Figures>
  )
}

/** Words of a passage that stand for it in a golden question; the ellipsis of a shortened text is not among them. */
const quoteOf = ({ text }: StageCandidate): string => text.replace(/…$/, '').slice(0, quoteCharsMax).trim()

type RetrievalScreenProps = {
  own: RetrievalSettings
  collections: readonly ScopeCollection[]
  choices: FilterChoices
  golden: readonly GoldenQuestion[]
  actions: BenchActions
}

/** The bench: one question, every stage of its search, one or two configurations, and what is known to be right. */
export const RetrievalScreen = ({ own, collections, choices, golden: initial, actions }: RetrievalScreenProps) => {
  const address = useAddress()
  const asked = readBench(address.get, own)
  const { search, again } = useSearch(asked, actions.explain)
  const [golden, setGolden] = useState(initial)
  const [ticked, setTicked] = useState<ReadonlyMap<string, StageCandidate>>(new Map())
  const [saving, setSaving] = useState(false)

  const ask = (question: BenchQuestion) => {
    setTicked(new Map())
    const next = writeBench(question, own)
    // An address that stays as it is makes nothing search again.
    if (Object.entries(next).every(([name, value]) => address.get(name) === value)) again()
    else address.set(next, 'push')
  }

  const named = address.get('stage')
  const open = new Set<StageName>(
    named === null ? ['pack'] : stageNames.filter((one) => named.split(',').includes(one)),
  )
  const toggle = (stage: StageName) => {
    const next = stageNames.filter((one) => (one === stage ? !open.has(one) : open.has(one)))
    address.set({ stage: next.join(',') || 'none' })
  }

  const done = search.state === 'done' ? search : null
  const pairs = useMemo(() => (done ? pairStages(done.first, done.second) : []), [done])
  const ticks = {
    chosen: new Set(ticked.keys()),
    toggle: (candidate: StageCandidate) => {
      const next = new Map(ticked)
      if (!next.delete(candidate.chunkId)) next.set(candidate.chunkId, candidate)
      setTicked(next)
    },
  }

  const save = async () => {
    if (!done) return
    setSaving(true)
    const expected = [...ticked.values()].map((one) => ({ documentId: one.documentId, quote: quoteOf(one) }))
    const result = await actions.saveGolden({ question: done.asked.question, expected }).catch(() => null)
    setSaving(false)
    if (!result?.ok)
      return toast.error('The question was not saved', { description: result?.error.message ?? unreachable })
    setGolden(result.value)
    setTicked(new Map())
    toast.success('Saved to the golden set')
  }

  const remove = async (one: GoldenQuestion) => {
    setGolden((now) => now.filter(({ id }) => id !== one.id))
    const result = await actions.deleteGolden({ id: one.id }).catch(() => null)
    if (result?.ok) return
    setGolden((now) => (now.some(({ id }) => id === one.id) ? now : [...now, one]))
    toast.error('The question was not deleted', { description: result?.error.message ?? unreachable })
  }

  return (
    <>
      <AdminHeader>
        <AdminTitle>Retrieval</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <RetrievalForm
          asked={asked}
          own={own}
          collections={collections}
          choices={choices}
          busy={search.state === 'running'}
          onAsk={ask}
        />
        <section aria-label="What was found" aria-busy={search.state === 'running'}>
          <p role="status" className="sr-only">
            {search.state === 'running' && 'Searching'}
            {done &&
              (done.first.found ? 'The search has ended.' : 'The search has ended. Nothing answers the question.')}
          </p>
          {search.state === 'none' && (
            <EmptyState title="See how a question finds its passages">
              Each stage shows its candidates, their scores and how far they moved. A second configuration stands beside
              the workspace’s own, and nothing is changed by trying it.
            </EmptyState>
          )}
          {search.state === 'running' && (
            <div className="flex flex-col gap-2 px-5 py-4 max-sm:px-4">
              <Skeleton className="h-12" />
              <Skeleton className="h-9" />
              <Skeleton className="h-9" />
              <Skeleton className="h-9" />
            </div>
          )}
          {search.state === 'failed' && (
            <div role="alert" className="px-5 py-4 max-sm:px-4">
              <p className="mb-3 text-[13px] text-destructive">The question was not searched. {search.message}</p>
              <Button size="sm" onClick={again}>
                Try again
              </Button>
            </div>
          )}
          {done && (
            <>
              <ResultFigures first={done.first} second={done.second} />
              <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-5 py-2.5 max-sm:px-4">
                <p className="min-w-0 flex-1 basis-64 text-[13px] text-muted-foreground">
                  {ticked.size === 0
                    ? 'Tick the passages that answer the question to save it to the golden set.'
                    : `${formatCount(ticked.size)} ${ticked.size === 1 ? 'passage is' : 'passages are'} right.`}
                </p>
                <Button
                  size="sm"
                  disabled={saving || ticked.size === 0 || ticked.size > 20}
                  onClick={() => void save()}
                >
                  <BookmarkPlus />
                  Save to golden set
                </Button>
              </div>
              <h2 className="sr-only">Stages</h2>
              <RetrievalStages
                pairs={pairs}
                compared={done.second !== null}
                open={open}
                onToggle={toggle}
                ticks={ticks}
              />
            </>
          )}
        </section>
        <GoldenQuestions
          questions={golden}
          second={asked.second}
          runGolden={actions.runGolden}
          onAsk={(question) => ask({ ...asked, question })}
          onDelete={(one) => void remove(one)}
        />
      </div>
    </>
  )
}
