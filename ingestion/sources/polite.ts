/**
 * Reading other people's web sites the way they ask for: what robots.txt forbids is not read, requests to a host follow each other
 * with a pause between them, and a host that says it has had enough is left alone.
 */
import robotsParser, { type Robot } from 'robots-parser'
import { type SourceContext, SourceFailure } from './connector.ts'

/** The name in robots.txt. */
const robotName = 'Footnote'
const pauseMsDefault = 1_000
const pauseMsMax = 10_000
const robotsCharsMax = 512_000
/** Answers of a host that wants fewer requests or none for now. */
const enough = new Set([429, 503])

/** As long as what robots.txt said is kept. RFC 9309: not over a day. */
const keptMs = 3_600_000

type Host = {
  robots: Robot
  pauseMs: number
  readyAtMs: number
  openedAtMs: number
  /** Ends with the request that is under way: one at a time, also of several sources. */
  turn: Promise<unknown>
}
type Hosts = Map<string, Promise<Host>>

/** Of this process, so that two sources of one site do not ask it twice as often. */
const sharedHosts: Hosts = new Map()

/** `robots.txt` of an origin. RFC 9309: what is not there allows all, and what cannot be asked for allows nothing. */
const readRobots = async (
  origin: string,
  { fetch, signal }: Pick<SourceContext, 'fetch' | 'signal'>,
): Promise<Robot> => {
  const address = `${origin}/robots.txt`
  const answer = await fetch(address, { signal })
  if (answer.status >= 500)
    throw new SourceFailure(
      `${address} cannot be read just now (${answer.status}), and it says what may be read. Nothing was changed.`,
    )
  const text = answer.ok ? (await answer.text()).slice(0, robotsCharsMax) : ''
  return robotsParser(address, text)
}

/** Ends the whole run: every further request would be one too many. */
export class HostHasEnough extends SourceFailure {
  constructor(host: string, status: number) {
    super(`${host} asks to be left alone for now (${status}). What was read so far stays; the next run goes on.`)
  }
}

export type PoliteFetch = (address: string, headers?: Record<string, string>) => Promise<Response>

/** One for a run. Throws `SourceFailure` for what the host forbids, and ends the run when it has had enough. */
export const createPoliteFetch = (
  context: Pick<SourceContext, 'fetch' | 'signal' | 'pause'>,
  { nowMs = () => performance.now(), hosts = sharedHosts }: { nowMs?: () => number; hosts?: Hosts } = {},
): PoliteFetch => {
  const open = async (origin: string): Promise<Host> => {
    const robots = await readRobots(origin, context)
    const askedMs = (robots.getCrawlDelay(robotName) ?? 0) * 1_000
    const pauseMs = Math.min(Math.max(askedMs, pauseMsDefault), pauseMsMax)
    const openedAtMs = nowMs()
    return { robots, pauseMs, readyAtMs: openedAtMs + pauseMs, openedAtMs, turn: Promise.resolve() }
  }
  const hostOf = async (origin: string): Promise<Host> => {
    const known = await hosts.get(origin)
    if (known && nowMs() - known.openedAtMs < keptMs) return known
    const opened = open(origin)
    hosts.set(origin, opened)
    // What could not be asked is asked again by the next one.
    opened.catch(() => hosts.delete(origin))
    return opened
  }
  return async (address, headers = {}) => {
    const { origin, host: name } = new URL(address)
    const host = await hostOf(origin)
    if (host.robots.isAllowed(address, robotName) === false)
      throw new SourceFailure(`robots.txt of ${name} asks not to read this page, and it is respected.`)
    const turn = host.turn.then(async () => {
      await context.pause(host.readyAtMs - nowMs())
      const answer = await context.fetch(address, { headers, signal: context.signal })
      host.readyAtMs = nowMs() + host.pauseMs
      return answer
    })
    host.turn = turn.catch(() => undefined)
    const answer = await turn
    if (enough.has(answer.status)) throw new HostHasEnough(name, answer.status)
    return answer
  }
}
