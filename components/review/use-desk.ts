'use client'
/** What a reviewer can do with the answer that is open, by key and by press. */
import type { Route } from 'next'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { citationKey, targetOf } from '#components/chat/source-target.ts'
import { toast } from '#components/ui/toaster.tsx'
import type { RejectReason, ReviewDecisionRequest, ReviewDetail } from '#lib/shared/review-contract.ts'
import { isCovered } from './covered.ts'
import type { DeskActions, DeskItem, DeskViewer } from './desk-contract.ts'
import { type DeskAct, deskActOf, focusKind } from './desk-keys.ts'
import type { KeepKind } from './keep.ts'
import type { Waiting } from './outbox.ts'
import { holderOf, isFlagged, rejectWords, unseenOf } from './review-words.ts'
import { useClaim } from './use-claim.ts'
import { useKeep } from './use-keep.ts'
import { letterKeysOn } from './use-letter-keys.ts'
import { useWork, type Work } from './use-work.ts'

export type DeskProps = {
  opened: DeskItem
  /** What was done to it before something else was opened over it. */
  kept: Work | undefined
  /** It was decided on a moment ago, and taken back. */
  read: boolean
  viewer: DeskViewer
  actions: DeskActions
  /** The queue that one came from, narrowed as it was. */
  queueHref: Route
  /** How many wait; null: not known. */
  openCount: number | null
  /** The answer as it is by now and what was done to it, each time that changes. */
  onWork: (opened: DeskItem, work: Work) => void
  onDecide: (waiting: Waiting) => void
  /** `isMine`: it is this reviewer's, so that it has to be let go. */
  onNext: (isMine: boolean) => void
  onTakeBack: () => void
  /** Opens what was sent last; null: it does, else why not. */
  onAgain: () => string | null
  /** Whether it is taken up by this reviewer, each time that changes. */
  onMine: (isMine: boolean) => void
  onKeys: () => void
  onMoved: (words: string) => void
}

type DeskMenu = 'reject' | 'expert' | 'hand-on' | null
/** `soft`: nothing is wrong, it is only too soon. */
export type DeskNotice = { words: string; soft: boolean } | null

/** The next answer opens under the finger that decided on the one before: for so long a press is not meant for it. */
const settleMs = 600
const softNoticeMs = 3_000

const useDeskKeys = (acts: Record<DeskAct | 'approve-edit', () => unknown>, onEscape: () => void): void => {
  const latest = useRef({ acts, onEscape })
  latest.current = { acts, onEscape }
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat) return
      if (event.key === 'Escape' && !isCovered()) return latest.current.onEscape()
      const act = deskActOf({
        ...{ key: event.key, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey },
        ...{ target: focusKind(event.target), covered: isCovered(), letters: letterKeysOn() },
      })
      if (!act) return
      event.preventDefault()
      void latest.current.acts[act]()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])
}

/** The source that is open beside the answer, and the way through all of them. */
const useSource = (item: ReviewDetail, onSeen: (ordinal: number) => void) => {
  const walk = useMemo(() => item.citations.map((one) => targetOf(item.id, one)), [item.citations, item.id])
  // By its ordinal, and what gets the focus back.
  const [source, setSource] = useState<{ ordinal: number; opener: HTMLElement | null } | null>(null)
  const open = useCallback(
    (ordinal: number, opener: HTMLElement | null) => {
      onSeen(ordinal)
      setSource({ ordinal, opener })
    },
    [onSeen],
  )
  const close = useCallback(() => {
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
        if (named) open(named.ordinal, opener)
      },
    }),
    [openKey, walk, item.citations, open],
  )
  const at = walk.findIndex(({ key }) => key === openKey)
  const step = (by: 1 | -1) => {
    const next = item.citations[at + by]
    if (next) open(next.ordinal, source?.opener ?? null)
  }
  return { isOpen: source !== null, open, close, panel, target: walk[at], position: { at, of: walk.length }, step }
}

