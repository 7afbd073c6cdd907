/**
 * The order of the desk: which answer is open, which one comes next, and what was done to each, so that nothing of it is lost on the
 * way between two. No screen and no wire of its own.
 */
import type { DeskItem } from './desk-contract.ts'
import type { Got } from './review-wire.ts'
import type { Work } from './use-work.ts'

export type Shown =
  /** `turn` is another one each time; `read`: this reviewer had just decided on it, so that it is nothing new to them. */
  | { kind: 'item'; opened: DeskItem; kept: Work | undefined; turn: number; read: boolean }
  | { kind: 'looking' }
  /** `passed`: how many were left to others and are not offered again by themselves. */
  | { kind: 'none'; error: string | null; passed: number }

type TurnsOptions = {
  initial: DeskItem
  take: (except: readonly string[]) => Promise<Got<DeskItem | null>>
  get: (itemId: string) => Promise<Got<DeskItem>>
  letGo: (itemId: string) => void
  onShown: (shown: Shown) => void
  after?: (ms: number, run: () => void) => () => void
}

/** What comes sooner is shown without a word that it is looked for. */
const lookingAfterMs = 80
/** As many as the server leaves out. */
const exceptMax = 50
const worksMax = 100

const realAfter: NonNullable<TurnsOptions['after']> = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

export const createTurns = ({ initial, take, get, letGo, onShown, after = realAfter }: TurnsOptions) => {
  /** As it is now; null from the moment on that another one is wanted. */
  let current: DeskItem | null = initial
  const currentId = () => current?.item.id ?? null
  /** What was done to each answer since the page was opened. */
  const works = new Map<string, { contentHash: string; work: Work }>()
  /** Taken up already, so that nobody else starts on it; null: not asked yet. */
  let next: Promise<Got<DeskItem | null>> | null = null
  /** What is taken up by this reviewer, open before them, and not decided. */
  let held: string | null = null
  /** The one that was decided last: for a few seconds it is still open. */
  let decided: DeskItem | null = null
  let passed: readonly string[] = []
  /** Counts what was asked to be shown: an answer that comes late must not push away what was asked for after it. */
  let asked = 0

  const takeAnother = () => {
    const before = [current, decided].flatMap((one) => (one ? [one.item.id] : []))
    return take([...new Set([...before, ...passed.toReversed()])].slice(0, exceptMax))
  }
  const letGoOf = (taken: typeof next, but: string | null = null): void =>
    void taken?.then((got) => 'value' in got && got.value && got.value.item.id !== but && letGo(got.value.item.id))

  const show = (opened: DeskItem, read = false): void => {
    asked += 1
    current = opened
    const kept = works.get(opened.item.id)
    onShown({
      ...{ kind: 'item', opened, turn: asked, read },
      kept: kept?.contentHash === opened.item.contentHash ? kept.work : undefined,
    })
  }
  const showNone = (error: string | null): void => onShown({ kind: 'none', error, passed: passed.length })

  const openNext = async (): Promise<void> => {
    asked += 1
    const place = asked
    const isLate = () => place !== asked
    const taking = next ?? takeAnother()
    next = null
    current = null
    const cancel = after(lookingAfterMs, () => !isLate() && onShown({ kind: 'looking' }))
    let got = await taking
    // What was free a while ago may be decided by now, or nothing was there yet.
    if ('error' in got || !got.value || got.value.item.id === decided?.item.id) got = await takeAnother()
    cancel()
    if (isLate()) {
      // Something else is open by now: it comes after that, or is for others.
      const came = 'value' in got ? got.value : null
      if (!came || came.item.id === currentId()) return
      if (next) letGo(came.item.id)
      else next = Promise.resolve({ value: came })
    } else if ('error' in got) showNone(got.error)
    else if (got.value) show(got.value)
    else showNone(null)
  }

  /** What is open becomes the next one again, and what would have come after it is for others. */
  const putBehind = (opening: string): void => {
    held = null
    if (current?.item.state !== 'open') return
    letGoOf(next, opening)
    next = Promise.resolve({ value: current })
  }
  const pass = (itemId: string): void => {
    passed = [...passed.filter((one) => one !== itemId), itemId]
  }

  return {
    /** The answer that is open as it is by now, and what was done to it. */
    wrote(opened: DeskItem, work: Work): void {
      if (currentId() !== opened.item.id) return
      current = opened
      works.delete(opened.item.id)
      works.set(opened.item.id, { contentHash: opened.item.contentHash, work })
      const [oldest] = works.keys()
      if (works.size > worksMax && oldest) works.delete(oldest)
    },
    /** Whether what is open is taken up by this reviewer. The next one is taken up then, not before: it could be this one. */
    mine(mine: boolean): void {
      if (mine) {
        held = currentId()
        next ??= takeAnother()
      } else if (held === currentId()) held = null
    },
    /** A decision on what is open is on its way. */
    decide(): Promise<void> {
      held = null
      decided = current
      return openNext()
    },
    /** Leaves what is open to others: it is not offered again before everything else was. `isMine`: it has to be let go. */
    pass(isMine: boolean): Promise<void> {
      held = null
      if (current?.item.state === 'open') {
        pass(current.item.id)
        if (isMine) letGo(current.item.id)
      }
      return openNext()
    },
    /** What is open was given to somebody else. */
    handOn(): Promise<void> {
      held = null
      if (current) pass(current.item.id)
      return openNext()
    },
    /** From the top of the queue again, with those that were passed over. */
    lookAgain(): Promise<void> {
      passed = []
      return openNext()
    },
    /** The decision on `itemId` was taken back. */
    takeBack(itemId: string): void {
      if (decided?.item.id !== itemId) return
      const was = decided
      decided = null
      putBehind(itemId)
      held = itemId
      show(was, true)
    },
    /** Opens a certain one. Gives why not, in words; null: it is open, or something else was asked for meanwhile. */
    async open(itemId: string): Promise<string | null> {
      if (itemId === currentId()) return null
      asked += 1
      const place = asked
      const got = await get(itemId)
      if (place !== asked) return null
      if ('error' in got) {
        // Whoever waits for the next one still does.
        if (!current) void openNext()
        return got.error
      }
      putBehind(itemId)
      show(got.value)
      return null
    },
    /** Whoever leaves without a decision holds nothing up. Whoever comes back takes it up again. */
    leave(): void {
      letGoOf(next)
      next = null
      if (held) letGo(held)
      held = null
    },
  }
}
