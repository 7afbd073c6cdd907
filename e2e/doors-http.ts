/** Knocking at doors over HTTP, as no browser would: many at once, every redirect looked at, whatever headers and bodies. */
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { AppError, type ErrorCode } from '../lib/shared/errors.ts'

const timeoutMs = 30_000
const agent = new Agent({ keepAlive: true, maxSockets: 12 })

export type Reply = { status: number; headers: Record<string, string>; text: string }
type Sent = { method?: string; headers?: Record<string, string>; body?: string | Buffer | undefined }

/** One request, no redirect followed. The body is read to its end, or for a stream of events until it is known to be one. */
export const knock = (url: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Reply> =>
  new Promise((resolve, reject) => {
    let answered = false
    // Node.js says the length by itself for some methods only.
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { method, headers: { ...headers, ...length }, agent, timeout: timeoutMs }
    const sent = httpRequest(url, options, (response) => {
      answered = true
      const parts: Buffer[] = []
      const end = () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          text: Buffer.concat(parts).toString('utf8'),
        })
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        end()
        response.destroy()
        return
      }
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', end)
      response.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(`No answer within ${timeoutMs} ms: ${method} ${url}`)))
    // One that is answered before it was sent whole may be cut off after the answer.
    sent.on('error', (error) => (answered ? undefined : reject(error)))
    sent.end(body)
  })

/** Text as it is on the wire: for requests that no library writes. What came back within `waitMs`. */
export const knockRaw = (url: string, text: string, waitMs = 700): Promise<string> =>
  new Promise((resolve) => {
    const { port, hostname } = new URL(url)
    const socket = connect(Number(port), hostname)
    let got = ''
    socket.on('data', (part) => {
      got += part
    })
    socket.on('error', () => resolve(got))
    socket.on('close', () => resolve(got))
    socket.write(text)
    setTimeout(() => socket.destroy(), waitMs).unref()
  })

const cookiesOf = ({ headers }: Reply): string =>
  (headers['set-cookie'] ?? '')
    .split(/,(?=[^;]+=)/)
    .map((cookie) => cookie.split(';')[0]?.trim())
    .join('; ')

/** The cookie of somebody who has signed in. Throws when they could not. */
export const signInOverHttp = async (base: string, email: string, password: string): Promise<string> => {
  const csrf = await knock(`${base}/api/auth/csrf`)
  const { csrfToken } = JSON.parse(csrf.text) as { csrfToken: string }
  const entered = await knock(`${base}/api/auth/callback/credentials`, {
    method: 'POST',
    headers: { cookie: cookiesOf(csrf), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken, email, password }).toString(),
  })
  const cookie = cookiesOf(entered)
  if (!cookie.includes('session'))
    throw new Error(`${email} did not come in: ${entered.status} ${entered.headers.location}`)
  return cookie
}

/** How a page is asked for. */
export const pageForms = {
  html: {},
  rsc: { rsc: '1' },
  prefetch: { rsc: '1', 'next-router-prefetch': '1' },
  segment: { rsc: '1', 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' },
} as const
export type PageForm = keyof typeof pageForms

/** A page in one form. The address that Next.js wants for a form (`?_rsc=…`) is followed, nothing else. */
export const askPage = async (base: string, path: string, form: PageForm, cookie: string): Promise<Reply> => {
  const headers = { ...pageForms[form], ...(cookie ? { cookie } : {}) }
  let reply = await knock(`${base}${path}`, { headers })
  for (let hops = 0; hops < 3 && reply.status === 307 && reply.headers.location?.includes('_rsc'); hops += 1)
    reply = await knock(new URL(reply.headers.location, base).href, { headers })
  return reply
}

/** What a page said: `200`, `404`, or `in` for the way to the sign-in page. As RSC the status is always 200, and the words tell. */
export const verdictOfPage = ({ status, headers, text }: Reply): string => {
  if (status === 307 && /^(https?:\/\/[^/]+)?\/sign-in(\?|$)/.test(headers.location ?? '')) return 'in'
  if (headers['content-type']?.startsWith('text/x-component')) {
    if (text.includes('NEXT_REDIRECT;replace;/sign-in')) return 'in'
    if (text.includes('NEXT_HTTP_ERROR_FALLBACK;404')) return '404'
  }
  return String(status)
}

/** A server action by its id, as the browser sends it. */
export const callAction = (
  base: string,
  page: string,
  { id, args, cookie, origin = base }: { id: string; args: string | Buffer; cookie: string; origin?: string | null },
  more: Record<string, string> = {},
): Promise<Reply> =>
  knock(`${base}${page}`, {
    method: 'POST',
    headers: {
      'next-action': id,
      accept: 'text/x-component',
      'content-type': 'text/plain;charset=UTF-8',
      ...(cookie ? { cookie } : {}),
      ...(origin === null ? {} : { origin }),
      ...more,
    },
    body: args,
  })

type ActionAnswer = { ok: boolean; error?: { code: ErrorCode } }

/** What an action answered: 200, or the status of its error; `none` when there is no answer of ours in it. */
export const verdictOfAction = ({ text }: Reply): string => {
  for (const line of text.split('\n')) {
    const json = /^\w+:(\{"ok":.*\})$/.exec(line)?.[1]
    if (!json) continue
    const { ok, error } = JSON.parse(json) as ActionAnswer
    return String(ok || !error ? 200 : new AppError(error.code).status)
  }
  return 'none'
}

/** Runs `work` over all, `atOnce` at a time, in their order. */
export const overAll = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  atOnce = 10,
): Promise<Result[]> => {
  const results: Result[] = []
  let next = 0
  const take = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as Item)
  }
  await Promise.all(Array.from({ length: atOnce }, take))
  return results
}

export const closeConnections = (): void => agent.destroy()
