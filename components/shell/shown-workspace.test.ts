import { expect, test } from 'vitest'
import { withWorkspace } from './shown-workspace.ts'

const origin = 'https://knowledge.example'
const sentBy = async (id: string | null, input: string | URL | Request, init?: RequestInit) => {
  let seen: Request | undefined
  const plain = (async (target: string | URL | Request, given?: RequestInit) => {
    seen = new Request(target instanceof Request ? target : new URL(target, origin), given)
    return new Response()
  }) as typeof fetch
  await withWorkspace(plain, origin, () => id)(input, init)
  return seen
}

test.each([
  ['/api/chat', { method: 'POST', body: '{}' }],
  [new URL('/admin', origin), {}],
  [new Request(`${origin}/api/x`, { method: 'POST', body: 'x', headers: { a: 'b' } }), undefined],
])('says which workspace the tab shows to this site: %#', async (input, init) => {
  const sent = await sentBy('w1', input, init)
  expect(sent?.headers.get('x-footnote-workspace')).toBe('w1')
  if (input instanceof Request) expect(sent?.headers.get('a')).toBe('b')
})

test.each(['https://elsewhere.example/x', '//elsewhere.example/x', 'data:text/plain,x', 'http://knowledge.example/'])(
  'tells nobody else: %s',
  async (input) => {
    expect((await sentBy('w1', input))?.headers.has('x-footnote-workspace')).toBe(false)
  },
)

test('keeps what a request says of itself, and what else it has', async () => {
  const sent = await sentBy('w1', '/api/workspace', {
    method: 'POST',
    headers: { 'x-footnote-workspace': 'w2', 'next-action': 'a' },
  })
  expect(sent?.headers.get('x-footnote-workspace')).toBe('w2')
  expect(sent?.headers.get('next-action')).toBe('a')
})

test('says nothing while nothing is shown', async () => {
  expect((await sentBy(null, '/api/chat'))?.headers.has('x-footnote-workspace')).toBe(false)
})
