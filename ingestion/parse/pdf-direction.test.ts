import { describe, expect, it } from 'vitest'
import { toLogicalOrder } from './pdf-direction.ts'

const seen = (read: string): string => [...read].reverse().join('')

describe('reading order of a run', () => {
  it('leaves text from left to right as it is', () => expect(toLogicalOrder('Torque (max) 12')).toBe('Torque (max) 12'))
  it('turns Hebrew and Arabic', () => {
    expect(toLogicalOrder(seen('שלום עולם'))).toBe('שלום עולם')
    expect(toLogicalOrder(seen('المصــــر'))).toBe('المصــــر')
  })
  it('keeps numbers, Latin words and brackets readable in it', () =>
    expect(toLogicalOrder('(4.5 version) ללגמ 1,200 שקל')).toContain('1,200'))
  it('turns a word of Hebrew in an English line', () =>
    expect(toLogicalOrder(`the word ${seen('שלום')} means peace`)).toBe('the word שלום means peace'))
})
