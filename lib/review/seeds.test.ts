import { expect, test } from 'vitest'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { flawedCopy } from './seeds.ts'

const citation = (ordinal: number): Citation => ({
  ordinal,
  n: ordinal,
  documentId: 'document',
  versionId: 'version',
  chunkId: String(ordinal),
  title: 'Policy',
  collection: 'General',
  mediaType: 'text/plain',
  page: null,
  pages: null,
  headingPath: [],
  quote: '',
  charStart: 0,
  charEnd: 0,
  rects: [],
  claim: `claim ${ordinal}`,
  supported: true,
  removed: false,
})
const original = {
  text: 'Keys are rotated every 90 days. [^1] Backups are not kept for long. [^2]',
  citations: [citation(1), citation(2)],
}

test.each([
  [0, 'number', /^Keys are rotated every [1-8]0 days\. \[\^1\] Backups are not kept for long\. \[\^2\]$/],
  [0.4, 'negation', /^Keys are rotated every 90 days\. \[\^1\] Backups are kept for long\. \[\^2\]$/],
  [0.9, 'citation', /^Keys are rotated every 90 days\. \[\^2\] Backups are not kept for long\. \[\^1\]$/],
])('a known error differs from its original in one thing (%d: %s)', (draw, flaw, text) => {
  expect(flawedCopy(original, () => draw)).toMatchObject({ flaw, text: expect.stringMatching(text) })
})

test('a changed number is another one, whatever is drawn', () => {
  for (const number of ['0', '9', '10', '365', '2026'])
    for (let draw = 0; draw < 1; draw += 0.01) {
      const flawed = flawedCopy({ text: `It is ${number}.`, citations: [] }, () => draw)
      if (flawed?.flaw === 'number')
        expect(flawed.text).toMatch(new RegExp(`^It is (?!${number}\\.)[1-9]\\d{${number.length - 1}}\\.$`))
    }
})

test('an answer that offers nothing to get wrong makes none', () => {
  expect(flawedCopy({ text: 'Nothing here.', citations: [] }, () => 0)).toBeNull()
})
