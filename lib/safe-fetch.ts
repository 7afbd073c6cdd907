/**
 * `fetch` for addresses that people set: models' providers and webhooks. It reaches only public addresses, or for what an admin
 * calls local also this machine and private networks; never link-local ones, where clouds keep their credentials.
 *
 * Guarantees: what is checked is the address that is connected to, at the moment of the connection, so a name that changes its
 * answer gains nothing; each step of a redirect is checked again; a body goes to no origin but the one that was named; time and
 * size are bounded. Streams pass through as they come. Addresses from the environment are the operator's word and do not come here.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Agent, fetch as undiciFetch } from 'undici'

/** An address that must not be reached. `message` is in words for who set it. */
export class RefusedAddress extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RefusedAddress'
  }
}

/** The answer was larger than its bound. */
export class AnswerTooLarge extends Error {
  constructor(bytesMax: number) {
    super(`The answer was over ${bytesMax} bytes and was cut off.`)
    this.name = 'AnswerTooLarge'
  }
}

/** Every address of a name. */
export type Resolve = (host: string) => Promise<readonly { address: string; family: number }[]>

type SafeFetchOptions = {
  /** Loopback and private networks too, by an admin's word. */
  local?: boolean
  connectMs?: number
  /** From the request to the headers of its answer. */
  headersMs?: number
  /** Between two pieces of a body. */
  idleMs?: number
  totalMs?: number
  /** Of a decoded body. */
  bytesMax?: number
  resolve?: Resolve
}

const redirectsMax = 3
const defaults = { connectMs: 10_000, headersMs: 120_000, idleMs: 120_000, totalMs: 900_000, bytesMax: 64 * 1_048_576 }

/** Where clouds answer with credentials although the address is public or private by its range. */
const metadataAddresses = new Set(['168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'])
const globalIpv6 = ipaddr.IPv6.parseCIDR('2000::/3')
const nearRanges = new Set(['loopback', 'private', 'uniqueLocal'])

type AddressKind = 'public' | 'near' | 'never'

/** Whether an IP address is on the internet, on this machine or a private network, or of a kind that is never called. */
export const addressKind = (address: string): AddressKind => {
  if (!ipaddr.isValid(address)) return 'never'
  const ip = ipaddr.parse(address)
  // The long and the short way to write an address are one address.
  if (metadataAddresses.has(ip.kind() === 'ipv6' ? (ip as ipaddr.IPv6).toRFC5952String() : ip.toString()))
    return 'never'
  const range = ip.range()
  if (nearRanges.has(range)) return 'near'
  // An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4) would be a way around the table: none is unicast in 2000::/3.
  return range === 'unicast' && (ip.kind() === 'ipv4' || ip.match(globalIpv6)) ? 'public' : 'never'
}

const literalOf = ({ hostname }: URL): string | null => {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(bare) ? bare : null
}

const refuseAddress = (host: string, address: string, local: boolean): void => {
  const kind = addressKind(address)
  if (kind === 'public' || (kind === 'near' && local)) return
  const named = host === address ? host : `${host} (${address})`
  throw new RefusedAddress(
    kind === 'near'
      ? `${named} is inside a private network or on this machine, and such addresses are refused unless the provider is marked as local.`
      : `${named} is an address that is never called: link-local, reserved, or one where clouds keep credentials.`,
  )
}

/** The parsed address, checked as far as that goes without asking for names. Throws `RefusedAddress`, in words. */
export const checkAddress = (address: string | URL, { local = false }: { local?: boolean } = {}): URL => {
  if (!URL.canParse(String(address))) throw new RefusedAddress('That is no web address. It should begin with https://.')
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new RefusedAddress('Only http and https addresses are called.')
  if (url.username || url.password)
    throw new RefusedAddress('The address must not hold a name or a password. Take out what stands before the @.')
  const literal = literalOf(url)
  if (literal) refuseAddress(literal, literal, local)
  // Names for this machine need no lookup to be refused, and say it before a connection is tried.
  else if (!local && /^(?:.+\.)?localhost\.?$/i.test(url.hostname)) refuseAddress(url.hostname, '127.0.0.1', local)
  return url
}

const systemResolve: Resolve = (host) => systemLookup(host, { all: true, order: 'verbatim' })

