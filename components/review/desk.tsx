'use client'
import { Ellipsis, ShieldCheck, ShieldX } from 'lucide-react'
import type { Route } from 'next'
import Link from 'next/link'
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { useWide } from '#components/admin/use-wide.ts'
import { When } from '#components/admin/when.tsx'
import { SourceAside, SourceSheet } from '#components/chat/source-panel.tsx'
import { citationKey, SourcePanelContext, targetOf } from '#components/chat/source-target.ts'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from '#components/ui/dropdown-menu.tsx'
import { Kbd } from '#components/ui/kbd.tsx'
import { citationMarker } from '#lib/shared/chat-contract.ts'
import { cn } from '#lib/shared/cn.ts'
import type { EditCheck, RejectReason, ReviewDecisionRequest } from '#lib/shared/review-contract.ts'
import { NoteField, PersonMenu, RejectMenu } from './decision-menus.tsx'
import type { DeskActions, DeskItem, DeskViewer } from './desk-contract.ts'
import { DeskKeep } from './desk-keep.tsx'
import { type DeskAct, deskActOf, focusKind } from './desk-keys.ts'
import { DeskMore } from './desk-more.tsx'
import { DeskBanner, DeskQuestion } from './desk-question.tsx'
import { DiffText } from './diff-text.tsx'
import type { KeepKind } from './keep.ts'
import type { Waiting } from './outbox.ts'
import { decidedWords, dueClasses, dueOf, holderOf, isFlagged, rejectWords, unseenOf } from './review-words.ts'
import { markerLegend, withoutListMark, wordsOfGap } from './sentence-edit.ts'
import { answerCellClasses, EditField, type EditState, EditVerdict, rowClasses, SentenceRow } from './sentence-row.tsx'
import { useClaim } from './use-claim.ts'
import { useKeep } from './use-keep.ts'
import { type Checked, useWork, type Work } from './use-work.ts'

type DeskProps = {
  opened: DeskItem
  /** What was done to it before a decision that was taken back. */
  kept: Work | undefined
  viewer: DeskViewer
  actions: DeskActions
  /** The queue that one came from, narrowed as it was. */
  queueHref: Route
  /** How many wait; null: not known. */
  openCount: number | null
  /** A decision, with what is needed to come back to it. */
  onDecide: (waiting: Waiting, opened: DeskItem, work: Work) => void
  /** `held`: it is this reviewer's, so that it has to be let go. */
  onNext: (held: boolean) => void
  onTakeBack: () => void
  /** Whether it is taken up by this reviewer, each time that changes. */
  onMine: (mine: boolean) => void
  onKeys: () => void
  onMoved: (words: string) => void
}

const unmarked = (text: string): string => text.replace(citationMarker, '')
const plainText = (text: string): string => unmarked(text).replace(/\s+/g, ' ').trim()

/** What a check of the whole answer says of one of its sentences. */
const verdictOn = (sentence: string, checked: Checked | null): EditState => {
  if (!checked) return { state: 'checking' }
  if ('error' in checked) return { state: 'unknown', words: checked.error }
  const words = plainText(sentence)
  if (!words) return { state: 'unknown', words: 'The sentence is taken out.' }
  const inside = checked.check.claims.filter(({ text, claims }) => claims && words.includes(plainText(text)))
  const doubtful = inside.filter(isFlagged)
  if (doubtful.length) return { state: 'doubtful', reasons: doubtful.flatMap(({ reasons }) => reasons) }
  return inside.length ? { state: 'supported' } : { state: 'unknown', words: 'It claims nothing to check.' }
}

const verdictOnWhole = (checked: Checked | null): EditState => {
  if (!checked) return { state: 'checking' }
  if ('error' in checked) return { state: 'unknown', words: checked.error }
  const doubtful = checked.check.claims.filter(isFlagged)
  if (doubtful.length === 0) return { state: 'supported' }
  return {
    state: 'doubtful',
    reasons: doubtful.flatMap(({ text, reasons }) => [`“${plainText(withoutListMark(text))}”`, ...reasons]),
  }
}

