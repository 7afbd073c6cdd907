/** What a fault of `npm run chaos` is, and the words that its rows are made of. */
import type { OpenWorld, Remains, WorldOptions } from './chaos-world.ts'

export type Check = { what: string; holds: boolean; seen: string }

export type Stage = {
  /** A world of its own. The one before it is ended, and the invariants of each are judged. */
  open(options?: WorldOptions): Promise<OpenWorld>
  /** At full length, where the short form is only a sample. */
  full: boolean
}

export type Fault = {
  id: string
  name: string
  expected: string
  run(stage: Stage): Promise<Check[]>
  /** What must hold of what is left in the databases, a world each in the order of opening. */
  after?(remains: readonly Remains[]): Check[]
}

export const check = (what: string, holds: boolean, seen: string): Check => ({ what, holds, seen })
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
