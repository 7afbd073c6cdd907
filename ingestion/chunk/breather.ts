/** Long documents are cut in the process that answers questions: nobody there may wait for them. */
import { setImmediate } from 'node:timers/promises'

const heldMsMax = 8

/** Lets others run: at once when the last time was some milliseconds ago, else not at all. */
export type Breather = () => Promise<void>

export const createBreather = (): Breather => {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < heldMsMax) return
    await setImmediate()
    since = performance.now()
  }
}
