import { expect, it } from 'vitest'
import { readReviewAddress, reviewQuery } from './review-address.ts'

it('reads what an address asks for, and overlooks what makes no sense', () => {
  expect(readReviewAddress({})).toEqual({ whose: 'all', order: 'due' })
  expect(
    readReviewAddress({ reason: 'topic', whose: 'mine', kind: 'nonsense', order: ['risk', 'age'], x: '1' }),
  ).toEqual({
    reason: 'topic',
    whose: 'mine',
    order: 'due',
  })
  expect(readReviewAddress({ collectionId: 'no id' })).not.toHaveProperty('collectionId')
})

it('writes the shortest address of a filter, without the place in the list', () => {
  expect(reviewQuery(readReviewAddress({}))).toBe('')
  expect(reviewQuery(readReviewAddress({ reason: 'topic', order: 'risk', after: 'x' }))).toBe(
    '?reason=topic&order=risk',
  )
})
