import { describe, expect, it } from 'vitest'
import { returnPath, sitePath } from './return-path.ts'

describe('returnPath', () => {
  it.each([
    ['/', '/'],
    ['/admin/documents?state=failed', '/admin/documents?state=failed'],
    ['/chat/1#c2', '/chat/1#c2'],
  ])('goes back to %s', (from, path) => {
    expect(returnPath(from)).toBe(path)
  })

  it('never leads back to the sign-in page', () => {
    expect(returnPath('/sign-in?from=/sign-in')).toBe('/')
    expect(returnPath('/a/../sign-in')).toBe('/')
  })
})

describe('CVE-2022-31093: a bad callback address neither throws nor leads away', () => {
  it.each([
    undefined,
    null,
    0,
    {},
    ['/a', '/b'],
    '',
    'undefined',
    'chat/1',
    'https://evil.example/',
    'http:evil.example',
    'HTTP://EVIL.EXAMPLE',
    '//evil.example/',
    '///evil.example/',
    '/\\evil.example/',
    '\\\\evil.example/',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\n/evil.example',
    '/..//evil.example',
    '/.//evil.example',
    '/%2e%2e//evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '%',
    'http://',
    'https://[',
    '//[::1',
    '@evil.example',
    ' /x',
    '\u0000/x',
  ])('%j leads to the start', (wanted) => {
    expect(sitePath(wanted)).toBe('/')
    expect(returnPath(wanted)).toBe('/')
  })

  it('a path that names another host inside it stays a path', () => {
    expect(sitePath('/@evil.example')).toBe('/@evil.example')
    expect(sitePath('/x?to=https://evil.example')).toBe('/x?to=https://evil.example')
  })
})
