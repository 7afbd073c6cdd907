/**
 * Where a request comes from. The server writes one header on every request, over whatever the sender put there; everything else
 * reads that one and believes no header that anybody can send.
 */
import { z } from 'zod'

/** Written by the server itself; a client's copy never gets past `settleForwarding`. */
export const addressHeader = 'x-footnote-address'

const ip = z.union([z.ipv4(), z.ipv6()])

/** An address without port, brackets, zone or the IPv6 dress of an IPv4 one; null for what is none. */
const plainAddress = (text: string | undefined): string | null => {
  const bare = /^\s*(?:\[([^\]]+)\](?::\d+)?|(\d+(?:\.\d+){3})(?::\d+)?|([^\s]+))\s*$/.exec(text ?? '')
  const address = (bare?.[1] ?? bare?.[2] ?? bare?.[3] ?? '').replace(/%.*$/, '').toLowerCase()
  const inner = /^::ffff:(\d+(?:\.\d+){3})$/.exec(address)?.[1] ?? address
  return ip.safeParse(inner).success ? inner : null
}

type IncomingHeaders = Record<string, string | string[] | undefined>

/**
 * Who connected, as far as `trustedProxies` proxies of ours can tell: each appends the address it was called from, so that counting
 * from the right skips whatever the client wrote on the left. A chain that is too short or holds no address falls back to the socket.
 */
const whoConnected = (headers: IncomingHeaders, socketAddress: string | undefined, trustedProxies: number) => {
  const socket = plainAddress(socketAddress)
  if (trustedProxies === 0) return socket
  const chain = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  return plainAddress(chain.at(-trustedProxies)) ?? socket
}

/**
 * Settles, in place, what the headers say of the way a request came: the client's address goes into our own header, and without
 * proxies of ours every forwarding header is a claim of whoever sent it and is dropped before anything reads it.
 */
export const settleForwarding = (
  headers: IncomingHeaders,
  socketAddress: string | undefined,
  trustedProxies: number,
): void => {
  const address = whoConnected(headers, socketAddress, trustedProxies)
  if (address) headers[addressHeader] = address
  else delete headers[addressHeader]
  if (trustedProxies > 0) return
  for (const name of Object.keys(headers))
    if (/^(x-forwarded-.*|forwarded|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/.test(name))
      delete headers[name]
}

/** What attempts are counted by: an address, or of IPv6 the /64 that one household or machine has to itself. */
export const addressBlock = (address: string): string => {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const middle =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  const groups = [...left, ...middle, ...right].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${groups.join(':')}::/64`
}