export const useDesk = ({ opened, kept, read, viewer, actions, ...to }: DeskProps) => {
  const claim = useClaim(opened, viewer.id)
  const { item, nowMs, mine } = claim
  const keep = useKeep(item, actions)
  const { onMine, onWork } = to
  useEffect(() => onMine(mine), [onMine, mine])

  /** Decided on or left: what is pressed until the next one is there is meant for neither. */
  const over = useRef<'decided' | 'left' | null>(null)
  const work = useWork(opened.item, {
    ...{ kept, actions, isOpen: item.state === 'open' },
    onLost: (words) =>
      over.current !== 'decided' && toast.error(`Your draft is not kept: ${words}`, { description: item.question }),
  })
  const { cut, text, edited } = work
  useEffect(() => onWork(claim.shown, work.work), [onWork, claim.shown, work.work])

  const [selected, setSelected] = useState(() => Math.max(0, opened.item.claims.findIndex(isFlagged)))
  const [editing, setEditing] = useState<number | 'whole' | null>(null)
  const [menu, setMenu] = useState<DeskMenu>(null)
  const [notice, setNotice] = useState<DeskNotice>(null)
  const [commentsOpen, setCommentsOpen] = useState(item.comments.length > 0 || work.work.comment !== '')
  const commentField = useRef<HTMLTextAreaElement>(null)

  const say = (words: string | null): void => setNotice(words === null ? null : { words, soft: false })
  useEffect(() => {
    if (!notice?.soft) return
    const timer = setTimeout(() => setNotice(null), softNoticeMs)
    return () => clearTimeout(timer)
  }, [notice])
  const openedAtMs = useRef(Number.POSITIVE_INFINITY)
  useEffect(() => {
    openedAtMs.current = performance.now()
  }, [])

  const citations = useMemo(() => new Map(item.citations.map((one) => [one.ordinal, one])), [item.citations])
  const { see } = work
  const seeSource = useCallback(
    (ordinal: number) => {
      see(ordinal)
      setNotice(null)
    },
    [see],
  )
  const source = useSource(item, seeSource)

  const select = (index: number) => {
    const bounded = Math.max(0, Math.min(item.claims.length - 1, index))
    setSelected(bounded)
    const row = document.getElementById(`sentence-${bounded}`)
    row?.focus({ preventScroll: true })
    row?.scrollIntoView({ block: 'nearest' })
    // An open source follows the sentence.
    const [first] = item.claims[bounded]?.ordinals ?? []
    if (source.isOpen && first !== undefined && citations.has(first)) source.open(first, row)
  }
  const openBehind = () => {
    const behind = (item.claims[selected]?.ordinals ?? []).filter(
      (ordinal) => citations.get(ordinal)?.removed === false,
    )
    // Once it is open, the next one behind the same sentence.
    const next = behind.find((ordinal) => !work.work.seen.has(ordinal)) ?? behind[0]
    if (next !== undefined) source.open(next, document.getElementById(`sentence-${selected}`))
    else say('No source that can be opened stands behind this sentence.')
  }

  /** Null: it can be decided; else why not, and what to do. */
  const refusal = (): string | null => {
    if (item.state !== 'open') return 'It is decided already. N opens the next answer.'
    if (mine) return null
    const { who, words } = holderOf(item, viewer.id, nowMs)
    if (who === 'other') return `${words}. N opens the next answer.`
    return item.cannot ?? claim.trouble ?? 'It is being taken up for you. One moment.'
  }
  /** Whether a decision can be taken now; says so where not. */
  const mayDecide = (): boolean => {
    if (over.current) return false
    const refused = refusal()
    if (refused) say(refused)
    else if (!read && performance.now() - openedAtMs.current < settleMs)
      setNotice({ words: 'This answer has only just opened. Read it first, then press again.', soft: true })
    else return true
    return false
  }
  const warnedOf = useRef('')
  /** Asked once for the words as they stand. */
  const leavesComment = (): boolean => {
    const comment = work.work.comment.trim()
    if (!comment || comment === warnedOf.current) return false
    warnedOf.current = comment
    setCommentsOpen(true)
    say('Your comment is not sent yet: Ctrl Enter in its field sends it. Press again to go on without it.')
    return true
  }
  const put = (decision: ReviewDecisionRequest['decision'], words: string) => {
    if (leavesComment()) return
    const note = work.work.note.trim()
    const request: ReviewDecisionRequest = {
      itemId: item.id,
      contentHash: item.contentHash,
      decisionId: crypto.randomUUID(),
      decision: { ...decision, ...(note ? { note } : {}) },
    }
    over.current = 'decided'
    to.onDecide({ request, question: item.question, words })
  }

  const approve = () => {
    if (!mayDecide()) return
    const unseen = unseenOf(item, work.work.seen)
    const [first] = unseen
    if (edited) say('You have changed the answer. Ctrl Enter approves it with your edit; or undo the edit first.')
    else if (item.cannotApprove) say(item.cannotApprove)
    else if (first !== undefined) {
      const sentence = item.claims.findIndex((one) => isFlagged(one) && one.ordinals.includes(first))
      select(sentence)
      say(
        `Sentence ${sentence + 1} is not supported as written. Open its source first (Enter), then approve.${
          unseen.length > 1 ? ` ${unseen.length} sources are to be opened.` : ''
        }`,
      )
    } else put({ act: 'approve', seen: [...work.work.seen] }, 'Approved')
  }

  const [sendingEdit, setSendingEdit] = useState(false)
  const approveEdit = async () => {
    if (!mayDecide() || sendingEdit) return
    if (!edited) return say('Nothing is changed. E edits the sentence, A approves the answer as it stands.')
    if (!text.trim()) return say('Nothing is left of the answer. Reject it instead.')
    setSendingEdit(true)
    const checked = work.checked ?? (await work.check(text))
    setSendingEdit(false)
    // Left, or typed on, while it was checked.
    if (over.current) return
    if (work.textNow() !== text) return say('You have changed it since. Ctrl Enter approves it as it stands now.')
    if ('error' in checked) return say(checked.error)
    const { problems } = checked.check
    if (problems.length) return say(problems.join(' '))
    put({ act: 'edit', text }, 'Approved with your edit')
  }

  const reject = (reason: RejectReason) => {
    setMenu(null)
    if (mayDecide()) put({ act: 'reject', reason }, `Rejected: ${rejectWords[reason].toLowerCase()}`)
  }

  const startEdit = (what: number | 'whole') => {
    const refused = refusal()
    say(refused)
    if (refused) return
    // What was changed sentence by sentence is in the whole answer too.
    if (what === 'whole' && work.work.whole === null) work.setWhole(text)
    setEditing(work.work.whole === null && what !== 'whole' ? what : 'whole')
  }
  const doneEditing = () => {
    const was = editing
    setEditing(null)
    document.getElementById(`sentence-${was === 'whole' || was === null ? selected : was}`)?.focus()
  }
  const openMenu = (which: NonNullable<DeskMenu>) => {
    const refused = refusal()
    if (refused) say(refused)
    else setMenu(which)
  }
  const keepAs = (kind: KeepKind) => {
    if (keep.kinds.includes(kind)) return keep.press(kind)
    if (item.state === 'open') return say('Decide on the answer first. Then it can be kept.')
    say(
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
  const leave = () => {
    if (over.current || leavesComment()) return
    over.current = 'left'
    to.onNext(mine)
  }
  const moved = (words: string) => {
    setMenu(null)
    over.current = 'left'
    to.onMoved(words)
  }

  const acts: Record<DeskAct | 'approve-edit', () => unknown> = {
    'next-sentence': () => select(selected + 1),
    'previous-sentence': () => select(selected - 1),
    open: openBehind,
    approve,
    'approve-edit': approveEdit,
    edit: () => startEdit(item.claims.length ? selected : 'whole'),
    'edit-whole': () => startEdit('whole'),
    reject: () => openMenu('reject'),
    expert: () => openMenu('expert'),
    'hand-on': () => openMenu('hand-on'),
    comment,
    again: () => say(to.onAgain()),
    golden: () => keepAs('golden'),
    curated: () => keepAs('curated'),
    note: () => keepAs('note'),
    next: leave,
    'take-back': to.onTakeBack,
    keys: to.onKeys,
  }
  useDeskKeys(acts, source.close)

  return {
    ...{ item, claim, mine, nowMs, keep, work, cut, text, edited, citations, source, acts, notice },
    holder: holderOf(item, viewer.id, nowMs),
    isOpen: item.state === 'open',
    selected,
    setSelected,
    select,
    editing,
    startEdit,
    doneEditing,
    sendingEdit,
    menu,
    openMenu,
    closeMenu: () => setMenu(null),
    reject,
    moved,
    comments: { isOpen: commentsOpen, setOpen: setCommentsOpen, field: commentField },
  }
}
export type DeskState = ReturnType<typeof useDesk>