type Open = 'reject' | 'expert' | 'hand-on' | null
/** A source that lies over the lower part of a small screen covers nothing: its keys are the desk's. */
const isCovered = (): boolean =>
  [...document.querySelectorAll('[role="dialog"][data-state="open"], [role="menu"]')].some(
    (one) => !one.querySelector('[aria-label="Document"]'),
  )

/** One answer on the desk: its sentences beside their sources, and what can be decided about it. */
export const Desk = ({ opened, kept, viewer, actions, queueHref, openCount, ...to }: DeskProps) => {
  const claim = useClaim(opened, viewer.id)
  const { item, nowMs, mine } = claim
  const keep = useKeep(item, actions)
  const { onMine } = to
  useEffect(() => onMine(mine), [onMine, mine])
  const work = useWork(opened.item, kept, mine, actions)
  const { cut, text, edited } = work
  const [selected, setSelected] = useState(() => Math.max(0, opened.item.claims.findIndex(isFlagged)))
  const [editing, setEditing] = useState<number | 'whole' | null>(null)
  const [open, setOpen] = useState<Open>(null)
  const [notice, setNotice] = useState<string | null>(null)
  const [commentsOpen, setCommentsOpen] = useState(item.comments.length > 0)
  const commentField = useRef<HTMLTextAreaElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  const wide = useWide(1280)
  const [noteOpen] = useState(work.work.note !== '')

  useEffect(() => heading.current?.focus({ preventScroll: true }), [])

  const citations = useMemo(() => new Map(item.citations.map((one) => [one.ordinal, one])), [item.citations])
  const walk = useMemo(() => item.citations.map((one) => targetOf(item.id, one)), [item.citations, item.id])

  // The source that is open, by its ordinal, and what gets the focus back.
  const [source, setSource] = useState<{ ordinal: number; opener: HTMLElement | null } | null>(null)
  const { see } = work
  const openSource = useCallback(
    (ordinal: number, opener: HTMLElement | null) => {
      see(ordinal)
      setNotice(null)
      setSource({ ordinal, opener })
    },
    [see],
  )
  const closeSource = useCallback(() => {
    setSource((was) => {
      was?.opener?.focus({ preventScroll: true })
      return null
    })
  }, [])
  const openKey = source ? citationKey(item.id, source.ordinal) : null
  const panel = useMemo(
    () => ({
      openKey,
      open: ({ key }: { key: string }, _: unknown, opener: HTMLElement | null) => {
        const named = item.citations[walk.findIndex((one) => one.key === key)]
        if (named) openSource(named.ordinal, opener)
      },
    }),
    [openKey, walk, item.citations, openSource],
  )
  const at = walk.findIndex(({ key }) => key === openKey)
  const target = walk[at]
  const step = (by: 1 | -1) => {
    const next = item.citations[at + by]
    if (next) openSource(next.ordinal, source?.opener ?? null)
  }

  const select = (index: number) => {
    const bounded = Math.max(0, Math.min(item.claims.length - 1, index))
    setSelected(bounded)
    const row = document.getElementById(`sentence-${bounded}`)
    row?.focus({ preventScroll: true })
    row?.scrollIntoView({ block: 'nearest' })
    // An open source follows the sentence.
    const [first] = item.claims[bounded]?.ordinals ?? []
    if (source && first !== undefined && citations.has(first)) openSource(first, row)
  }
  const openBehind = () => {
    const behind = (item.claims[selected]?.ordinals ?? []).filter(
      (ordinal) => citations.get(ordinal)?.removed === false,
    )
    // Once it is open, the next one behind the same sentence.
    const next = behind.find((ordinal) => !work.work.seen.has(ordinal)) ?? behind[0]
    if (next !== undefined) openSource(next, document.getElementById(`sentence-${selected}`))
    else setNotice('No source that can be opened stands behind this sentence.')
  }

  /** Null: it can be decided; else why not, and what to do. */
  const refusal = (): string | null => {
    if (item.state !== 'open') return 'It is decided already. N opens the next answer.'
    if (mine) return null
    const { who, words } = holderOf(item, viewer.id, nowMs)
    if (who === 'other') return `${words}. N opens the next answer.`
    return item.cannot ?? claim.trouble ?? 'It is being taken up for you. One moment.'
  }
  const put = (decision: ReviewDecisionRequest['decision'], words: string) => {
    const note = work.work.note.trim()
    const request: ReviewDecisionRequest = {
      itemId: item.id,
      contentHash: item.contentHash,
      decisionId: crypto.randomUUID(),
      decision: { ...decision, ...(note ? { note } : {}) },
    }
    to.onDecide({ request, question: item.question, words }, claim.shown, work.work)
  }

  const approve = () => {
    const unseen = unseenOf(item, work.work.seen)
    const [first] = unseen
    if (refusal()) setNotice(refusal())
    else if (edited)
      setNotice('You have changed the answer. Ctrl Enter approves it with your edit; or undo the edit first.')
    else if (item.cannotApprove) setNotice(item.cannotApprove)
    else if (first !== undefined) {
      const sentence = item.claims.findIndex((one) => isFlagged(one) && one.ordinals.includes(first))
      select(sentence)
      setNotice(
        `Sentence ${sentence + 1} is not supported as written. Open its source first (Enter), then approve.${
          unseen.length > 1 ? ` ${unseen.length} sources are to be opened.` : ''
        }`,
      )
    } else put({ act: 'approve', seen: [...work.work.seen] }, 'Approved')
  }

  const [sendingEdit, setSendingEdit] = useState(false)
  const approveEdit = async () => {
    if (refusal()) return setNotice(refusal())
    if (!edited) return setNotice('Nothing is changed. E edits the sentence, A approves the answer as it stands.')
    if (!text.trim()) return setNotice('Nothing is left of the answer. Reject it instead.')
    if (sendingEdit) return
    setSendingEdit(true)
    const checked = work.checked ?? (await work.check(text))
    setSendingEdit(false)
    if ('error' in checked) return setNotice(checked.error)
    const { problems }: EditCheck = checked.check
    if (problems.length) return setNotice(problems.join(' '))
    put({ act: 'edit', text }, 'Approved with your edit')
  }

  const reject = (reason: RejectReason) => {
    setOpen(null)
    const note = work.work.note.trim()
    if (refusal()) setNotice(refusal())
    else put({ act: 'reject', reason, ...(note ? { note } : {}) }, `Rejected: ${rejectWords[reason].toLowerCase()}`)
  }

  const startEdit = (what: number | 'whole') => {
    if (refusal()) return setNotice(refusal())
    setNotice(null)
    // What was changed sentence by sentence is in the whole answer too.
    if (what === 'whole' && work.work.whole === null) work.setWhole(text)
    setEditing(work.work.whole === null && what !== 'whole' ? what : 'whole')
  }
  const doneEditing = () => {
    const was = editing
    setEditing(null)
    document.getElementById(`sentence-${was === 'whole' || was === null ? selected : was}`)?.focus()
  }
  const menu = (which: Open) => (refusal() ? setNotice(refusal()) : setOpen(which))
  const keepAs = (kind: KeepKind) => {
    if (keep.kinds.includes(kind)) return keep.press(kind)
    if (item.state === 'open') return setNotice('Decide on the answer first. Then it can be kept.')
    setNotice(
      item.state === 'rejected'
        ? 'It was rejected, so nothing of it is kept. D leaves a note on a document.'
        : 'Nobody decided on it, so nothing of it is kept.',
    )
  }
  const comment = () => {
    setCommentsOpen(true)
    requestAnimationFrame(() => {
      commentField.current?.focus()
      commentField.current?.scrollIntoView({ block: 'center' })
    })
  }
  const leave = () => to.onNext(mine)

  const acts: Record<DeskAct | 'approve-edit', () => unknown> = {
    'next-sentence': () => select(selected + 1),
    'previous-sentence': () => select(selected - 1),
    open: openBehind,
    approve,
    'approve-edit': approveEdit,
    edit: () => startEdit(item.claims.length ? selected : 'whole'),
    'edit-whole': () => startEdit('whole'),
    reject: () => menu('reject'),
    expert: () => menu('expert'),
    'hand-on': () => menu('hand-on'),
    comment,
    golden: () => keepAs('golden'),
    curated: () => keepAs('curated'),
    note: () => keepAs('note'),
    next: leave,
    'take-back': to.onTakeBack,
    keys: to.onKeys,
  }
  const latest = useRef(acts)
  latest.current = acts
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat) return
      if (event.key === 'Escape' && !isCovered()) return closeSource()
      const act = deskActOf({
        ...{ key: event.key, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey },
        target: focusKind(event.target),
        covered: isCovered(),
      })
      if (!act) return
      event.preventDefault()
      void latest.current[act]()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [closeSource])

  const due = dueOf(item.dueAt, nowMs)
  const holder = holderOf(item, viewer.id, nowMs)
  const rows = useMemo(() => {
    // What no claim covers is shown as well: nothing of an answer is approved unread.
    return [...cut.sentences.keys(), cut.sentences.length].map((index) => ({
      index,
      before: wordsOfGap(cut.gaps[index] ?? ''),
    }))
  }, [cut])

  const isOpen = item.state === 'open'
  const buttons: { act: DeskAct; label: string; sign: string }[] = [
    ...(isOpen
      ? ([
          { act: 'edit', label: 'Edit', sign: 'E' },
          { act: 'expert', label: 'Ask an expert', sign: 'X' },
          { act: 'hand-on', label: 'Hand on', sign: 'H' },
        ] as const)
      : []),
    { act: 'comment', label: 'Comment', sign: 'C' },
  ]
  const sign = (words: string): ReactNode => (
    <Kbd aria-hidden className="border-current/30 bg-transparent text-current opacity-80 max-sm:hidden touch:hidden">
      {words}
    </Kbd>
  )
  const decided = item.decided
  const Sign = item.state === 'rejected' ? ShieldX : ShieldCheck
  const sent = item.state === 'edited' ? decided?.decision.text : undefined

  return (
    <SourcePanelContext value={panel}>
      <AdminHeader
        actions={
          <span className={cn('num shrink-0 text-[13px]', dueClasses[due.state])}>
            {item.state === 'open' ? due.words : ''}
          </span>
        }
      >
        <AdminTitle>
          <Link href={queueHref} className="hover:underline">
            Review
          </Link>
        </AdminTitle>
        {openCount !== null && (
          <Badge variant="warning" className="max-sm:hidden">
            {openCount} open
          </Badge>
        )}
        {item.state === 'open' && (
          <Badge variant={holder.who === 'other' ? 'warning' : 'default'}>{holder.words}</Badge>
        )}
      </AdminHeader>
      <div className="flex min-h-0 flex-1">
        <section
          aria-label="Answer under review"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          tabIndex={0}
          className={cn(
            '@container min-h-0 min-w-0 flex-1 overflow-y-auto -outline-offset-2',
            target && !wide && 'pb-[60dvh]',
          )}
        >
          <div role="status">
            {decided && (
              <DeskBanner
                tone={item.state === 'rejected' ? 'plain' : 'seal'}
                action={
                  <Button size="sm" onClick={leave}>
                    Open the next answer
                  </Button>
                }
              >
                <Sign aria-hidden className="mr-1.5 inline size-4 align-[-3px]" />
                {decided.by ?? 'Somebody'} {decidedWords[item.state]}, <When iso={decided.at} />.
                {decided.decision.note && ` Note: ${decided.decision.note}`}
              </DeskBanner>
            )}
            {!decided && item.state !== 'open' && (
              <DeskBanner
                tone="plain"
                action={
                  <Button size="sm" onClick={leave}>
                    Open the next answer
                  </Button>
                }
              >
                {item.state === 'withdrawn'
                  ? 'Who asked has taken it back, so there is nothing to decide any more.'
                  : 'Nobody decided in time, so it was given up.'}
              </DeskBanner>
            )}
            {item.state === 'open' && item.cannotApprove && (
              <DeskBanner tone="warning">{item.cannotApprove} It can be edited or rejected.</DeskBanner>
            )}
            {item.state === 'open' && holder.who === 'other' && (
              <DeskBanner
                tone="warning"
                action={
                  viewer.mayTakeOver && (
                    <Button size="sm" onClick={() => void claim.takeOver()}>
                      Take it over
                    </Button>
                  )
                }
              >
                {holder.words} now. You can read and comment{viewer.mayTakeOver ? ', or take it over' : ''}.
                {edited && ' Your edit is kept as a draft.'}
              </DeskBanner>
            )}
            {claim.trouble && <DeskBanner tone="warning">{claim.trouble}</DeskBanner>}
            {work.saved.error && edited && (
              <DeskBanner tone="warning">Your draft is not kept: {work.saved.error}</DeskBanner>
            )}
          </div>
          <DeskKeep keep={keep} />
          <DeskQuestion item={item} heading={heading} />
          {sent && (
            <section aria-label="The edit that was approved" className="border-b px-5 py-3.5 max-sm:px-4">
              <h3 className="text-[12.5px] text-muted-foreground">The edit that was approved</h3>
              {/* Its markers were numbered anew with it: those of the answer below are others. */}
              <div className="max-w-3xl">
                <DiffText before={unmarked(item.text)} after={unmarked(sent)} citations={citations} />
              </div>
            </section>
          )}
          {item.text ? (
            <ol aria-label="Sentences of the answer">
              {rows.map(({ index, before }) => {
                const one = item.claims[index]
                const sentence = cut.sentences[index] ?? ''
                return [
                  before && (
                    <li key={`gap ${index}`} className={rowClasses}>
                      <p
                        dir="auto"
                        className={cn(answerCellClasses, 'whitespace-pre-line text-[14px] text-muted-foreground')}
                      >
                        {before}
                      </p>
                      <div className="bg-source @max-3xl:hidden" />
                    </li>
                  ),
                  one && (
                    <SentenceRow
                      key={`sentence ${index}`}
                      at={index}
                      of={item.claims.length}
                      claim={one}
                      text={sentence}
                      edit={work.work.whole === null ? (work.work.sentences[index] ?? sentence) : sentence}
                      verdict={verdictOn(work.work.sentences[index] ?? '', work.checked)}
                      editing={editing === index}
                      selected={selected === index}
                      citations={citations}
                      seen={work.work.seen}
                      onSelect={() => setSelected(index)}
                      onOpen={openSource}
                      onEdit={(words) => work.setSentence(index, words)}
                      onEditDone={doneEditing}
                      onUndo={() => work.setSentence(index, sentence)}
                    />
                  ),
                ]
              })}
            </ol>
          ) : (
            <p className="border-b px-5 py-6 text-muted-foreground max-sm:px-4">
              {item.state === 'open'
                ? 'No answer was found to this question. Edit writes one; its sentences are checked against the sources.'
                : 'The words of this answer are not kept.'}
            </p>
          )}
          {work.work.whole !== null && (
            <section
              aria-label="Your edit of the whole answer"
              className="border-b border-l-[3px] border-l-primary px-5 py-3.5 max-sm:px-4"
            >
              <div className="mb-1 flex items-center gap-2 text-[12.5px] text-muted-foreground">
                <h3 className="flex-1">Your edit of the whole answer</h3>
                {editing !== 'whole' && (
                  <Button variant="quiet" size="sm" onClick={() => startEdit('whole')}>
                    Go on editing
                  </Button>
                )}
                <Button variant="quiet" size="sm" onClick={work.undo}>
                  Undo this edit
                </Button>
              </div>
              <div className="max-w-3xl">
                {editing === 'whole' && (
                  <EditField
                    label="The whole answer, edited"
                    value={work.work.whole}
                    legend={markerLegend(`${item.text} ${work.work.whole}`, citations)}
                    onChange={work.setWhole}
                    onDone={doneEditing}
                  />
                )}
                {edited && <DiffText before={item.text} after={work.work.whole} citations={citations} />}
                <EditVerdict verdict={edited ? verdictOnWhole(work.checked) : null} />
              </div>
            </section>
          )}
          {mine && (
            <details className="border-b" open={noteOpen}>
              <summary className="cursor-pointer px-5 py-2.5 font-medium text-[13px] -outline-offset-2 hover:bg-muted/50 max-sm:px-4 touch:py-3">
                Note to who asked
              </summary>
              <div className="max-w-2xl px-5 pt-1 pb-4 max-sm:px-4">
                <NoteField note={work.work.note} onNote={work.setNote} />
              </div>
            </details>
          )}
          <DeskMore
            item={item}
            text={text}
            maySeeTraces={viewer.maySeeTraces}
            actions={actions}
            commentsOpen={commentsOpen}
            onCommentsOpen={setCommentsOpen}
            commentField={commentField}
            onCommented={() => void claim.look()}
          />
        </section>
        {target && wide && (
          <SourceAside target={target} position={{ at, of: walk.length }} onWalk={step} onClose={closeSource} />
        )}
        {target && !wide && (
          <SourceSheet target={target} position={{ at, of: walk.length }} onWalk={step} onClose={closeSource} />
        )}
      </div>
      <div className="shrink-0 border-t bg-background">
        <p
          role="alert"
          className="border-b bg-warning/12 px-5 py-1.5 font-medium text-[13px] text-warning empty:hidden max-sm:px-4"
        >
          {notice}
        </p>
        <div className="flex items-center gap-2 px-5 py-2.5 max-sm:px-4">
          {isOpen && (
            <>
              {edited ? (
                <Button
                  variant="primary"
                  aria-keyshortcuts="Control+Enter"
                  aria-disabled={sendingEdit}
                  onClick={() => void approveEdit()}
                >
                  Approve with edit {sign('Ctrl ↵')}
                </Button>
              ) : (
                <Button variant="primary" aria-keyshortcuts="A" aria-disabled={!mine} onClick={approve}>
                  Approve {sign('A')}
                </Button>
              )}
              <RejectMenu
                open={open === 'reject'}
                onOpenChange={(next) => (next ? menu('reject') : setOpen(null))}
                note={work.work.note}
                onNote={work.setNote}
                onReject={reject}
                trigger={
                  <Button variant="destructive" aria-keyshortcuts="R" aria-disabled={!mine}>
                    Reject {sign('R')}
                  </Button>
                }
              />
            </>
          )}
          {(['expert', 'hand-on'] as const).map((kind) => (
            <PersonMenu
              key={kind}
              kind={kind}
              open={open === kind}
              onOpenChange={(next) => !next && setOpen(null)}
              itemId={item.id}
              viewerId={viewer.id}
              actions={actions}
              onDone={(words) => {
                setOpen(null)
                to.onMoved(words)
              }}
            />
          ))}
          {buttons.map(({ act, label, sign: key }) => (
            <Button
              key={act}
              variant={act === 'edit' || !isOpen ? 'outline' : 'quiet'}
              aria-keyshortcuts={key}
              className={act === 'edit' || !isOpen ? undefined : 'max-lg:hidden'}
              onClick={() => void acts[act]()}
            >
              {label} {sign(key)}
            </Button>
          ))}
          <span className="flex-1" />
          {isOpen && edited && work.saved.at && !work.saved.error && (
            <span className="text-[12.5px] text-muted-foreground max-xl:hidden">
              {kept || opened.item.draft ? 'Your draft is here' : 'Draft kept'}
            </span>
          )}
          <Button variant="quiet" aria-keyshortcuts="N" className="max-sm:hidden" onClick={leave}>
            Next {sign('N')}
          </Button>
          <DropdownMenu>
            <DropdownMenuTrigger asChild>
              <Button variant="ghost" size="icon" aria-label="More to do with this answer">
                <Ellipsis />
              </Button>
            </DropdownMenuTrigger>
            <DropdownMenuContent align="end">
              {buttons.slice(isOpen ? 1 : buttons.length).map(({ act, label }) => (
                <DropdownMenuItem key={act} className="lg:hidden" onSelect={() => setTimeout(() => void acts[act]())}>
                  {label}
                </DropdownMenuItem>
              ))}
              {isOpen && (
                <DropdownMenuItem onSelect={() => setTimeout(() => startEdit('whole'))}>
                  Edit the whole answer
                </DropdownMenuItem>
              )}
              <DropdownMenuItem onSelect={leave}>Next answer</DropdownMenuItem>
              <DropdownMenuItem onSelect={() => setTimeout(to.onKeys)}>Show the keys</DropdownMenuItem>
            </DropdownMenuContent>
          </DropdownMenu>
        </div>
        {isOpen && (
          <p className="px-5 pb-2 text-[12px] text-muted-foreground max-sm:px-4">
            A decision is sent 4 seconds after you make it. Until then it can be taken back; afterwards who asked has
            read it.
          </p>
        )}
      </div>
    </SourcePanelContext>
  )
}
