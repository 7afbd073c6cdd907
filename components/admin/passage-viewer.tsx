'use client'
import { ChevronDown, ChevronUp, Scissors } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { type FormEvent, useCallback, useEffect, useMemo, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import {
  type ChunkPreviewResult,
  findsMax,
  type PassageDocument,
  type PassagePage,
  type ShownPassage,
} from '#lib/shared/knowledge-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { alignCuttings } from './cutting-diff.ts'
import { PassagePreview, type PreviewActions } from './passage-preview.tsx'
import { PassageText, TriedPassageText } from './passage-text.tsx'
import { ReleaseDialog } from './release-dialog.tsx'
import { type LoadPassages, usePassages } from './use-passages.ts'

export type PassageActions = PreviewActions & {
  loadPassages: LoadPassages
  findPassages: (input: { versionId: string; words: string }) => Promise<ActionResult<number[]>>
  releasePassage: (input: { documentId: string; contentHash: string }) => Promise<ActionResult<null>>
}

const unreachable = 'Footnote could not be reached. Check the connection and try again.'

type Finds = { words: string; ordinals: readonly number[]; at: number }

const findsInWords = ({ ordinals, at }: Finds): string => {
  if (ordinals.length === 0) return 'Not in this document'
  const all = ordinals.length >= findsMax ? `${formatCount(findsMax)} or more` : formatCount(ordinals.length)
  return `${formatCount(at + 1)} of ${all} ${ordinals.length === 1 ? 'passage' : 'passages'}`
}

type FinderProps = {
  versionId: string
  find: PassageActions['findPassages']
  onFinds: (finds: Finds | null) => void
  finds: Finds | null
}

/** Looks for words in the whole document; Enter goes on to the next passage that holds them. */
const Finder = ({ versionId, find, finds, onFinds }: FinderProps) => {
  const [words, setWords] = useState('')
  const step = (by: number) => {
    if (!finds || finds.ordinals.length === 0) return
    onFinds({ ...finds, at: (finds.at + by + finds.ordinals.length) % finds.ordinals.length })
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const wanted = words.trim()
    if (!wanted) return onFinds(null)
    if (finds?.words === wanted) return step(1)
    const result = await find({ versionId, words: wanted }).catch(() => null)
    if (result?.ok) onFinds({ words: wanted, ordinals: result.value, at: 0 })
    else toast.error('The document was not searched', { description: result?.error.message ?? unreachable })
  }
  return (
    <search className="min-w-0 max-sm:w-full">
      <form className="flex flex-wrap items-center gap-1.5" onSubmit={(event) => void submit(event)}>
        <Input
          type="search"
          aria-label="Find words in this document"
          placeholder="Find words"
          maxLength={200}
          className="w-52 max-sm:min-w-0 max-sm:flex-1"
          value={words}
          onChange={(event) => {
            setWords(event.target.value)
            if (!event.target.value) onFinds(null)
          }}
        />
        <Button type="submit" className="sr-only focus:not-sr-only">
          Find
        </Button>
        {finds && finds.ordinals.length > 1 && (
          <>
            <Button size="icon" aria-label="The passage before that holds it" onClick={() => step(-1)}>
              <ChevronUp />
            </Button>
            <Button size="icon" aria-label="The next passage that holds it" onClick={() => step(1)}>
              <ChevronDown />
            </Button>
          </>
        )}
        <span role="status" className="num text-[13px] text-muted-foreground">
          {finds && findsInWords(finds)}
        </span>
      </form>
    </search>
  )
}

const GoTo = ({ passages, onGo }: { passages: number; onGo: (ordinal: number) => void }) => {
  const [typed, setTyped] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const number = Number(typed)
    if (Number.isInteger(number) && number >= 1 && number <= passages) onGo(number - 1)
  }
  return (
    <form className="flex items-center gap-1.5" onSubmit={submit}>
      <Input
        inputMode="numeric"
        autoComplete="off"
        aria-label={`Number of a passage, 1 to ${passages}`}
        placeholder="Number"
        className="num w-24"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Button type="submit">Go to passage</Button>
    </form>
  )
}

const DocumentFacts = ({ document }: { document: PassageDocument }) => {
  const { collection, version, pages, language, chunker, figures, newerVersion } = document
  const facts = [
    collection,
    `version ${version}`,
    pages === null ? null : `${formatCount(pages)} ${pages === 1 ? 'page' : 'pages'}`,
    language,
    `${formatCount(figures.passages)} passages of ${formatCount(Math.round(figures.meanTokens))} tokens on average, ${formatCount(figures.maxTokens)} at most`,
    chunker && `cut as ${chunker}`,
  ]
  return (
    <p className="num break-words border-b px-5 py-2 text-[12.5px] text-muted-foreground max-sm:px-4">
      {facts.filter(Boolean).join(' · ')}
      {newerVersion && ' · a newer version is not ready; this one answers questions'}
    </p>
  )
}

type PassageViewerProps = {
  document: PassageDocument
  initial: PassagePage
  /** The ordinal to begin at; null: the beginning. */
  at: number | null
  actions: PassageActions
}

