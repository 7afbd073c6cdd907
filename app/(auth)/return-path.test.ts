import { describe, expect, it } from 'vitest'
import { returnPath } from './return-path.ts'

describe('returnPath', () => {
  it.each([
    ['/', '/'],
    ['/admin/documents?state=failed', '/admin/documents?state=failed'],
    ['/chat/1#c2', '/chat/1#c2'],
  ])('goes back to %s', (from, path) => {
    expect(returnPath(from)).toBe(path)
  })

  it.each([
    undefined,
    ['/a', '/b'],
    '',
    'chat/1',
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example',
    'javascript:alert(1)',
    '/sign-in?from=/sign-in',
  ])('goes to the start instead of %j', (from) => {
    expect(returnPath(from)).toBe('/')
  })
})