/** A lookup for sockets: all answers are checked, one that is refused refuses all, and exactly the checked ones are connected to. */
export const checkedLookup =
  (resolve: Resolve, local: boolean): LookupFunction =>
  (host, options, done) => {
    resolve(host).then(
      (found) => {
        const addresses = found.map(({ address, family }) => ({ address, family }))
        try {
          for (const { address } of addresses) refuseAddress(host, address, local)
        } catch (error) {
          return done(error as NodeJS.ErrnoException, '', 0)
        }
        const [first] = addresses
        if (!first) return done(Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' }), '', 0)
        return options.all ? done(null, addresses) : done(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    )
  }

/** The refusal inside what the client threw around it. */
const refusalIn = (thrown: unknown): RefusedAddress | undefined => {
  if (thrown instanceof RefusedAddress) return thrown
  if (thrown instanceof AggregateError) return thrown.errors.map(refusalIn).find(Boolean)
  return thrown instanceof Error ? refusalIn(thrown.cause) : undefined
}

const redirectStatus = new Set([301, 302, 303, 307, 308])
const bodilessStatus = new Set([204, 205, 304])

type Step = { url: URL; method: string; headers: Headers; body: RequestInit['body'] }

/** The next request of a redirect, or a refusal. Credentials and bodies stay with the origin that was named. */
const follow = (step: Step, status: number, location: string, local: boolean): Step => {
  if (!URL.canParse(location, step.url)) throw new RefusedAddress('The server redirects to what is no web address.')
  const url = checkAddress(new URL(location, step.url), { local })
  if (step.url.protocol === 'https:' && url.protocol === 'http:')
    throw new RefusedAddress('The server redirects from https to http, which would send the request unprotected.')
  const sameOrigin = url.origin === step.url.origin
  const bodiless = step.method === 'GET' || step.method === 'HEAD'
  if (!bodiless && !sameOrigin)
    throw new RefusedAddress(
      `The server redirects to ${url.origin}. What is sent goes only to the address that was set: set that one if it is right.`,
    )
  const asGet = !bodiless && status !== 307 && status !== 308
  const headers = new Headers(step.headers)
  if (asGet) for (const name of ['content-type', 'content-length']) headers.delete(name)
  // Which headers hold a key differs by vendor, so another origin gets none but the harmless ones.
  const kept = sameOrigin ? headers : new Headers({ accept: headers.get('accept') ?? '*/*' })
  return { url, method: asGet ? 'GET' : step.method, headers: kept, body: asGet ? null : step.body }
}

/** Errors the stream when more than `bytesMax` came; passes everything else on at once. */
const bounded = (body: ReadableStream<Uint8Array>, bytesMax: number): ReadableStream<Uint8Array> => {
  let bytes = 0
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        bytes += chunk.byteLength
        if (bytes > bytesMax) controller.error(new AnswerTooLarge(bytesMax))
        else controller.enqueue(chunk)
      },
    }),
  )
}

/**
 * A `fetch` within the rules above; takes an address and the usual options, not a `Request`. Throws `RefusedAddress`, or what
 * `fetch` throws. One keeps its connections, so make it once.
 */
export const createSafeFetch = (options: SafeFetchOptions = {}): typeof fetch => {
  const { connectMs, headersMs, idleMs, totalMs, bytesMax } = { ...defaults, ...options }
  const { local = false, resolve = systemResolve } = options
  const agent = new Agent({
    connect: { lookup: checkedLookup(resolve, local), timeout: connectMs },
    headersTimeout: headersMs,
    bodyTimeout: idleMs,
  })

  const send = async ({ url, method, headers, body }: Step, signal: AbortSignal) => {
    try {
      return await undiciFetch(url, {
        method,
        headers: [...headers],
        // The two libraries' types of a body differ in name only; strings and bytes are what callers send.
        body: (body ?? null) as string | null,
        redirect: 'manual',
        signal,
        dispatcher: agent,
      })
    } catch (thrown) {
      throw refusalIn(thrown) ?? thrown
    }
  }

  return async (input, init = {}) => {
    if (input instanceof Request) throw new TypeError('Give an address and options, not a Request.')
    const deadline = AbortSignal.timeout(totalMs)
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
    let step: Step = {
      url: checkAddress(input, { local }),
      method: (init.method ?? 'GET').toUpperCase(),
      headers: new Headers(init.headers),
      body: init.body ?? null,
    }
    for (let redirects = 0; ; redirects++) {
      const response = await send(step, signal)
      const location = redirectStatus.has(response.status) ? response.headers.get('location') : null
      if (location === null) {
        const body = response.body as ReadableStream<Uint8Array> | null
        return new Response(body && !bodilessStatus.has(response.status) ? bounded(body, bytesMax) : null, {
          status: response.status,
          statusText: response.statusText,
          headers: [...response.headers],
        })
      }
      await response.body?.cancel()
      if (redirects === redirectsMax) throw new RefusedAddress(`The server redirects more than ${redirectsMax} times.`)
      step = follow(step, response.status, location, local)
    }
  }
}