/** A document as it was cut: every passage with its borders, what is known of it, and another cutting beside it. */
export const PassageViewer = ({ document, initial, at, actions }: PassageViewerProps) => {
  const { documentId, versionId, figures } = document
  const shown = usePassages(versionId, initial, at, actions.loadPassages)
  const [finds, setFinds] = useState<Finds | null>(null)
  const [trying, setTrying] = useState(false)
  const [trial, setTrial] = useState<ChunkPreviewResult | null>(null)
  const [asking, setAsking] = useState<ShownPassage | null>(null)
  const { goTo, passages, first, next, current } = shown

  useEffect(() => {
    const follow = (): void => {
      const number = Number(window.location.hash.slice(1))
      if (Number.isInteger(number) && number >= 1 && number <= figures.passages) void goTo(number - 1)
    }
    window.addEventListener('hashchange', follow)
    return () => window.removeEventListener('hashchange', follow)
  }, [goTo, figures.passages])
  // Once: an address that was opened with a number begins there.
  useEffect(() => {
    if (/^#\d+$/.test(window.location.hash)) window.dispatchEvent(new HashChangeEvent('hashchange'))
  }, [])

  const showFinds = useCallback(
    (now: Finds | null) => {
      setFinds(now)
      const ordinal = now?.ordinals[now.at]
      if (ordinal !== undefined) void goTo(ordinal)
    },
    [goTo],
  )

  const release = async ({ contentHash }: ShownPassage) => {
    setAsking(null)
    const result = await actions.releasePassage({ documentId, contentHash }).catch(() => null)
    if (!result?.ok)
      return toast.error('The passage was not released', { description: result?.error.message ?? unreachable })
    shown.release(contentHash)
    toast.success('The passage was released', { description: 'The next question can be answered from it.' })
  }

  const rows = useMemo(() => (trial ? alignCuttings(passages, trial.passages) : null), [passages, trial])
  const triedStarts = useMemo(() => new Set(trial?.passages.map(({ start }) => start)), [trial])
  const storedStarts = useMemo(() => new Set(passages.map(({ start }) => start)), [passages])
  const passageOf = (passage: ShownPassage) => (
    <PassageText
      key={passage.chunkId}
      passage={passage}
      mediaType={document.mediaType}
      words={finds?.words ?? ''}
      current={passage.ordinal === current}
      lost={trial !== null && !triedStarts.has(passage.start)}
      onRelease={setAsking}
    />
  )

  return (
    <>
      <AdminHeader
        actions={
          <Button aria-expanded={trying} onClick={() => setTrying(!trying)}>
            <Scissors />
            <span className="max-sm:sr-only">Try another way of cutting</span>
          </Button>
        }
      >
        <nav aria-label="Path" className="flex shrink-0 gap-2.5 text-muted-foreground max-sm:hidden">
          <Link href={`/admin/documents?document=${documentId}` as Route} className="hover:text-foreground">
            Documents
          </Link>
          <span aria-hidden>/</span>
        </nav>
        <AdminTitle>{document.name}</AdminTitle>
      </AdminHeader>
      <DocumentFacts document={document} />
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b px-5 py-2.5 max-sm:px-4">
        <Finder versionId={versionId} find={actions.findPassages} finds={finds} onFinds={showFinds} />
        <GoTo passages={figures.passages} onGo={(ordinal) => void goTo(ordinal)} />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {trying && (
          <PassagePreview versionId={versionId} now={figures} result={trial} actions={actions} onResult={setTrial} />
        )}
        {shown.problem && (
          <p role="alert" className="border-b px-5 py-2 text-[13px] text-destructive max-sm:px-4">
            {shown.problem}
          </p>
        )}
        {first > 0 && (
          <div className="px-5 py-3 max-sm:px-4">
            <Button size="sm" disabled={shown.loading} onClick={() => void shown.earlier()}>
              Show earlier passages
            </Button>
          </div>
        )}
        <section aria-label="Passages" aria-busy={shown.loading} className={rows ? '' : 'mx-auto max-w-4xl'}>
          {rows
            ? rows.map((row) => (
                <div key={row.start} className="grid border-t-2 lg:grid-cols-2">
                  <div className="min-w-0 lg:border-r">{row.stored.map(passageOf)}</div>
                  <div className="min-w-0">
                    {row.same ? (
                      <p className="px-5 py-3 text-[13px] text-muted-foreground max-sm:px-4">The same passage</p>
                    ) : (
                      row.tried.map((passage) => (
                        <TriedPassageText
                          key={passage.number}
                          passage={passage}
                          fresh={!storedStarts.has(passage.start)}
                        />
                      ))
                    )}
                  </div>
                </div>
              ))
            : passages.map(passageOf)}
        </section>
        {next < figures.passages && (
          <div className="border-t px-5 py-3 max-sm:px-4">
            <Button size="sm" disabled={shown.loading} onClick={() => void shown.later()}>
              Show later passages
            </Button>
          </div>
        )}
      </div>
      <ReleaseDialog
        open={asking !== null}
        onClose={() => setAsking(null)}
        onRelease={() => asking && void release(asking)}
      />
    </>
  )
}
