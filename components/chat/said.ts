/** What a viewer says of one answer, between the buttons and the server. What was typed or chosen stays until the server has it. */
import { type Feedback, feedbackReasons } from '#lib/shared/review-contract.ts'
import { createStore, type Store } from './store.ts'

type Thumb = Feedback['value']

type SaidState = {
  /** Shown at once; what is stored comes back when it is refused. */
  said: Feedback | null
  /** The thumb that is asked about: the one that is shown, or that could not be kept. */
  thumb: Thumb | null
  reasons: readonly string[]
  comment: string
  problem: string | null
  pending: boolean
}

type Said = {
  readonly state: Store<SaidState>
  choose: (reason: string) => void
  type: (comment: string) => void
  /** Another thumb counts with the press, and takes along the words that are stored. True when it is kept. */
  press: (thumb: Thumb) => Promise<boolean>
  /** True when all that stands there is kept. */
  sendWords: () => Promise<boolean>
  /** Words that were never sent are not taken back with it. */
  takeBack: () => Promise<boolean>
}

type SaidOptions = {
  stored: Feedback | null
  /** What was typed before and never sent. */
  draft: string
  send: (said: Feedback | null) => Promise<{ value: Feedback | null } | { error: string }>
  /** With what is typed and not sent; empty: nothing. */
  onDraft: (words: string) => void
}

export const reasonsOf = (thumb: Thumb): readonly string[] => feedbackReasons[thumb === 1 ? 'up' : 'down']

/** One request runs at a time. What is said meanwhile waits for its end, and the last of it wins: each is the whole. */
export const createSaid = ({ stored, draft, send, onDraft }: SaidOptions): Said => {
  const state = createStore<SaidState>({
    said: stored,
    thumb: stored?.value ?? null,
    reasons: stored?.reasons ?? [],
    comment: draft || (stored?.comment ?? ''),
    problem: null,
    pending: false,
  })
  const set = (change: Partial<SaidState>): void => state.set({ ...state.get(), ...change })
  /** Reasons for the one thumb say nothing beside the other. */
  const chosenFor = (thumb: Thumb | null): string[] =>
    thumb ? state.get().reasons.filter((reason) => reasonsOf(thumb).includes(reason)) : []

  let kept = stored
  let running: Promise<unknown> = Promise.resolve()
  let newest = 0

  const say = async (said: Feedback | null): Promise<boolean> => {
    newest += 1
    const mine = newest
    set({ said, thumb: said?.value ?? null, problem: null, pending: true })
    await running
    if (mine !== newest) return false
    const before = kept
    const sent = send(said)
    running = sent
    const done = await sent
    if ('value' in done) kept = done.value
    if (mine !== newest) return false
    if ('error' in done) {
      set({ said: kept, thumb: kept?.value ?? said?.value ?? null, problem: done.error, pending: false })
      return false
    }
    const { comment } = state.get()
    const left = said === null && comment.trim() === before?.comment ? '' : comment
    set({ said: kept, pending: false, reasons: chosenFor(kept?.value ?? null), comment: left })
    onDraft(left.trim() === (kept?.comment ?? '') ? '' : left)
    return true
  }

  return {
    state,
    choose: (reason) => {
      const { reasons } = state.get()
      set({ reasons: reasons.includes(reason) ? reasons.filter((one) => one !== reason) : [...reasons, reason] })
    },
    type: (comment) => {
      set({ comment })
      onDraft(comment)
    },
    press: async (thumb) => {
      const { said } = state.get()
      if (said?.value === thumb) return true
      return say({ value: thumb, reasons: chosenFor(thumb), comment: said?.comment ?? '' })
    },
    sendWords: async () => {
      const { thumb, comment } = state.get()
      if (!thumb) return false
      const reasons = chosenFor(thumb)
      if (!(await say({ value: thumb, reasons, comment: comment.trim() }))) return false
      // What was added while it was sent is not kept yet.
      return state.get().comment === comment && chosenFor(thumb).join() === reasons.join()
    },
    takeBack: async () => (state.get().said ? say(null) : false),
  }
}
