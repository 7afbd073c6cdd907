import { expect, it } from 'vitest'
import { inertTypeOf } from './inert-type.ts'

it('sends pictures of pixels as what they are', () => {
  expect(['scan.PNG', 'a.jpg', 'a.b.jpeg', 'mail › photo.webp'].map(inertTypeOf)).toEqual([
    'image/png',
    'image/jpeg',
    'image/jpeg',
    'image/webp',
  ])
})

it('sends nothing else under a type that a browser would open', () => {
  for (const name of [
    'a.svg',
    'a.png.svg',
    'a.html',
    'a.pdf',
    'a.xml',
    'png',
    'a.',
    '',
    'a.__proto__',
    'a.constructor',
  ])
    expect(inertTypeOf(name)).toBe('application/octet-stream')
})
