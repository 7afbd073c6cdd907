import { expect, it } from 'vitest'
import { markWords } from './marked-words.ts'

const shown = (text: string, words: string) =>
  markWords(text, words)
    .map((piece) => (piece.marked ? `[${piece.text}]` : piece.text))
    .join('')

it('marks words wherever they stand, in any case, and loses nothing of the text', () => {
  expect(shown('Valve, the VALVE and valves', ' valve ')).toBe('[Valve], the [VALVE] and [valve]s')
  expect(shown('nothing here', 'valve')).toBe('nothing here')
  expect(shown('all of it', '')).toBe('all of it')
})

it('takes signs as they are typed', () => {
  expect(shown('costs 5.00 (net) or 5x00', '5.00 (')).toBe('costs [5.00 (]net) or 5x00')
  expect(shown('𝕏 marks 𝕏', '𝕏')).toBe('[𝕏] marks [𝕏]')
})
