import { expect, it } from 'vitest'
import { noTrouble, troubleOf } from './use-claim.ts'

const five = 'You have 5 answers taken up already.'

it('says why an answer could not be taken up for as long as nobody has it, also when a look went well after that', () => {
  expect(troubleOf({ ...noTrouble, take: five }, 'nobody')).toBe(five)
  // Who has it is said beside it.
  expect(troubleOf({ ...noTrouble, take: 'Ben is working on this.' }, 'other')).toBe(null)
  expect(troubleOf({ ...noTrouble, take: five }, 'you')).toBe(null)
})

it('says why a press on “Take it over” came to nothing, whoever has it', () => {
  expect(troubleOf({ ...noTrouble, takeOver: five }, 'other')).toBe(five)
  expect(troubleOf({ ...noTrouble, takeOver: five }, 'you')).toBe(null)
})

it('says that nothing new is known while the connection is gone', () => {
  expect(troubleOf({ ...noTrouble, look: 'Not reached.' }, 'you')).toBe('Not reached.')
})
