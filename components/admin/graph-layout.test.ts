import { describe, expect, it } from 'vitest'
import type { GraphEntity } from '#lib/shared/graph-contract.ts'
import { drawing, layOut } from './graph-layout.ts'

const thing = (id: string): GraphEntity => ({ id, name: `Thing ${id}`, kind: 'name', passages: 1 })
const around = (count: number, pairs: [string, string][] = []) => ({
  centre: { ...thing('0'), aliases: [] },
  neighbours: Array.from({ length: count }, (_, at) => thing(String(at + 1))),
  edges: pairs.map((between) => ({ between, passages: 1, said: [] })),
})

describe('the drawing of a neighbourhood', () => {
  it.each([1, 2, 12, 18])(
    'gives each of %d neighbours a place of its own inside the drawing, the same every time',
    (count) => {
      const placed = [...layOut(around(count)).values()]
      expect(placed).toHaveLength(count + 1)
      expect(new Set(placed.map(({ x, y }) => `${x} ${y}`)).size).toBe(count + 1)
      for (const { x, y } of placed) {
        expect(x).toBeGreaterThan(180)
        expect(x).toBeLessThan(drawing.width - 180)
        expect(y).toBeGreaterThan(30)
        expect(y).toBeLessThan(drawing.height - 30)
      }
      expect([...layOut(around(count)).values()]).toEqual(placed)
    },
  )

  it('keeps neighbours side by side that stand in a relation', () => {
    const order = [
      ...layOut(
        around(6, [
          ['1', '4'],
          ['2', '6'],
        ]),
      ).keys(),
    ]
    expect(order).toEqual(['0', '1', '4', '2', '6', '3', '5'])
  })
})
