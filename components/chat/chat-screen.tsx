'use client'
import { useChat } from '@ai-sdk/react'
import { ArrowDown, MoreHorizontal, ScrollText } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useStickToBottom } from 'use-stick-to-bottom'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { type ChatMessage, type MessageReview, narrows, questionCharsMax } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import type { Feedback } from '#lib/shared/review-contract.ts'
import type { SummaryRun } from '#lib/shared/summary-contract.ts'
import { truncate } from '#lib/shared/text.ts'
import { Answer, type Answerer, StageLine } from './answer.tsx'
import { AnswerFeedbackProvider, type FeedbackActions } from './answer-feedback.tsx'
import { textOf } from './chat-request.ts'
import { Composer } from './composer.tsx'
import { readDraft, writeDraft } from './draft.ts'
import { type ChatKnowledge, EmptyChat } from './empty-chat.tsx'
import { MarkedTextButton, MarkedTextContext, useMarkedText } from './marked-text.tsx'
import { chatPath, endInWords, giveAddress, openChat } from './open-chat.ts'
import { Question } from './question.tsx'
import { everywhere, scopeInWords } from './scope-words.ts'
import { SourceAside, SourceSheet } from './source-panel.tsx'
import { SourcePanelContext, type SourcePanelState, type SourceTarget } from './source-target.ts'
import { useStore } from './store.ts'
import { progressInWords, SummaryPanel } from './summary-panel.tsx'
import { useDecisions } from './use-decisions.ts'
import { useMedia } from './use-media.ts'
import { type SummaryActions, useSummary } from './use-summary.ts'

export type ChatScreenProps = {
  chatId: string
  title: string
  initialMessages: ChatMessage[]
  /** True when an answer of this chat is being written on the server. */
  resume: boolean
  suggestions: string[]
  knowledge: ChatKnowledge
  canSeeCosts: boolean
  canSeeTraces: boolean
  canUpload: boolean
  answerer: Answerer
  /** A rule of the workspace may hold an answer for a person. */
  holds: boolean
  /** The viewer has asked nothing in this workspace yet. */
  firstUse: boolean
  viewerId: string
  viewerName: string
  summaryActions: SummaryActions
  feedbackActions: FeedbackActions
  /** What the viewer has said of answers of this chat, by message. */
  feedback: Readonly<Record<string, Feedback>>
  /** Somebody else decides on answers here, so that a person can be asked. */
  canAskPerson: boolean
  /** The summary that is being made in this chat, by whichever tab. */
  openSummary: SummaryRun | null
  /** The button that opens the rail on a phone. */
  menu?: ReactNode
}

const renderEveryMs = 100

type OpenSource = { target: SourceTarget; walk: SourceTarget[]; opener: HTMLElement | null }

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Which passage is open beside the answer, the walk through them, and where the focus goes back to. */
const useSources = () => {
  const [source, setSource] = useState<OpenSource | null>(null)
  const state = useMemo<SourcePanelState>(
    () => ({
      openKey: source?.target.key ?? null,
      open: (target, walk, opener) => setSource({ target, walk, opener }),
    }),
    [source?.target.key],
  )
  const at = source ? source.walk.findIndex(({ key }) => key === source.target.key) : -1
  const shown = useRef(source)
  useEffect(() => {
    shown.current = source
  }, [source])
  const step = useCallback((by: 1 | -1) => {
    const current = shown.current
    const index = current?.walk.findIndex(({ key }) => key === current.target.key) ?? -1
    const next = current?.walk[index + by]
    if (!current || !next) return
    // The chip of the passage comes into view with it, and is where the focus goes back to.
    const chip = document.querySelector<HTMLElement>(`[data-citation-key="${next.key}"]`)
    chip?.scrollIntoView({ block: 'nearest' })
    setSource({ ...current, target: next, opener: chip ?? current.opener })
  }, [])
  const close = useCallback(() => {
    const opener = shown.current?.opener
    setSource(null)
    if (!opener) return
    opener.dataset.quiet = ''
    opener.focus({ preventScroll: true })
  }, [])
  return { source, state, position: { at, of: source?.walk.length ?? 0 }, step, close }
}

