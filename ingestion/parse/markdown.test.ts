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

  it('says that there are no words in it', () =>
    expect(() => parseMarkdown(Buffer.from('<!-- nothing -->\n'))).toThrow('no-text'))
})
