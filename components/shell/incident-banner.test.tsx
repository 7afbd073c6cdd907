import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { IncidentBanner } from './incident-banner.tsx'
import { askNotices } from './use-notices.ts'

const notice = {
  id: '1',
  words: 'Answers are switched off since 14:02 UTC: <b>Why</b>.',
  since: '2026-05-04T14:02:00Z',
}

/** A server that remembers what it was sent. */
const server = (answer: (tag: string | null) => Response) => {
  const tags: (string | null)[] = []
  const plain = (async (_input, init) => {
    const tag = new Headers(init?.headers).get('if-none-match')
    tags.push(tag)
    return answer(tag)
  }) as typeof fetch
  return { tags, plain }
}

describe('the notice of what is switched off', () => {
  it('is there with the page, as plain words, and is a silent region while nothing is off', () => {
    const off = renderToStaticMarkup(<IncidentBanner initial={[notice]} />)
    expect(off).toContain('role="status"')
    expect(off).toContain('Answers are switched off since 14:02 UTC: &lt;b&gt;Why&lt;/b&gt;.')
    expect(renderToStaticMarkup(<IncidentBanner initial={[]} />)).toMatch(/^<div role="status"[^>]*><\/div>$/)
  })

  it('asks with the tag that it was given, and learns nothing new from the same', async () => {
    const { tags, plain } = server((tag) =>
      tag === '"a"'
        ? new Response(null, { status: 304 })
        : Response.json({ notices: [notice] }, { headers: { etag: '"a"' } }),
    )
    const first = await askNotices(plain, null)
    expect(first).toEqual({ notices: [notice], tag: '"a"', over: false })
    expect(await askNotices(plain, first.tag)).toEqual({ notices: null, tag: '"a"', over: false })
    expect(tags).toEqual([null, '"a"'])
  })

  it('keeps what it shows while the server does not answer, and ends with the session', async () => {
    const kept = { notices: null, tag: '"a"' }
    expect(await askNotices(server(() => new Response('no', { status: 503 })).plain, '"a"')).toEqual({
      ...kept,
      over: false,
    })
    expect(await askNotices(server(() => new Response('{', { status: 200 })).plain, '"a"')).toEqual({
      ...kept,
      over: false,
    })
    expect(await askNotices(server(() => new Response('', { status: 401 })).plain, '"a"')).toEqual({
      ...kept,
      over: true,
    })
    const gone = (async () => Promise.reject(new TypeError('offline'))) as unknown as typeof fetch
    expect(await askNotices(gone, '"a"')).toEqual({ ...kept, over: false })
  })
})
