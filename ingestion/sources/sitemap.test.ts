import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { SourceConfig } from '#lib/shared/sources-contract.ts'
import { pauseWith, type SourceContext } from './connector.ts'
import { createGlobFilter } from './glob.ts'
import { createPoliteFetch } from './polite.ts'
import { readSitemap, sitemap } from './sitemap.ts'
import { pageName } from './web-page.ts'

const pieces = async function* (bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const xml = (text: string, size = 7) => pieces(new TextEncoder().encode(text), size)

/** A site that answers from a table, what it was asked, and a clock that only pauses move. */
const openSite = (pages: Record<string, string | Response>) => {
  const asked: string[] = []
  const pauses: number[] = []
  let nowMs = 0
  const notes: string[] = []
  const signal = new AbortController().signal
  const context: SourceContext = {
    signal,
    fetch: async (input) => {
      asked.push(String(input))
      const page = pages[new URL(String(input)).pathname] ?? new Response(null, { status: 404 })
      return typeof page === 'string' ? new Response(page, { headers: { 'content-type': 'text/html' } }) : page.clone()
    },
    previous: () => undefined,
    expect: () => undefined,
    note: (words) => notes.push(words),
    pause: async (ms) => {
      if (ms <= 0) return
      pauses.push(ms)
      nowMs += ms
    },
  }
  return { context, asked, pauses, notes, polite: createPoliteFetch(context, { nowMs: () => nowMs, hosts: new Map() }) }
}
const config: SourceConfig<'sitemap'> = {
  url: 'https://site.test/sitemap.xml',
  include: [],
  exclude: [],
  pagesMax: 500,
  local: false,
}
const urisOf = async (context: SourceContext, more: Partial<typeof config> = {}): Promise<string[]> => {
  const uris: string[] = []
  for await (const { uri } of sitemap.list({ ...config, ...more }, context)) uris.push(uri)
  return uris
}

test('a sitemap is read in pieces of any size, gzipped or not, and nothing in it is expanded', async () => {
  const text = `\ufeff<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY boom "boom">]>
    <urlset xmlns:image="x"><!-- <loc>https://site.test/old</loc> -->
    <url><loc> https://site.test/a?x=1&amp;y=2 </loc><image:loc>https://site.test/p.png</image:loc></url>
    <url><loc><![CDATA[https://site.test/b]]></loc></url><url><loc>https://site.test/&boom;&#252;</loc></url></urlset>`
  const found = ['https://site.test/a?x=1&y=2', 'https://site.test/b', 'https://site.test/&boom;ü']
  for (const size of [1, 7, 100_000]) expect((await readSitemap(xml(text, size))).addresses).toEqual(found)
  const packed = gzipSync(text)
  expect((await readSitemap(pieces(packed, 50))).addresses).toEqual(found)
  expect((await readSitemap(xml('https://site.test/1\nhttps://site.test/2\n'))).addresses).toHaveLength(2)
  await expect(readSitemap(xml('<html><body>Not found</body></html>'))).rejects.toThrow('no sitemap')
})

test('a sitemap that unpacks without end is refused, and one of too many pages is cut', async () => {
  const bomb = gzipSync(`<urlset>${' '.repeat(60_000_000)}`)
  await expect(readSitemap(pieces(bomb, 16_384))).rejects.toThrow('50 MB')
  const many = `<urlset>${Array.from({ length: 50_010 }, (_, i) => `<loc>https://site.test/${i}</loc>`).join('')}</urlset>`
  expect((await readSitemap(xml(many, 65_536))).cut).toBe(true)
})

test('an index leads to its sitemaps, pages of other hosts and unwanted ones are left out, and a limit is told of', async () => {
  const { context, notes } = openSite({
    '/sitemap.xml':
      '<sitemapindex><loc>https://site.test/one.xml</loc><loc>https://evil.test/x.xml</loc></sitemapindex>',
    '/one.xml':
      '<urlset><loc>https://site.test/docs/a</loc><loc>https://www.site.test/docs/b/</loc><loc>https://evil.test/docs/c</loc><loc>https://site.test/blog/d</loc></urlset>',
    '/docs/a': 'a',
    '/docs/b/': 'b',
    '/blog/d': 'd',
  })
  expect(await urisOf(context, { include: ['/docs/**'] })).toEqual([
    'https://site.test/docs/a',
    'https://www.site.test/docs/b/',
  ])
  expect(notes).toEqual([])
  expect(await urisOf(context, { exclude: ['docs'] })).toEqual(['https://site.test/blog/d'])
  expect(await urisOf(context, { pagesMax: 1 })).toEqual(['https://site.test/docs/a'])
  expect(notes).toEqual([expect.stringContaining('lists 3 pages; the first 1')])
})

test('robots.txt is asked first and obeyed, and requests to a host keep the distance it wants', async () => {
  const { polite, asked, pauses } = openSite({
    '/robots.txt': 'User-agent: *\nDisallow: /private\nCrawl-delay: 3\n',
    '/a': 'a',
    '/b': 'b',
  })
  await polite('https://site.test/a')
  await polite('https://site.test/b')
  await expect(polite('https://site.test/private/x')).rejects.toThrow('asks not to read')
  expect(asked).toEqual(['https://site.test/robots.txt', 'https://site.test/a', 'https://site.test/b'])
  expect(pauses).toEqual([3_000, 3_000])
  const greedy = openSite({ '/robots.txt': 'User-agent: Footnote\nCrawl-delay: 86400\n', '/a': 'a' })
  await greedy.polite('https://site.test/a')
  expect(greedy.pauses).toEqual([10_000])
})

test('a host that is down or has had enough is not asked for pages', async () => {
  const down = openSite({ '/robots.txt': new Response(null, { status: 500 }), '/a': 'a' })
  await expect(down.polite('https://site.test/a')).rejects.toThrow('Nothing was changed')
  expect(down.asked).toHaveLength(1)
  const { context, asked } = openSite({
    '/sitemap.xml': '<urlset><loc>https://site.test/a</loc><loc>https://site.test/b</loc></urlset>',
    '/a': new Response(null, { status: 429 }),
    '/b': 'b',
  })
  await expect(urisOf(context)).rejects.toThrow('left alone')
  expect(asked).not.toContain('https://site.test/b')
})

test('a pause ends with the run', async () => {
  const stopping = new AbortController()
  const pause = pauseWith(stopping.signal)(60_000)
  stopping.abort(new Error('stopped'))
  await expect(pause).rejects.toThrow()
})

test.each([
  ['https://a.test/docs/start/', 'text/html; charset=utf-8', 'start.html'],
  ['https://a.test/', 'text/html', 'a.test.html'],
  ['https://a.test/guide.htm', 'text/html', 'guide.htm'],
  ['https://a.test/page.php?id=3&x=y', 'text/html', 'page.php-id-3-x-y.html'],
  ['https://a.test/files/Gr%C3%BC%C3%9Fe.pdf', 'application/pdf', 'Grüße.pdf'],
  ['https://a.test/download', 'application/pdf', 'download.pdf'],
  ['https://a.test/notes.md', 'text/plain', 'notes.md'],
  ['https://a.test/license', 'text/plain', 'license.txt'],
  ['https://a.test/report.pdf', 'application/octet-stream', 'report.pdf'],
  ['https://a.test/%2e%2e%2fpasswd', 'text/plain', '../passwd.txt'],
  ['https://a.test/photo.jpg', 'image/jpeg', undefined],
  ['https://a.test/app.exe', 'application/octet-stream', undefined],
])('%s of type %s is called %s', (address, type, name) => {
  expect(pageName(address, type)).toBe(name)
})

test('patterns choose paths, a folder means all in it, and what is excluded wins', () => {
  const isWanted = createGlobFilter({ include: ['docs', '*.md'], exclude: ['**/draft*', '/docs/old/'] })
  expect(['docs/a.md', 'docs/x/b.txt', 'readme.md'].every(isWanted)).toBe(true)
  expect(['src/a.md', 'docs/draft.md', 'docs/old/a.md'].some(isWanted)).toBe(false)
})
