import { expect, it } from 'vitest'
import { pageInWords, shortPageInWords } from './page-unit.ts'

const show = 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
const sheet = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

it('counts pages of paper and slides of a show', () => {
  expect(pageInWords({ mediaType: 'application/pdf', page: 14 }, 62)).toBe('page 14 of 62')
  expect(pageInWords({ mediaType: show, page: 3 })).toBe('slide 3')
  expect(shortPageInWords({ mediaType: show, page: 3 })).toBe('slide 3')
  expect(shortPageInWords({ mediaType: null, page: 3 })).toBe('p. 3')
})

it('names where a passage begins and ends', () => {
  expect(pageInWords({ mediaType: show, page: 3, pageTo: 5 })).toBe('slides 3 to 5')
  expect(pageInWords({ mediaType: 'application/pdf', page: 3, pageTo: 3 })).toBe('page 3')
})

it('names no page of a picture, and none where there is none', () => {
  expect(pageInWords({ mediaType: 'image/png', page: 1 }, 1)).toBe('')
  expect(pageInWords({ mediaType: sheet, page: null })).toBe('')
})