/** A conversation: questions as headings, answers as prose, and the document behind each claim beside them. */
export const ChatScreen = ({
  chatId,
  title,
  initialMessages,
  resume,
  suggestions,
  knowledge,
  canSeeCosts,
  canSeeTraces,
  canUpload,
  answerer,
  holds,
  firstUse,
  viewerId,
  viewerName,
  summaryActions,
  feedbackActions,
  feedback,
  canAskPerson,
  openSummary,
  menu,
}: ChatScreenProps) => {
  const router = useRouter()
  const [opened] = useState(() => openChat(viewerId, chatId, initialMessages))
  const { messages, status } = useChat<ChatMessage>({ chat: opened.chat, throttle: renderEveryMs })
  const stage = useStore(opened.stage)
  const trouble = useStore(opened.trouble)
  const stale = useStore(opened.stale)
  const busy = status === 'submitted' || status === 'streaming'

  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState('')
  const [scope, setScope] = useState(everywhere)
  const narrowed = scope.collectionIds.length > 0 || narrows(scope.filter)
  const sources = useSources()
  const summary = useSummary(chatId, summaryActions, openSummary)
  const marked = useMarkedText()
  const { ask: askSummary } = summary
  const markedState = useMemo(
    () => ({
      marked,
      summarise: ({ title: of, text: words }: { title: string; text: string }, opener: HTMLElement) =>
        void askSummary({ of: 'selection', title: of, text: words }, opener),
    }),
    [marked, askSummary],
  )
  const menuButton = useRef<HTMLButtonElement>(null)
  const wide = useMedia('(min-width: 1100px)')
  const { scrollRef, contentRef, isAtBottom, scrollToBottom, stopScroll } = useStickToBottom({
    initial: 'instant',
    resize: 'instant',
  })

  // A new chat has no address yet; its draft is kept under one name until it has.
  const isNew = messages.length === 0
  const hasAnswer = messages.some(
    (message) => message.role === 'assistant' && message.metadata?.status !== 'streaming' && textOf(message) !== '',
  )
  const draftKey = useRef(`${viewerId}:${initialMessages.length === 0 ? 'new' : chatId}`)
  const type = useCallback((next: string): void => {
    setText(next)
    writeDraft(draftKey.current, next)
  }, [])

  useEffect(() => {
    // What was typed before the page could listen stands only in the field, and the next render would empty it.
    const early = field.current?.value
    if (early) type(early)
    else setText(readDraft(draftKey.current))
  }, [type])

  useEffect(() => opened.adopt(initialMessages), [opened, initialMessages])

  useEffect(() => {
    if (resume) void opened.follow()
  }, [opened, resume])

  useEffect(() => {
    if (stale > 0) router.refresh()
  }, [stale, router])

  // The question was taken: the chat has an address from now on, without a new page.
  // An answer that came in one piece was never seen to stream.
  const taken = status === 'streaming' || messages.some(({ role }) => role === 'assistant')
  useEffect(() => {
    if (!taken || window.location.pathname !== '/') return
    draftKey.current = `${viewerId}:${chatId}`
    giveAddress(chatId)
  }, [taken, chatId, viewerId])

  // A question that was not taken goes back to where it was typed.
  useEffect(() => {
    if (!trouble?.text) return
    const returned = trouble.text
    setText((current) => (current ? `${returned}\n${current}` : returned))
    writeDraft(draftKey.current, returned)
    field.current?.focus()
  }, [trouble])

  const ask = useCallback(
    (question: string): boolean => {
      const asked = question.trim()
      if (!asked || asked.length > questionCharsMax) return false
      if (!opened.ask(asked, scope)) return false
      void scrollToBottom('instant')
      return true
    },
    [opened, scope, scrollToBottom],
  )

  const send = (): void => {
    if (ask(text)) type('')
  }

  const stop = useCallback((): void => {
    void opened.stop()
  }, [opened])

  const { source, step, close } = sources
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
      if (event.key === 'Escape') {
        if (busy) stop()
        else if (source) close()
        else return
        event.preventDefault()
        return
      }
      if (!source || isTyping(event.target)) return
      const key = event.key.toLowerCase()
      if (key !== 'j' && key !== 'k' && key !== 'n' && key !== 'p') return
      event.preventDefault()
      step(key === 'j' || key === 'n' ? 1 : -1)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [busy, source, stop, step, close])

  // The sheet covers the lower part: what was asked about stays in sight above it.
  const opener = wide ? null : source?.opener
  useEffect(() => {
    if (!opener || !scrollRef.current) return
    stopScroll()
    const hidden = opener.getBoundingClientRect().bottom - window.innerHeight * 0.34
    if (hidden > 0) scrollRef.current.scrollBy({ top: hidden, behavior: 'instant' })
  }, [opener, scrollRef, stopScroll])

  const last = messages.at(-1)
  const wasBusy = useRef(false)
  const [announcement, setAnnouncement] = useState('')
  useEffect(() => {
    if (busy && !wasBusy.current) setAnnouncement('Working on the answer.')
    if (!busy && wasBusy.current) setAnnouncement(endInWords(opened.chat.messages.at(-1)))
    wasBusy.current = busy
  }, [busy, opened])

  useDecisions(opened, messages, setAnnouncement)

  const rights = useMemo(() => ({ canSeeCosts, canSeeTraces }), [canSeeCosts, canSeeTraces])
  const lastId = last?.id
  const askAgain = useCallback(() => {
    if (lastId) opened.askAgain(lastId, scope)
  }, [opened, lastId, scope])

  const onAsked = useCallback(
    (messageId: string, review: MessageReview): void => {
      const message = opened.chat.messages.find(({ id }) => id === messageId)
      if (message) opened.replace({ ...message, metadata: { ...message.metadata, review } })
    },
    [opened],
  )

  const askEverywhere = (answerId: string): void => {
    setScope(everywhere)
    opened.askAgain(answerId, everywhere)
  }

  const firstQuestion = messages.find(({ role }) => role === 'user')
  const heading = title || (firstQuestion ? truncate(textOf(firstQuestion).replace(/\s+/g, ' '), 60) : 'New question')
  const collections = knowledge.collections
  const problem = trouble
    ? {
        message: trouble.message,
        ...(trouble.signedOut
          ? {
              action: { label: 'Sign in', href: `/sign-in?from=${encodeURIComponent(isNew ? '/' : chatPath(chatId))}` },
            }
          : trouble.lost
            ? { action: { label: 'Reconnect', act: () => void opened.follow() } }
            : {}),
      }
    : last?.metadata?.narrowed && !busy
      ? {
          message: 'Only a part of the documents was searched for this.',
          action: { label: 'Ask again in all documents', act: () => askEverywhere(last.id) },
        }
      : null

  return (
    <SourcePanelContext value={sources.state}>
      <MarkedTextContext value={markedState}>
        <div className="flex h-full min-h-0 min-w-0 flex-1">
          <div className="flex min-w-0 flex-1 flex-col">
            <header className="flex h-[52px] shrink-0 items-center gap-2.5 border-b px-3 sm:px-5">
              {menu}
              <h1 dir="auto" className="min-w-0 truncate font-semibold text-[15px]">
                {heading}
              </h1>
              <span className="flex-1" />
              {narrowed && (
                <span className="truncate rounded-full bg-muted px-2 py-0.5 font-medium text-muted-foreground text-xs max-sm:hidden">
                  {scopeInWords(collections, scope)}
                </span>
              )}
              {summary.aside && (
                <Button variant="quiet" size="sm" onClick={summary.reopen}>
                  <ScrollText />
                  <span className="num max-sm:sr-only">{progressInWords(summary.shown?.run ?? null)}</span>
                  <span className="sr-only">, show the summary</span>
                </Button>
              )}
              {!isNew && (
                <DropdownMenu>
                  <DropdownMenuTrigger asChild>
                    <Button ref={menuButton} variant="ghost" size="icon" aria-label="More for this conversation">
                      <MoreHorizontal />
                    </Button>
                  </DropdownMenuTrigger>
                  <DropdownMenuContent align="end" onCloseAutoFocus={(event) => summary.open && event.preventDefault()}>
                    <DropdownMenuItem
                      disabled={!hasAnswer}
                      onSelect={() => void summary.ask({ of: 'chat' }, menuButton.current)}
                    >
                      <ScrollText />
                      Summarise the conversation
                    </DropdownMenuItem>
                  </DropdownMenuContent>
                </DropdownMenu>
              )}
            </header>
            <div className="relative flex min-h-0 flex-1 flex-col">
              <section
                ref={scrollRef}
                aria-label="Conversation"
                // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
                tabIndex={0}
                className={cn(
                  'min-h-0 flex-1 overflow-y-auto overscroll-contain -outline-offset-2',
                  source && !wide && 'pb-[60dvh]',
                )}
              >
                <div ref={contentRef} className="flex min-h-full flex-col">
                  {isNew && !busy ? (
                    <EmptyChat
                      knowledge={knowledge}
                      suggestions={suggestions}
                      canUpload={canUpload}
                      about={{ answerer, holds }}
                      firstUse={firstUse}
                      onAsk={ask}
                    />
                  ) : (
                    <div className="mx-auto w-full max-w-[720px] px-4 pt-[18px] sm:px-6 sm:pt-7">
                      <AnswerFeedbackProvider
                        actions={feedbackActions}
                        said={feedback}
                        canAsk={canAskPerson}
                        onAsked={onAsked}
                      >
                        {messages.map((message) =>
                          message.role === 'user' ? (
                            <Question key={message.id} text={textOf(message)} asker={viewerName} />
                          ) : (
                            <Answer
                              key={message.id}
                              message={message}
                              streaming={busy && message.id === lastId}
                              stage={busy && message.id === lastId ? stage : null}
                              rights={rights}
                              answerer={answerer}
                              onAskAgain={!busy && message.id === lastId ? askAgain : null}
                              onAsk={!busy && message.id === lastId ? ask : null}
                            />
                          ),
                        )}
                      </AnswerFeedbackProvider>
                      {last?.role === 'user' && (
                        <div className="pb-8">
                          {busy ? (
                            <StageLine words={stage ?? 'Sending the question'} live />
                          ) : resume ? (
                            <StageLine words="Taking up the answer" live />
                          ) : (
                            <div className="flex items-center gap-3 text-[14px] text-muted-foreground">
                              This question has no answer yet.
                              <Button size="sm" onClick={askAgain}>
                                Ask again
                              </Button>
                            </div>
                          )}
                        </div>
                      )}
                    </div>
                  )}
                </div>
              </section>
              {!isAtBottom && !isNew && (
                <Button
                  size="sm"
                  className="-translate-x-1/2 absolute bottom-3 left-1/2 rounded-full shadow-float"
                  onClick={() => void scrollToBottom()}
                >
                  <ArrowDown />
                  Jump to latest
                </Button>
              )}
            </div>
            <div className="shrink-0 pt-2">
              <Composer
                field={field}
                text={text}
                onText={type}
                placeholder={isNew ? 'Ask a question' : 'Ask a follow-up'}
                busy={busy}
                problem={problem}
                collections={collections}
                facets={knowledge.facets}
                scope={scope}
                onScope={(change) => setScope((now) => ({ ...now, ...change }))}
                onSend={send}
                onStop={stop}
              />
            </div>
            <div role="status" aria-live="polite" className="sr-only">
              {announcement}
            </div>
          </div>
          {source && wide && (
            <SourceAside target={source.target} position={sources.position} onWalk={step} onClose={close} />
          )}
          {source && !wide && (
            <SourceSheet target={source.target} position={sources.position} onWalk={step} onClose={close} />
          )}
        </div>
        <MarkedTextButton />
        <SummaryPanel summary={summary} />
      </MarkedTextContext>
    </SourcePanelContext>
  )
}
