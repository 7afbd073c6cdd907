import { expect, it } from 'vitest'
import { deskActOf, deskKeys, type Press } from './desk-keys.ts'

const press = (key: string, change: Partial<Press> = {}): Press => ({
  ...{ key, ctrlKey: false, metaKey: false, altKey: false, target: 'other', covered: false, letters: true },
  ...change,
})

it('gives every act its own keys', () => {
  const keys = deskKeys.flatMap((one) => [...one.keys])
  expect(new Set(keys).size).toBe(keys.length)
  for (const one of deskKeys) for (const key of one.keys) expect(deskActOf(press(key))).toBe(one.act)
  expect(deskActOf(press('A'))).toBe('approve')
})

it('fires no key while typing, but for the one that approves an edit', () => {
  for (const { keys } of deskKeys) for (const key of keys) expect(deskActOf(press(key, { target: 'field' }))).toBe(null)
  expect(deskActOf(press('Enter', { target: 'field', ctrlKey: true }))).toBe('approve-edit')
  expect(deskActOf(press('Enter', { target: 'field', metaKey: true }))).toBe('approve-edit')
})

it('leaves alone what is the browser’s, a button’s or a dialog’s', () => {
  expect(deskActOf(press('r', { ctrlKey: true }))).toBe(null)
  expect(deskActOf(press('c', { metaKey: true }))).toBe(null)
  expect(deskActOf(press('Enter', { target: 'control' }))).toBe(null)
  expect(deskActOf(press('a', { target: 'control' }))).toBe('approve')
  expect(deskActOf(press('a', { covered: true }))).toBe(null)
  expect(deskActOf(press('Enter', { covered: true, ctrlKey: true }))).toBe(null)
})

it('hears no key of one character once those are switched off, and every other one still', () => {
  const off = { letters: false }
  for (const { act, keys } of deskKeys)
    for (const key of keys) expect(deskActOf(press(key, off))).toBe(key.length === 1 ? null : act)
  expect(deskActOf(press('Enter', off))).toBe('open')
  expect(deskActOf(press('Enter', { ...off, ctrlKey: true }))).toBe('approve-edit')
})
