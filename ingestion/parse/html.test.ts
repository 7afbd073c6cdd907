import { describe, expect, it } from 'vitest'
import { parseHtml } from './html.ts'

const page = `<!doctype html><html><head><title>Release notes</title><style>p { color: red }</style></head><body>
<nav><a href="/">Home</a> <a href="/shop">Shop</a></nav>
<main><h1>HaldenOS 4.5</h1><p>Calibration is <b>twice</b> as fast.<br>It keeps its log.</p>
<ul><li>New menu<ul><li>with search</li></ul></li><li>Fewer clicks</li></ul>
<table><tr><th>Version</th><th>Date</th></tr><tr><td>4.5</td><td>1 March</td></tr></table>
<pre>set guard on
  set limit 20</pre><script>alert('no')</script></main>
<footer>All rights reserved</footer></body></html>`

describe('html', () => {
  it('keeps what is said and drops navigation, scripts and footers', () => {
    const { title, text } = parseHtml(Buffer.from(page))
    expect(title).toBe('Release notes')
    expect(text).toBe(
      [
        'HaldenOS 4.5',
        'Calibration is twice as fast. It keeps its log.',
        '- New menu\n- with search\n- Fewer clicks',
        'Version | Date\n4.5 | 1 March',
        'set guard on\n  set limit 20',
      ].join('\n\n'),
    )
  })

  it('reads every article of a page', () => {
    const articles = ['One', 'Two', 'Three'].map((name) => `<article><h2>${name}</h2><p>Story ${name}.</p></article>`)
    expect(parseHtml(Buffer.from(`<html><body>${articles.join('')}</body></html>`)).text).toBe(
      'One\n\nStory One.\n\nTwo\n\nStory Two.\n\nThree\n\nStory Three.',
    )
  })

  it('reads a page that stands in a form', () =>
    expect(parseHtml(Buffer.from('<form><h1>Policy</h1><p>Thirty days.</p><input value="x"></form>')).text).toBe(
      'Policy\n\nThirty days.',
    ))

  it('keeps an aside in the content and drops one beside it', () =>
    expect(
      parseHtml(Buffer.from('<aside>Related pages</aside><main><p>Heat it.</p><aside>Below 40 degrees.</aside></main>'))
        .text,
    ).toBe('Heat it.\n\nBelow 40 degrees.'))

  it('reads a fragment without a frame', () =>
    expect(parseHtml(Buffer.from('<p>Only this.</p>')).text).toBe('Only this.'))

  it('says that there are no words in it', () =>
    expect(() => parseHtml(Buffer.from('<html><body><img src="a.png"></body></html>'))).toThrow('no-text'))

  it('leaves out what is not shown, and keeps a page that is hidden until it has loaded', () => {
    expect(
      parseHtml(
        Buffer.from(
          '<p>Seen</p><p style="color:red; display : none">one</p><div hidden>two</div><p style="font-size:0px">three</p><p style="opacity:0.5">faint</p>',
        ),
      ).text,
    ).toBe('Seen\n\nfaint')
    expect(parseHtml(Buffer.from('<body style="opacity:0"><h1>Loaded</h1></body>')).text).toBe('Loaded')
  })

  it('says on each row what reaches down to it, and keeps the caption', () =>
    expect(
      parseHtml(
        Buffer.from(
          '<table><caption>Leave</caption><tr><th rowspan="2">France</th><td>2025</td><td>30</td></tr><tr><td>2026</td><td>32</td></tr></table>',
        ),
      ).text,
    ).toBe('Leave\n\nFrance | 2025 | 30\nFrance | 2026 | 32'))

  it('knows author and day of the page', () =>
    expect(
      parseHtml(
        Buffer.from(
          '<html><head><meta name="Author" content="A. Writer"><meta property="article:published_time" content="2026-11-21T08:00:00Z"></head><body><p>Words</p></body></html>',
        ),
      ),
    ).toMatchObject({ meta: { author: 'A. Writer', date: '2026-11-21' } }))
})
