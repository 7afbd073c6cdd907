import { describe, expect, test } from 'vitest'
import { codeSchema, emailSchema, linkTokenSchema, newPasswordSchema, personNameSchema } from './account-contract.ts'

describe('CVE-2022-35924: an address is one address', () => {
  test.each([
    'a@x.example,b@y.example',
    'a@x.example;b@y.example',
    'a@x.example b@y.example',
    'a@x.example\nb@y.example',
    'a@x.example\r\nBcc: b@y.example',
    'a@x.example\r\n',
    '"a@x.example,"@y.example',
    'A <a@x.example>',
    '<a@x.example>',
    'a@x.example@y.example',
    'a@x.example\0',
    'a@x.exam\u202eple',
    '@x.example',
    'a@',
    '',
    `${'a'.repeat(250)}@x.example`,
  ])('%j is refused', (address) => {
    expect(emailSchema.safeParse(address).success).toBe(false)
  })

  test.each([null, undefined, 0, [], ['a@x.example'], {}])('%j is no address', (value) => {
    expect(emailSchema.safeParse(value).success).toBe(false)
  })

  test('one address is the same however it is written', () => {
    for (const written of ['a.b+c@x.example', ' A.B+C@X.Example ', 'ａ.b+c@x.example'])
      expect(emailSchema.parse(written)).toBe('a.b+c@x.example')
  })
})

test('GHSA-f6hc: what is no token opens nothing', () => {
  for (const value of [
    null,
    undefined,
    '',
    [],
    ['a'],
    {},
    0,
    false,
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)} `,
  ])
    expect(linkTokenSchema.safeParse(value).success).toBe(false)
  expect(linkTokenSchema.safeParse('aZ0_-'.repeat(8).padEnd(43, 'x')).success).toBe(true)
})

test('a password is long enough and otherwise free', () => {
  for (const good of ['twelve chars', 'пароль из слов', '            ', 'x'.repeat(1_024)])
    expect(newPasswordSchema.safeParse(good).success).toBe(true)
  for (const bad of ['elevenchars', '', 'x'.repeat(1_025)]) expect(newPasswordSchema.safeParse(bad).success).toBe(false)
})

test('a code may be written with spaces and dashes', () => {
  expect(codeSchema.parse('123 456')).toBe('123456')
  expect(codeSchema.parse('ABCD-2345-wxyz')).toBe('abcd2345wxyz')
  for (const bad of ['12345', '1234567', 'abcd-2345-wxy1', '', null])
    expect(codeSchema.safeParse(bad).success).toBe(false)
})

test('a name is one line without what cannot be seen', () => {
  expect(personNameSchema.parse(' Ada\u202e\r\nLovelace\0 ')).toBe('Ada Lovelace')
  for (const bad of ['', ' \u200b ', 'x'.repeat(81)]) expect(personNameSchema.safeParse(bad).success).toBe(false)
})
