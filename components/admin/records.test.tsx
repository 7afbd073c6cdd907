import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { readAuditAddress } from '#lib/shared/audit-address.ts'
import type { Explanation } from '#lib/shared/explain-contract.ts'
import type { AuditRow, ChainVerdict } from '#lib/shared/records-contract.ts'
import { AuditScreen } from './audit-screen.tsx'
import { actorInWords, auditQuery, detailsInWords, verdictInWords } from './audit-words.ts'
import { WhyScreen } from './why-screen.tsx'

const wordsOf = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
const line: AuditRow = {
  ...{
    id: 7,
    at: '2026-11-20T10:00:00.000Z',
    event: 'grant.given',
    place: 3,
    hash: 'ab12',
    beforeHash: null,
    afterHash: 'cd',
  },
  ...{ actor: { id: 'u1', name: 'Ann' }, objectId: 'c1', objectName: 'General', address: '192.0.2.7', requestId: 'r1' },
  details: { level: 'read', subjectIds: ['a', 'b'], wasOpen: false },
}
const verify = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const screen = (lines: AuditRow[], asked: Record<string, unknown> = {}, more = false) =>
  renderToStaticMarkup(<AuditScreen list={{ lines, more }} address={readAuditAddress(asked).address} verify={verify} />)

test('a line of the audit log is words, with ways to all that is like it', () => {
  const markup = screen([line], { event: 'grant', to: '2026-11-21' })
  const words = wordsOf(markup)
  for (const said of [
    'Gave access to a collection',
    'Ann',
    'General',
    'Subject ids a, b',
    'Was open no',
    '3:ab12',
    '192.0.2.7',
  ])
    expect(words).toContain(said)
  expect(markup).toContain('href="/admin/audit?to=2026-11-21&amp;event=grant&amp;object=c1"')
  expect(markup).toContain('href="/api/audit?to=2026-11-21&amp;event=grant"')
})

test('an empty log and an empty search say different things, and older lines are a link', () => {
  expect(wordsOf(screen([]))).toContain('Nothing has happened yet')
  expect(wordsOf(screen([], { actor: 'bob' }))).toContain('No line is like that')
  expect(screen([line], { actor: 'bob' }, true)).toContain('href="/admin/audit?actor=bob&amp;before=7"')
})

test('who is gone, and what nobody did, have words', () => {
  expect(actorInWords({ ...line, actor: { id: 'u', name: null } })).toBe('A person who is gone')
  expect(actorInWords({ actor: null, event: 'sign-in.refused' })).toBe('A stranger')
  expect(actorInWords({ actor: null, event: 'retention.run' })).toBe('Footnote itself')
  expect(detailsInWords({ before: { endedAt: null }, tags: 0 })).toEqual([
    { name: 'Before', value: 'Ended at: nothing' },
    { name: 'Tags', value: '0' },
  ])
})

test('an address that makes no sense looks for nothing, and days are whole', () => {
  const hostile = { from: 'yesterday', to: "1' or 1", before: '-1', actor: '\0', object: ['a'], event: ' ' }
  expect(readAuditAddress(hostile).filter).toEqual({})
  expect(readAuditAddress({ from: '2026-02-28', to: '2026-02-28' }).filter).toEqual({
    from: '2026-02-28T00:00:00.000Z',
    to: '2026-03-01T00:00:00.000Z',
  })
  expect(auditQuery(readAuditAddress({ actor: 'a', before: '9' }).address, { actor: null })).toBe('')
})

test('a verdict says what it is worth', () => {
  const whole: ChainVerdict = {
    ...{ workspaceId: 'w', workspace: 'Test', lines: 1_200, firstPlace: 1, broken: null },
    head: { place: 1_200, hash: 'ab' },
  }
  expect(verdictInWords(whole)).toBe('All 1,200 lines are as they were written.')
  expect(verdictInWords({ ...whole, firstPlace: 9 })).toContain('before 9 were deleted by retention')
  const broken = { fault: 'changed' as const, place: 3, lineId: 7, words: 'Line 3 is another.' }
  expect(verdictInWords({ ...whole, broken })).toBe('The log is broken. Line 3 is another.')
})

const explanation: Explanation = {
  ...{
    messageId: 'm',
    chatId: 'c',
    own: true,
    askedAt: line.at,
    question: 'How often?',
    answer: 'Often.',
    status: 'complete',
  },
  searched: { text: 'How often are keys rotated?', where: ['In all documents that you could read'] },
  passages: [
    {
      ...{
        chunkId: '1',
        documentId: 'd',
        title: 'Policy',
        page: 2,
        mediaType: 'application/pdf',
        n: 1,
        text: 'Every 90 days.',
      },
      ...{ quotes: ['Every 90 days.'], score: 0.9, lexical: { rank: 1, score: 3.2 }, vector: null, dropped: null },
    },
    {
      ...{ chunkId: '2', documentId: 'e', title: null, page: null, mediaType: null, n: 2, text: null },
      ...{ quotes: [], score: 0.5, lexical: null, vector: null, dropped: null },
    },
  ],
  ...{
    leftOut: ['1 passage held back.'],
    warnings: [],
    model: { id: 'm-1', kind: 'provider' },
    route: 'From the documents',
  },
  ...{ kept: null, confidence: { value: 0.8, reasons: ['all supported'] }, policyVersion: 4, reviewer: null },
  checks: [{ name: 'Citations', words: '1 of 1 claim supported', passed: true }],
  full: null,
}

test('why an answer: in short for who asked, in full for admins, and no words of what one may not read', () => {
  const short = wordsOf(renderToStaticMarkup(<WhyScreen explanation={explanation} />))
  for (const said of ['How often?', 'How often are keys rotated?', 'Policy page 2', 'Every 90 days.', 'm-1', '0.80'])
    expect(short).toContain(said)
  expect(short).toContain('You may not read this document, or it is gone.')
  expect(short).not.toMatch(/Encoder|Candidates|Cost/)
  const full = {
    ...{ askedBy: { id: 'u', name: 'Ann' }, versions: { prompt: 'answer@1#ab', encoder: 'e-1', index: '3 1/0/4' } },
    ...{ candidates: [], costMicros: 1_200, tokens: { in: 9, out: 2 }, trace: null },
  }
  const long = wordsOf(renderToStaticMarkup(<WhyScreen explanation={{ ...explanation, full }} />))
  for (const said of ['answer@1#ab', 'e-1', '1 (3.200)', '0.900', 'Read and cited', 'No trace of this answer'])
    expect(long).toContain(said)
})
