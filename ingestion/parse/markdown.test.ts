import { describe, expect, it } from 'vitest'
import { parseMarkdown } from './markdown.ts'

const source = `---
title: "Security policy"
---
# Access

Use **two** factors, see [the guide](https://example.org/guide).

1. Ask the owner
2. Wait for both signatures

| Class | Who signs |
| --- | --- |
| Restricted | owner and head |

\`\`\`sh
# not a heading
rotate --all
\`\`\`
`

describe('markdown', () => {
  it('keeps the words and drops the marks; fences and rows are blocks', () => {
    const { title, text, blocks } = parseMarkdown(Buffer.from(source))
    expect(title).toBe('Security policy')
    expect(text).toBe(
      [
        'Access',
        'Use two factors, see the guide.',
        '1. Ask the owner\n2. Wait for both signatures',
        'Class | Who signs\nRestricted | owner and head',
        '# not a heading\nrotate --all',
      ].join('\n\n'),
    )
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'row', 'row', 'code'])
    expect(blocks.map(({ start, end }) => text.slice(start, end)).join('')).toBe(
      text.replace(/\n\n|\n(?=2\. |Restricted)/g, ''),
    )
  })

  it('reads a long document like its parts', () => {
    const part = `## Part\n\nSee [the guide][guide] and a note.[^n] A good\nyear was\n1986. It was hot.\n\n- one\n- two\n\n| A | B |\n| - | - |\n| 1 | 2 |\n\n\`\`\`sh\n# not a heading\n\n- not a list\n\`\`\`\n\n<!-- unsaid\n\n# unsaid\n-->\n\nThe end.\n`
    const links = '[guide]: https://example.org/guide\n\n[^n]: Said once.\n'
    const one = parseMarkdown(Buffer.from(`${part}\n${links}`)).text
    const said = one.slice(0, one.indexOf('\n\nSaid once.'))
    const { text } = parseMarkdown(Buffer.from(`${`${part}\n`.repeat(1_000)}${links}`))
    expect(text).toBe(`${Array.from({ length: 1_000 }, () => said).join('\n\n')}\n\nSaid once.`)
  })

  it('says that there are no words in it', () =>
    expect(() => parseMarkdown(Buffer.from('<!-- nothing -->\n'))).toThrow('no-text'))
})
