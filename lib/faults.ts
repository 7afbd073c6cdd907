/** What nothing handled ends the process: its state cannot be trusted any more. Whoever runs it starts it again. */
import { log } from './log.ts'

type Watched = Pick<NodeJS.Process, 'on'> & { exit(code: number): void }

/**
 * Logs an exception or a rejection that nothing handled, lets `drain` refuse what is new and finish what is open, and ends with status
 * 1: after `graceMs` in any case. More faults meanwhile are logged.
 */
export const endOnFault = (drain: () => Promise<unknown>, graceMs: number, watched: Watched = process): void => {
  let ending = false
  const onFault = (error: unknown): void => {
    log.fatal({ err: error }, 'a fault that nothing handled')
    if (ending) return
    ending = true
    setTimeout(() => watched.exit(1), graceMs)
    const done = () => watched.exit(1)
    drain().then(done, (failed: unknown) => {
      log.fatal({ err: failed }, 'stopping failed')
      done()
    })
  }
  watched.on('uncaughtException', onFault)
  watched.on('unhandledRejection', onFault)
}
