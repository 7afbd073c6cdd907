import { expect, test } from 'vitest'
import { scrub, withoutSecrets } from './scrub.ts'

const text = (value: unknown): string => JSON.stringify(scrub(value, ['the-secret-of-this-installation']))

test('a line ends where we end it, and nothing steers a terminal', () => {
  const hostile = 'a\r\n{"level":60}\u001b[2J\u009b31m\u2028\u202eb\u0000'
  expect(scrub(hostile)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u)
  expect(JSON.stringify(scrub({ [hostile]: [hostile] }))).not.toMatch(/\\[nru]|\p{Cc}/u)
})

test('an error keeps what it is and where it was, and nothing that hangs on it', () => {
  const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(ann@example.org)' })
  const failed = new Error('Failed query: insert into messages values ($1)\nparams: what is my salary?', { cause })
  Object.assign(failed, { params: ['what is my salary?'], requestBodyValues: { prompt: 'words' }, statusCode: 400 })
  const line = scrub({ err: failed })
  expect(line).toMatchObject({
    err: {
      type: 'Error',
      message: 'Failed query: insert into messages values ($1)',
      status: 400,
      stack: expect.stringContaining('scrub.test.ts'),
      cause: { message: 'duplicate key', code: '23505' },
    },
  })
  expect(JSON.stringify(line)).not.toMatch(/salary|ann@|words/)
})

test('secrets go by their name, their shape and their value; counts stay', () => {
  expect(
    scrub({ newPassword: 'x', apiKey: 'x', refreshToken: 'x', tokensIn: 12, token: null, nested: { Cookie: 'x' } }),
  ).toEqual({
    ...{ newPassword: '[secret]', apiKey: '[secret]', refreshToken: '[secret]', tokensIn: 12, token: null },
    nested: { Cookie: '[secret]' },
  })
  expect(scrub({ question: 'who is ill?', text: 'words', prompt: ['words'] })).toEqual({
    ...{ question: '[left out]', text: '[left out]', prompt: '[left out]' },
  })
  expect(text('x the-secret-of-this-installation x')).toBe('"x [secret] x"')
})

test.each([
  'postgres://footnote:hunter2hunter2@db/prod',
  'Authorization: Bearer abcdefghijklmnop1234567890',
  'Cookie: __Host-authjs.session-token=hunter2hunter2; a=b',
  'https://x.example/reset?token=hunter2hunter2hunter2',
  'GET /invite/hunter2hunter2hunter2 failed',
  'fn_abcd1234_hunter2hunter2hunter2',
  '{"password":"hunter2hunter2"}',
])('%j loses its secret', (line) => {
  expect(withoutSecrets(line)).not.toMatch(/hunter2|abcdefghijklmnop/)
})

test('whatever is handed over, it does not throw and has a bound', () => {
  const round: Record<string, unknown> = { at: new Date(Number.NaN), big: 1n, f: () => 1, bytes: new Uint8Array(9) }
  round.self = round
  expect(text(round).length).toBeLessThan(1_000)
  expect(text('x'.repeat(1_000_000)).length).toBeLessThan(5_000)
})
