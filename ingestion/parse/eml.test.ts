import { describe, expect, it } from 'vitest'
import { parseEml } from './eml.ts'

const read = (source: string) => parseEml(Buffer.from(source.replaceAll('\n', '\r\n')), () => {})

const head = `From: Ada Halden <ada@example.org>
To: Bo <bo@example.org>, "Cy" <cy@example.org>
Subject: =?utf-8?Q?Pr=C3=BCfung?=
Date: Sat, 21 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
`

const withAttachments = (names: readonly string[], content: string): string =>
  `${head}Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

See below.
${names
  .map(
    (name) => `--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="${name}"

${content}
`,
  )
  .join('')}--b--
`

describe('eml', () => {
  it('reads who wrote what to whom, and when', async () => {
    const { title, text, meta } = await read(`${head}Content-Type: text/plain; charset=utf-8

The belt is worn.

Ada
`)
    expect(title).toBe('Prüfung')
    expect(meta).toEqual({ author: 'Ada Halden <ada@example.org>', date: '2026-11-21' })
    expect(text).toBe(
      'From: Ada Halden <ada@example.org>\nTo: Bo <bo@example.org>, Cy <cy@example.org>\nDate: 2026-11-21T10:00:00.000Z\nSubject: Prüfung\n\nThe belt is worn.\n\nAda',
    )
  })

  it('puts what was written before what it quotes, unless each answers a quote', async () => {
    const bodyOf = async (body: string): Promise<string> =>
      (await read(`${head}\n${body}`)).text.split('Prüfung\n\n')[1] ?? ''
    expect(await bodyOf('On Mon, 16 Nov 2026, Bo wrote:\n> Is it worn?\n\nYes.\n')).toBe(
      'Yes.\n\nOn Mon, 16 Nov 2026, Bo wrote:\nIs it worn?',
    )
    expect(await bodyOf('> Is it worn?\nYes.\n> Since when?\nMay.\n')).toBe(
      'Is it worn?\n\nYes.\n\nSince when?\n\nMay.',
    )
  })

  it('reads HTML when there is nothing else', async () =>
    expect(
      (await read(`${head}Content-Type: text/html\n\n<h1>News</h1><script>x()</script><p>Words</p>`)).text,
    ).toMatch(/\n\nNews\n\nWords$/))

  it('hands on what is attached, and says what it left out', async () => {
    const some = await read(withAttachments(['a.txt', 'b.txt'], 'inside'))
    expect(some.attachments?.map(({ name, bytes }) => [name, Buffer.from(bytes).toString().trim()])).toEqual([
      ['a.txt', 'inside'],
      ['b.txt', 'inside'],
    ])
    const names = Array.from({ length: 52 }, (_, index) => `n${index}.txt`)
    const many = await read(withAttachments(names, 'x'))
    expect(many.attachments).toHaveLength(50)
    expect(many.text).toContain('n49.txt, n50.txt (not read), n51.txt (not read)')
  })

  it('makes each message of a box a section', async () => {
    const { title, text, blocks } = await read(
      `From ada@example.org Sat Nov 21 10:00:00 2026\n${head}\n>From here on\nall is well.\n\nFrom bo@example.org Sat Nov 21 11:00:00 2026\nFrom: bo@example.org\n\nThanks.\n`,
    )
    expect(title).toBeNull()
    expect(blocks.filter(({ kind }) => kind === 'heading').map(({ start, end }) => text.slice(start, end))).toEqual([
      'Prüfung',
      'Message 2',
    ])
    expect(text).toContain('\n\nFrom here on\nall is well.\n\nMessage 2')
  })

  it('says that there is nothing in it', async () =>
    await expect(read('X-Mailer: none\n\n')).rejects.toMatchObject({ code: 'no-text' }))
})
