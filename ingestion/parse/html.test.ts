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

  it('reads a fragment without a frame', () =>
    expect(parseHtml(Buffer.from('<p>Only this.</p>')).text).toBe('Only this.'))

  it('says that there are no words in it', () =>
    expect(() => parseHtml(Buffer.from('<html><body><img src="a.png"></body></html>'))).toThrow('no-text'))
})
