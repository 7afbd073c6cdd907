/**
 * The pages that a site lists in its sitemap (sitemaps.org): plain or gzipped, as XML, as text, or as an index of others. Only pages
 * of the same host count, as the protocol wants it.
 */
import { pipeline, Readable } from 'node:stream'
import { setImmediate as breathe } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { sourceKinds } from '#lib/shared/sources-contract.ts'
import { type Connector, readBody, SourceFailure } from './connector.ts'
import { createGlobFilter } from './glob.ts'
import { createPoliteFetch, type PoliteFetch } from './polite.ts'
import { createPageReader } from './web-page.ts'

const charsMax = 52_428_800
const sitemapsMax = 50
/** As many as the protocol allows in one file. */
const addressesMax = 50_000
/** Longer than any address; what is left of a piece is kept for the next one up to this. */
const restCharsMax = 8_192

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescaped = (text: string): string =>
  text
    .replace(/^\s*<!\[CDATA\[([\s\S]*?)\]\]>\s*$/, '$1')
    .replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{1,5}));/gi, (whole, decimal, hex, name) => {
      const code = decimal ? Number(decimal) : hex ? Number.parseInt(hex, 16) : null
      if (code !== null) return code <= 0x10ffff ? String.fromCodePoint(code) : whole
      return named[String(name).toLowerCase()] ?? whole
    })
    .trim()

/** Unpacks what is gzipped, whatever the server calls it. */
const unpacked = async (body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> => {
  const pieces = Readable.from(body)
  const first: Uint8Array | null = await new Promise((resolve, reject) => {
    pieces.once('error', reject).once('end', () => resolve(null))
    pieces.once('readable', () => resolve(pieces.read()))
  })
  if (!first) return Readable.from([])
  pieces.unshift(first)
  if (first[0] !== 0x1f || first[1] !== 0x8b) return pieces
  return pipeline(pieces, createGunzip(), () => undefined)
}

/**
 * The addresses in a sitemap, in their order; `isIndex` when they are sitemaps themselves. Reads piece by piece and takes nothing
 * but `<loc>`: no entity of the document's own is expanded, and no piece is held that is not needed.
 */
export const readSitemap = async (
  body: AsyncIterable<Uint8Array>,
): Promise<{ isIndex: boolean; addresses: string[]; cut: boolean }> => {
  const decoder = new TextDecoder()
  const addresses: string[] = []
  const mark = /<!--[\s\S]*?(?:-->|$)|<loc>([^<]{0,4000}|\s*<!\[CDATA\[[^\]]{0,4000}\]\]>\s*)<\/loc>/g
  let chars = 0
  let rest = ''
  let kind = 'unknown' as 'unknown' | 'text' | 'index' | 'pages'
  const take = (isLast: boolean): void => {
    if (kind === 'unknown' && (isLast || rest.trimStart().length > 0)) {
      if (!rest.trimStart().startsWith('<')) kind = 'text'
      else if (/<sitemapindex[\s>]/.test(rest)) kind = 'index'
      else if (/<urlset[\s>]/.test(rest)) kind = 'pages'
    }
    if (kind === 'unknown') return
    if (kind === 'text') {
      const lines = rest.split(/\r?\n/)
      rest = isLast ? '' : (lines.pop() ?? '')
      for (const line of lines) if (URL.canParse(line.trim())) addresses.push(line.trim())
      return
    }
    let end = 0
    for (const match of rest.matchAll(mark)) {
      const [whole, address] = match
      // A comment whose end is still to come: only that it is open has to be remembered.
      if (address === undefined && !whole.endsWith('-->')) {
        rest = `<!--${whole.slice(4).slice(-2)}`
        return
      }
      end = match.index + whole.length
      if (address !== undefined) addresses.push(unescaped(address))
    }
    rest = rest.slice(Math.max(end, rest.length - restCharsMax))
  }
  for await (const piece of await unpacked(body)) {
    const text = decoder.decode(piece, { stream: true })
    chars += text.length
    if (chars > charsMax) throw new SourceFailure('The sitemap unpacks to more than 50 MB.')
    rest += text
    take(false)
    if (kind === 'unknown' && rest.length > restCharsMax) break
    if (addresses.length >= addressesMax) return { isIndex: kind === 'index', addresses, cut: true }
    // A large one is read beside everything else that the process does.
    await breathe()
  }
  take(true)
  if (kind === 'unknown')
    throw new SourceFailure('There is no sitemap at that address. It is often at /sitemap.xml; robots.txt names it.')
  return { isIndex: kind === 'index', addresses, cut: false }
}

const bareHost = (host: string): string => host.replace(/^www\./, '')

/** All pages of a sitemap, each once, through at most one level of index. */
const collect = async (address: string, politely: PoliteFetch): Promise<{ pages: URL[]; cut: boolean }> => {
  const host = bareHost(new URL(address).host)
  const pages = new Map<string, URL>()
  let cut = false
  const own = (addresses: readonly string[]): URL[] =>
    addresses.flatMap((one) => {
      const parsed = URL.canParse(one, address) ? new URL(one, address) : null
      return parsed && /^https?:$/.test(parsed.protocol) && bareHost(parsed.host) === host ? parsed : []
    })
  const read = async (from: string) => {
    const answer = await politely(from)
    if (!answer.ok) throw new SourceFailure(`The sitemap ${from} cannot be read: the server answered ${answer.status}.`)
    return readSitemap(readBody(answer))
  }
  const add = (found: { addresses: readonly string[]; cut: boolean }): void => {
    cut ||= found.cut
    for (const page of own(found.addresses)) {
      page.hash = ''
      if (pages.size < addressesMax) pages.set(page.href, page)
      else cut = true
    }
  }
  const first = await read(address)
  if (!first.isIndex) add(first)
  else {
    const sitemaps = own(first.addresses)
    cut ||= sitemaps.length > sitemapsMax
    for (const { href } of sitemaps.slice(0, sitemapsMax)) {
      const found = await read(href)
      if (!found.isIndex) add(found)
    }
  }
  return { pages: [...pages.values()], cut }
}

/** The pages that a site's sitemap lists. */
export const sitemap: Connector<'sitemap'> = {
  ...sourceKinds.sitemap,
  kind: 'sitemap',
  list: async function* ({ url, include, exclude, pagesMax }, context) {
    const politely = createPoliteFetch(context)
    const { pages, cut } = await collect(new URL(url).href, politely)
    const isWanted = createGlobFilter({ include, exclude })
    const wanted = pages.filter(({ pathname }) => isWanted(pathname.replace(/^\/|\/$/g, '')))
    const listed = wanted.slice(0, pagesMax)
    if (pages.length === 0)
      throw new SourceFailure(
        'The sitemap lists no page of its own host. Take the address under which the pages are, and try again.',
      )
    if (cut || wanted.length > pagesMax)
      context.note(
        `The sitemap lists ${wanted.length}${cut ? ' or more' : ''} pages; the first ${listed.length} are read. Raise the limit, or say which paths count.`,
      )
    context.expect(listed.length)
    const read = createPageReader(context, politely)
    for (const { href } of listed) {
      const page = await read(href)
      if (page) yield page
    }
  },
}
