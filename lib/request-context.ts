/** The request being served, for what is written on its way without being handed it: log lines and audit lines. */
import { AsyncLocalStorage } from 'node:async_hooks'

export type RequestContext = {
  requestId: string
  /** Where it came from, as far as the proxies in front can be trusted; null when that cannot be told. */
  address: string | null
  /** The trace of the answer that it asked for. */
  traceId?: string
}

type Held = { footnoteRequests?: AsyncLocalStorage<RequestContext> }
const held = globalThis as typeof globalThis & Held
/** One a process, whichever bundle asks. */
const storage = (): AsyncLocalStorage<RequestContext> => {
  held.footnoteRequests ??= new AsyncLocalStorage()
  return held.footnoteRequests
}

export const withRequest = <Result>(context: RequestContext, work: () => Result): Result => storage().run(context, work)

/** Undefined outside a request: in a job, a command or a test. */
export const currentRequest = (): RequestContext | undefined => storage().getStore()

/** What the request writes from here on belongs to this trace, also after it was answered. */
export const noteTrace = (traceId: string): void => {
  const request = currentRequest()
  if (request) request.traceId = traceId
}
