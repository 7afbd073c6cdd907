import { describe, expect, it } from 'vitest'
import { parseXml } from './xml.ts'

const read = (source: string) => parseXml(Buffer.from(source))

describe('xml', () => {
  it('makes what repeats rows, with attributes', () =>
    expect(
      read(
        '<parts xmlns:x="y"><part id="p1" note="made in Oslo"><name>Belt</name><unitPrice>12.50</unitPrice></part><part><name>Guard &amp; co</name></part><spare name="Bolt" size="8"/></parts>',
      ).text,
    ).toBe('note: made in Oslo; name: Belt; unit Price: 12.50\nname: Guard & co\nname: Bolt; size: 8'))

  it('makes what has a title a section', () => {
    const { title, text, blocks } = read(
      '<?xml version="1.0"?><!DOCTYPE book><book><title>Guide</title><chapter><title>Heat</title><p>Below <b>40</b> degrees.</p><section><head>Alarm</head><p>Stop.<!-- never --></p></section></chapter><chapter><title>Cold</title><p><![CDATA[a < b]]></p></chapter></book>',
    )
    expect(title).toBe('Guide')
    expect(text).toBe('Guide\n\nHeat\n\nBelow 40 degrees.\n\nAlarm\n\nStop.\n\nCold\n\na < b')
    expect(blocks.filter(({ kind }) => kind === 'heading').map(({ level }) => level)).toEqual([1, 2, 1])
  })

  it.each([
    [
      'entities of its own',
      `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(100)}">]><l>&b;</l>`,
      'wrong-type',
    ],
    ['an entity from outside', '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', 'wrong-type'],
    ['more levels than any document', `${'<a>'.repeat(100_000)}x${'</a>'.repeat(100_000)}`, 'too-nested'],
    ['its end missing', '<a><b>one</b><b>tw', 'damaged'],
    ['an element missing its end', '<a><b>one</b>', 'damaged'],
    ['no words', '<a><b/></a>', 'no-text'],
  ])('refuses what has %s', (_, source, code) => expect(() => read(source)).toThrow(expect.objectContaining({ code })))

  it('loads nothing that it points at', () =>
    expect(
      read(
        '<!DOCTYPE l SYSTEM "http://127.0.0.1:9/l.dtd"><l xmlns:xi="http://www.w3.org/2001/XInclude"><p>Words</p><xi:include href="file:///etc/passwd"/></l>',
      ).text,
    ).toBe('Words'))

  it('takes elements with the names of JavaScript for words', () =>
    expect(read('<a><constructor>x</constructor><prototype>y</prototype></a>').text).toContain('x'))
})
